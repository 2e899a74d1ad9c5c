"""How much the tags of a file claim for themselves, before Pillow copies it out for each of them.

In the structure of TIFF and EXIF each tag says where its value lies, and all may name the same block: a file of 2 MB
can claim 60 GB. Pillow reads the values of all tags at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

HEADERS = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}  # +: BigTIFF
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}  # bytes of a value
POINTERS = (0x8769, 0x8825, 0xA005)  # to the directories of EXIF, of the place, and of interoperability
MAX_DIRECTORIES = 4  # more of one kind are not read
MAX_STRUCTURES = 100  # where four bytes that look like a header stand; pixels have one by chance in 1 GB
SPARE = 2**20  # bytes that tags may claim beyond twice the file: none that is honest shares so much


def tags_fit(data: bytes) -> bool:
    """Whether the tags of every TIFF structure in a file, wherever it is embedded, claim about what the file holds."""
    starts = [start for header in HEADERS for start in _places(data, header)]
    if len(starts) > MAX_STRUCTURES:
        return False
    return sum(_claimed(data, start) for start in starts) <= 2 * len(data) + SPARE


def _places(data: bytes, header: bytes) -> Iterator[int]:
    at = data.find(header)
    for _ in range(MAX_STRUCTURES + 1):
        if at < 0:
            return
        yield at
        at = data.find(header, at + 1)


def _claimed(data: bytes, start: int) -> int:
    """Bytes of all values of the first directory and of those that it points to, as far as they lie within the file."""
    order, big = HEADERS[data[start : start + 4]]
    try:
        (first,) = struct.unpack_from(order + ("Q" if big else "I"), data, start + (8 if big else 4))
    except struct.error:
        return 0
    claimed, directories = 0, [first]
    for at in directories:  # grows meanwhile
        for tag, kind, count, value in _entries(data, start + at, order, big):
            size = SIZES.get(kind, 0) * count
            claimed += size if start + value + size <= len(data) else 0
            if tag in POINTERS and len(directories) < MAX_DIRECTORIES:
                directories.append(value)
    return claimed


def _entries(data: bytes, at: int, order: str, big: bool) -> Iterator[tuple[int, int, int, int]]:
    """Tag, kind, count, and value or place, of each entry of the directory at `at`."""
    number, entry = (order + "Q", order + "HHQQ") if big else (order + "H", order + "HHII")
    size = struct.calcsize(entry)
    try:
        (count,) = struct.unpack_from(number, data, at)
    except struct.error:
        return
    at += struct.calcsize(number)
    held = data[at : at + size * min(count, len(data) // size)]
    yield from struct.iter_unpack(entry, held[: len(held) // size * size])
