"""Archives that lead out of their folder, unpack to much, lie about what is in them, or are damaged."""

from __future__ import annotations

import random
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.corpus.boundaries import boundaries
from tests.corpus.broken import change_length, turn_bits
from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import whole_files
from tests.support.zips import STORED, Entry, make_zip

OUTSIDE = (
    b"../a.jpg",
    b"a/../../b.jpg",
    b"/etc/a.jpg",
    b"C:\\a.jpg",
    b"..\\a.jpg",
    b"a\0.jpg",
    b"a\nb.jpg",
    b"\x1b[2J.jpg",
)
FLIPS, CHANGES = 15, 15
ENCRYPTED = 0x1


def zips(rng: random.Random) -> Iterator[BadInput]:
    photo = whole_files()["plain.jpg"]
    for number, name in enumerate(OUTSIDE):
        yield BadInput(f"outside-{number}.zip", archive(Entry(name, photo)), Expected.REFUSED)
    hostile = {
        "nothing": archive(),
        "no-photo": archive(Entry(b"a.txt", b"text")),
        "link": archive(Entry(b"a.jpg", b"/etc/passwd", mode=stat.S_IFLNK | 0o777)),
        "pipe": archive(Entry(b"a.jpg", photo, mode=stat.S_IFIFO)),
        "twice": archive(Entry(b"a.jpg", photo), Entry(b"a.jpg", photo)),
        "shared": archive(Entry(b"a.jpg", photo), *(Entry(b"%d.jpg" % n, photo, offset=0) for n in range(50))),
        "dense": archive(Entry(b"a.bmp", bytes(32 * 2**20))),
        "claimed": archive(Entry(b"a.jpg", photo, size=2**31)),
        "locked": archive(Entry(b"a.jpg", photo, flags=ENCRYPTED)),
        "very-many": archive(*(Entry(b"%d.jpg" % n, b"", STORED) for n in range(20_001))),
        "within": archive(Entry(b"a.zip", archive(Entry(b"a.jpg", photo)))),
        "other-sum": archive(Entry(b"a.jpg", photo, crc=1)),
        "more-than-it-says": archive(Entry(b"a.jpg", photo, size=10)),
        "less-than-it-says": archive(Entry(b"a.jpg", photo, size=len(photo) + 10)),
        "other-method": archive(Entry(b"a.jpg", photo, method=99)),
        "no-zip": b"PK not",
        "text": b"text",
        "empty": b"",
    }
    yield from (BadInput(f"{name}.zip", data, Expected.REFUSED) for name, data in hostile.items())
    whole = archive(Entry(b"a.jpg", photo), Entry(b"b/c.png", whole_files()["plain.png"], STORED))
    for place in boundaries(whole):
        yield BadInput(f"cut-{place}.zip", whole[:place], Expected.REFUSED)
    for number in range(FLIPS):
        yield BadInput(f"flipped-{number}.zip", turn_bits(whole, rng))
    for number in range(CHANGES):
        yield BadInput(f"length-{number}.zip", change_length(whole, rng.choice(boundaries(whole)), rng))


def archive(*entries: Entry) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return make_zip(Path(folder, "made.zip"), entries).read_bytes()
