"""Sound pictures, damaged: cut at every boundary of their structure, bits turned, lengths overwritten."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.corpus.boundaries import boundaries
from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import SIMPLE, whole_files

LENGTHS = (b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\xff\xff")
CUTS, FLIPS, CHANGES = 60, 20, 15  # of each file, at most


def cut(rng: random.Random) -> Iterator[BadInput]:
    """At each boundary, and one byte before and behind it."""
    for name, data in whole_files().items():
        places = {place + by for place in boundaries(data) for by in (-1, 0, 1)} or set(range(1, len(data), 997))
        for place in sorted(rng.sample(sorted(places), min(CUTS, len(places)))):
            lost = name.startswith("plain") and name.endswith(SIMPLE) and place < 0.9 * len(data)
            yield BadInput(f"cut-{place}-{name}", data[:place], Expected.REFUSED if lost else Expected.EITHER)
    yield from (cut_jpeg(share) for share in (0.3, 0.5, 0.92, 0.97, 0.99))


def cut_jpeg(share: float) -> BadInput:
    """The plain photo, whose lower rows take the most bytes: read as far as it goes, if that is two thirds of them."""
    data = whole_files()["plain.jpg"]
    expected = Expected.READ if share > 0.9 else Expected.REFUSED
    return BadInput(f"cut-{share:.0%}-plain.jpg", data[: int(share * len(data))], expected)


def flipped(rng: random.Random) -> Iterator[BadInput]:
    """Some bits turned, half of the time all of them near the start."""
    for name, data in whole_files().items():
        for number in range(FLIPS):
            yield BadInput(f"flipped-{number}-{name}", turn_bits(data, rng))


def lengths_changed(rng: random.Random) -> Iterator[BadInput]:
    """What may be a length, zero or far too large."""
    for name, data in whole_files().items():
        places = boundaries(data) or [2, 10, 14, 18]
        for number in range(CHANGES):
            yield BadInput(f"length-{number}-{name}", change_length(data, rng.choice(places), rng))


def turn_bits(data: bytes, rng: random.Random) -> bytes:
    damaged = bytearray(data)
    reach = min(len(data), rng.choice((300, len(data))))
    for _ in range(rng.choice((1, 2, 8))):
        damaged[rng.randrange(reach)] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def change_length(data: bytes, at: int, rng: random.Random) -> bytes:
    value = rng.choice(LENGTHS)[-rng.choice((2, 4)) :]
    return data[:at] + value + data[at + len(value) :]
