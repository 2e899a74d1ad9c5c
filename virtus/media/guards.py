"""How much the tags of a file claim for themselves, before Pillow copies it out for each of them.

In the structure of TIFF and EXIF each tag says where its value lies, and all may name the same block: a file of 2 MB
can claim 60 GB. Pillow reads the values of all tags at once, makes an object of each number, and several of each tile.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

HEADERS = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}  # +: BigTIFF
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}  # bytes of a value
POINTERS = (0x8769, 0x8825, 0xA005)  # to the directories of EXIF, of the place, and of interoperability
MAX_DIRECTORIES = 4  # more of one kind are not read
MAX_STRUCTURES = 100  # where four bytes that look like a header stand; pixels have one by chance in 1 GB
MAX_ENTRIES = 500_000  # tags of all directories; what looks like one by chance may have 4 x 65,535
MAX_NUMBERS = 600_000  # in all tags: places and lengths of 16x16 tiles for 50 million pixels, and a table of colours
TEXTS = (1, 2, 6, 7)  # kinds that stay bytes, with no object for each value
SPARE = 2**20  # bytes that tags may claim beyond twice the file: none that is honest shares so much


def tags_fit(data: bytes) -> bool:
    """Whether the tags of every TIFF structure in a file, wherever it is embedded, claim about what the file holds."""
    starts = [start for header in HEADERS for start in _places(data, header)]
    if len(starts) > MAX_STRUCTURES:
        return False
    claimed = numbers = 0
    for entry, (kind, count) in enumerate(_values(data, starts)):
        claimed, numbers = claimed + SIZES.get(kind, 0) * count, numbers + (0 if kind in TEXTS else count)
        if entry == MAX_ENTRIES or numbers > MAX_NUMBERS or claimed > 2 * len(data) + SPARE:
            return False
    return True


def _places(data: bytes, header: bytes) -> Iterator[int]:
    at = data.find(header)
    for _ in range(MAX_STRUCTURES + 1):
        if at < 0:
            return
        yield at
        at = data.find(header, at + 1)


def _values(data: bytes, starts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Kind and count of the values of all tags, as far as they lie within the file: else the count is 0."""
    for start in starts:
        order, big = HEADERS[data[start : start + 4]]
        directories = [_first(data, start, order, big)]
        for at in directories:  # grows meanwhile
            for tag, kind, count, value in _entries(data, start + at, order, big):
                yield kind, count if start + value + SIZES.get(kind, 0) * count <= len(data) else 0
                if tag in POINTERS and len(directories) < MAX_DIRECTORIES:
                    directories.append(value)


def _first(data: bytes, start: int, order: str, big: bool) -> int:
    """Where the first directory is, counted from `start`; the file's end where that is cut off."""
    try:
        return struct.unpack_from(order + ("Q" if big else "I"), data, start + (8 if big else 4))[0]
    except struct.error:
        return len(data)


def _entries(data: bytes, at: int, order: str, big: bool) -> Iterator[tuple[int, int, int, int]]:
    """Tag, kind, count, and value or place, of each entry of the directory at `at`."""
    number, entry = (order + "Q", order + "HHQQ") if big else (order + "H", order + "HHII")
    size = struct.calcsize(entry)
    if at + struct.calcsize(number) > len(data):  # far more, and `unpack_from` raises what no other place does
        return
    (count,) = struct.unpack_from(number, data, at)
    at += struct.calcsize(number)
    held = data[at : at + size * min(count, len(data) // size)]
    yield from struct.iter_unpack(entry, held[: len(held) // size * size])
