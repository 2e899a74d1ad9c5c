"""Where the parts of a file begin and end: one small reader for each kind of structure."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

BOXES_OF_BOXES = b"moov trak mdia minf stbl dinf edts udta meta iprp ipco moof traf mvex ilst".split()
ELEMENTS_OF_ELEMENTS = {0x18538067, 0x1549A966, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675, 0x1C53BB6B, 0xBB, 0x114D9B74}
ZIP_RECORDS = re.compile(rb"PK(\x01\x02|\x03\x04|\x05\x06|\x06\x06|\x06\x07)")
MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def boundaries(data: bytes) -> list[int]:
    """Offsets within the file, sorted; empty for what is of no known structure."""
    for start, reader in READERS:
        if data[start[0] :].startswith(start[1]):
            return sorted({at for at in reader(data) if 0 < at < len(data)})
    return []


def jpeg(data: bytes) -> Iterator[int]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF and data[at + 1] != 0xD9:
        length = struct.unpack_from(">H", data, at + 2)[0]
        yield from (at, at + 2, at + 4, at + 2 + length)
        scan, at = data[at + 1] == 0xDA, at + 2 + length
        if scan:
            at = MARKER.search(data, at).start()
    yield at


def png(data: bytes) -> Iterator[int]:
    at = 8
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        yield from (at, at + 4, at + 8, at + 8 + length)
        at += 12 + length


def gif(data: bytes) -> Iterator[int]:
    at = 13 + (6 << (data[10] & 7) if data[10] & 128 else 0)
    yield from (6, 13, at)
    while at < len(data) and data[at] != 0x3B:
        head = 2
        if data[at] == 0x2C:
            packed = data[at + 9]
            head = 11 + (6 << (packed & 7) if packed & 128 else 0)
        yield from (at, at + head)
        at += head
        while data[at]:
            at += 1 + data[at]
            yield at
        at += 1


def riff(data: bytes, at: int = 12, end: int | None = None) -> Iterator[int]:
    end = len(data) if end is None else end
    while at + 8 <= end:
        kind, length = struct.unpack_from("<4sI", data, at)
        yield from (at, at + 4, at + 8, at + 8 + length)
        if kind in (b"LIST", b"ANMF"):
            yield from riff(data, at + (12 if kind == b"LIST" else 24), min(end, at + 8 + length))
        at += 8 + length + length % 2


def tiff(data: bytes) -> Iterator[int]:
    order = "<" if data.startswith(b"II") else ">"
    at = struct.unpack_from(order + "I", data, 4)[0]
    yield from (2, 4, 8)
    while at:
        count = struct.unpack_from(order + "H", data, at)[0]
        yield from (at, at + 2)
        for entry in range(at + 2, at + 2 + 12 * count, 12):
            yield from (entry, entry + 8, struct.unpack_from(order + "I", data, entry + 8)[0])
        at = struct.unpack_from(order + "I", data, at + 2 + 12 * count)[0]


def boxes(data: bytes, at: int = 0, end: int | None = None) -> Iterator[int]:
    end = len(data) if end is None else end
    while at + 8 <= end:
        length, kind = struct.unpack_from(">I4s", data, at)
        length = length if length >= 8 else end - at
        yield from (at, at + 4, at + 8)
        if kind in BOXES_OF_BOXES:
            yield from boxes(data, at + (12 if kind == b"meta" else 8), min(end, at + length))
        at += length


def ebml(data: bytes, at: int = 0, end: int | None = None) -> Iterator[int]:
    end = len(data) if end is None else end
    while at + 2 <= end:
        body, kind, length = _element(data, at)
        yield from (at, body)
        if kind in ELEMENTS_OF_ELEMENTS:
            yield from ebml(data, body, min(end, body + length))
        at = body + length


def zipped(data: bytes) -> Iterator[int]:
    for found in ZIP_RECORDS.finditer(data):
        yield from (found.start(), found.end(), found.start() + 30)


def _element(data: bytes, at: int) -> tuple[int, int, int]:
    """Where its body begins, its kind, its length; one of unknown length reaches to the end."""
    first = 9 - data[at].bit_length()
    sized = 9 - data[at + first].bit_length()
    kind = int.from_bytes(data[at : at + first], "big")
    length = int.from_bytes(data[at + first : at + first + sized], "big") & (1 << 7 * sized) - 1
    return at + first + sized, kind, min(length, len(data))


READERS = (
    ((0, b"\xff\xd8"), jpeg),
    ((0, b"\x89PNG"), png),
    ((0, b"GIF8"), gif),
    ((0, b"RIFF"), riff),
    ((0, b"II*\0"), tiff),
    ((0, b"MM\0*"), tiff),
    ((4, b"ftyp"), boxes),
    ((0, b"\x1aE\xdf\xa3"), ebml),
    ((0, b"PK"), zipped),
)
