"""The one reader of container formats: the parts of JPEG, PNG, WebP, GIF, HEIC, AVIF and TIFF files, undecoded.

Guards before decoding count what it yields, and the provenance panel reads it. All of it is lazy and copies nothing,
and it never raises for what is in a file: of one that is damaged or cut off come the parts before the damage.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice, takewhile
from typing import NamedTuple

PNG = b"\x89PNG\r\n\x1a\n"

SEGMENT = re.compile(rb"\xff([^\xff])", re.DOTALL)
AFTER_SCAN = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # the next segment: no stuffed 255, no restart
START_OF_SCAN, END_OF_IMAGE, SCAN = b"\xda", b"\xd9", b"scan"  # SCAN: the pixels of one, which have no marker
# The last of these say one, but no file has them, and Pillow looks at what follows the marker.
WITHOUT_LENGTH = frozenset(bytes((m,)) for m in (0x00, 0x01, *range(0xD0, 0xDA), 0xC8, *range(0xF0, 0xFE)))

EXIF, MULTI_PICTURE = b"Exif\0\0", b"MPF\0"  # how a segment of a JPEG begins that a TIFF structure follows

MAX_BEFORE_PIXELS = 1000  # chunks of a PNG that are looked through for its colours

GIF_BLOCK = re.compile(rb"[!,]")
GIF_COMMENT, GIF_PICTURE = b"\xfe", b","

TIFF_HEADERS = {b"II*\0": ("<", False), b"MM\0*": (">", False), b"II+\0": ("<", True), b"MM\0+": (">", True)}
"""The four bytes that a TIFF structure begins with, to its byte order and whether it is a BigTIFF."""
VALUE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
"""Bytes of one value of each kind (TIFF 6.0, section 2; 16 is BigTIFF's). Of other kinds: damaged, or no entry."""
EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD = 0x8769, 0x8825, 0xA005
MAX_DIRECTORIES = 4  # the first, and one of each that it may point to; Pillow reads no more


class Part(NamedTuple):
    """A part of a file: a segment, chunk, block or box.

    Attributes:
        kind: its marker, label or name; empty for the end of a file.
        at: where it begins, with its header.
        start, end: its content is `data[start:end]`; `end` is as claimed, and may lie beyond the file's.
    """

    kind: bytes
    at: int
    start: int
    end: int


class TiffEntry(NamedTuple):
    """An entry of a TIFF directory: `count` values of one kind (see `VALUE_SIZES`).

    Attributes:
        value: where the values lie, counted from the structure's start; or, of few bytes, they themselves.
    """

    tag: int
    kind: int
    count: int
    value: int

    @property
    def num_bytes(self) -> int:
        """Of all its values; 0 if it is of no kind that there is."""
        return VALUE_SIZES.get(self.kind, 0) * self.count


def mime_of(data: bytes) -> str:
    """The MIME type by the first bytes, empty if it is none of those that are read. A BigTIFF is none."""
    return next((mime for mime, (start, _) in FORMATS.items() if re.match(start, data, re.DOTALL)), "")


def parts_of(data: bytes) -> Iterator[Part]:
    """The parts of a file of any of these formats; none of another, nor of a TIFF: see `tiff_entries`."""
    mime = mime_of(data)
    return FORMATS[mime][1](data) if mime else iter(())


def jpeg_segments(data: bytes) -> Iterator[Part]:
    """The segments by their markers (ITU T.81, annex B), pixels as `SCAN`, and the file's end.

    Bytes between them that belong to none are passed over, as Pillow does.
    """
    at = 0
    while marker := SEGMENT.search(data, at):
        kind, start = marker[1], marker.end()
        if kind in WITHOUT_LENGTH:
            end = start
        elif start + 2 <= len(data):
            end, start = start + max(2, int.from_bytes(data[start : start + 2])), start + 2
        else:
            break
        yield Part(kind, marker.start(), start, end)
        at = end
        if kind == START_OF_SCAN:
            following = AFTER_SCAN.search(data, at)
            at = following.start() if following else len(data)
            yield Part(SCAN, end, end, at)
    yield Part(b"", len(data), len(data), len(data))


def jpeg_structures(data: bytes) -> tuple[bytes, bytes]:
    """The TIFF structures of a JPEG that Pillow reads: EXIF, put together from all its segments (Pillow's habit, for
    what is longer than one), and the last index of other pictures in the file (MPF). Empty where there is none."""
    exif, index = [], b""
    for part in takewhile(lambda part: part.kind != START_OF_SCAN, jpeg_segments(data)):
        body = data[part.start : part.end] if part.kind in (b"\xe1", b"\xe2") else b""
        if part.kind == b"\xe1" and body.startswith(EXIF):
            exif.append(body.removeprefix(EXIF))
        elif body.startswith(MULTI_PICTURE):
            index = body.removeprefix(MULTI_PICTURE)
    return b"".join(exif), index


def png_chunks(data: bytes) -> Iterator[Part]:
    """The chunks (ISO/IEC 15948, section 5.3), also those behind the end that one of them says."""
    return _chunks(data, len(PNG), ">I4s", behind=4)  # a check sum


def color_codes(data: bytes) -> tuple[int, int] | None:
    """Primaries and transfer function (ITU-T H.273) that a PNG (cICP) or AVIF (the first nclx) names, if it does."""
    mime, body = mime_of(data), b""
    if mime == "image/png":
        before = takewhile(lambda chunk: chunk.kind != b"IDAT", islice(png_chunks(data), MAX_BEFORE_PIXELS))
        body = next((data[chunk.start : chunk.end] for chunk in before if chunk.kind == b"cICP"), b"")
        codes = ">BB"
    elif mime == "image/avif":
        colors = (data[box.start : box.end] for box in _properties(data) if box.kind == b"colr")
        body = next((color[4:] for color in colors if color.startswith(b"nclx")), b"")
        codes = ">HH"
    if not body or len(body) < struct.calcsize(codes):
        return None
    primaries, transfer = struct.unpack_from(codes, body)
    return primaries, transfer


def _properties(data: bytes) -> Iterator[Part]:
    """Those of the pictures in a HEIC or AVIF (ISO/IEC 23008-12, section 9.3): the boxes in meta, iprp, ipco."""
    within = boxes(data)
    for kind, head in ((b"meta", 4), (b"iprp", 0), (b"ipco", 0)):
        outer = next((box for box in within if box.kind == kind), None)
        within = boxes(data, outer.start + head, outer.end) if outer else iter(())
    return within


def riff_chunks(data: bytes) -> Iterator[Part]:
    """The chunks of a WebP (RFC 9649), each padded to an even length."""
    return _chunks(data, 12, "<4sI", even=True)


def _chunks(data: bytes, at: int, head: str, *, behind: int = 0, even: bool = False) -> Iterator[Part]:
    while at + 8 <= len(data):
        first, second = struct.unpack_from(head, data, at)
        kind, length = (first, second) if isinstance(first, bytes) else (second, first)
        yield Part(kind, at, at + 8, at + 8 + length)
        at += 8 + length + behind + (length % 2 if even else 0)


def boxes(data: bytes, at: int = 0, stop: int | None = None) -> Iterator[Part]:
    """The boxes (ISO/IEC 14496-12, section 4.2) that stand side by side from `at` to `stop`: those at the file's top,
    or those within another."""
    stop = len(data) if stop is None else min(stop, len(data))
    while at + 8 <= stop:
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 16 if length == 1 else 8
        if at + head > stop:
            return
        length = struct.unpack_from(">Q", data, at + 8)[0] if length == 1 else length or stop - at
        yield Part(kind, at, at + head, min(at + length, stop))
        at += max(length, head)


def gif_blocks(data: bytes) -> Iterator[Part]:
    """What stands before the first picture (GIF89a, section 23): the head as `GIF`; of each extension its start as `!`,
    then its blocks by its label; the picture's start as `GIF_PICTURE`, or the file's end."""
    at = 13 + _gif_table(data[10:11])
    yield Part(b"GIF", 0, 0, at)
    while (block := GIF_BLOCK.search(data, at)) and block[0] != GIF_PICTURE:
        at = block.end() + 1
        yield Part(block[0], block.start(), at, at)
        while at < len(data) and data[at]:
            yield Part(data[block.end() : block.end() + 1], at, at + 1, at + 1 + data[at])
            at += 1 + data[at]
        at += 1
    end = block.start() if block else len(data)
    yield Part(block[0] if block else b"", end, end, end)


def count_gif_pictures(data: bytes, most: int) -> int:
    """The pictures of a GIF, at most so many; of one that is cut off, those that begin."""
    at, count = 13 + _gif_table(data[10:11]), 0
    while at < len(data) and count < most and data[at : at + 1] != b";":
        introduced = {GIF_PICTURE: 11 + _gif_table(data[at + 9 : at + 10]), b"!": 2}.get(data[at : at + 1])
        count += data[at : at + 1] == GIF_PICTURE
        at += introduced or 1
        while introduced and at < len(data) and data[at]:
            at += 1 + data[at]
        at += bool(introduced)
    return count


def _gif_table(flags: bytes) -> int:
    """Bytes of the colours that follow."""
    return 6 << (flags[0] & 7) if flags >= b"\x80" else 0


def gif_application(data: bytes, name: bytes) -> int | None:
    """Where the content of the application extension of this name begins, wherever in the file that may stand."""
    introduced = b"!\xff\x0b" + name
    at = data.find(introduced)
    return at + len(introduced) if at >= 0 else None


def tiff_entries(data: bytes, start: int = 0) -> Iterator[TiffEntry]:
    """The entries of the first directory of the TIFF structure at `start`, then of those that it points to: EXIF, the
    place, interoperability. Nothing comes where no such structure begins."""
    order, big = TIFF_HEADERS.get(data[start : start + 4], ("", False))
    first = data[start + 8 : start + 16] if big else data[start + 4 : start + 8]
    if not order or len(first) < (8 if big else 4):
        return
    directories = [*struct.unpack(order + ("Q" if big else "I"), first)]
    for at in directories:  # grows meanwhile
        for entry in _directory(data, start + at, order, big):
            yield entry
            if entry.tag in (EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD) and len(directories) < MAX_DIRECTORIES:
                directories.append(entry.value)


def _directory(data: bytes, at: int, order: str, big: bool) -> Iterator[TiffEntry]:
    number, entry = (order + "Q", order + "HHQQ") if big else (order + "H", order + "HHII")
    size, at_entries = struct.calcsize(entry), at + struct.calcsize(number)
    if at_entries > len(data):  # far more, and `unpack_from` raises what no other place does
        return
    (count,) = struct.unpack_from(number, data, at)
    end = at_entries + size * min(count, (len(data) - at_entries) // size)
    yield from map(TiffEntry._make, struct.iter_unpack(entry, memoryview(data)[at_entries:end]))


def bare_exif(exif: bytes) -> bytes:
    """The TIFF structure in what a decoder hands out as EXIF, with or without its name before it."""
    while exif.startswith(EXIF):
        exif = exif[len(EXIF) :]
    return exif


def tiff_value(data: bytes, entry: TiffEntry, max_bytes: int) -> bytes:
    """The raw values of an entry of the structure that `data` begins with, cut to `max_bytes`."""
    order, big = TIFF_HEADERS[data[:4]]
    inline = struct.pack(order + ("Q" if big else "I"), entry.value)
    num_bytes = min(entry.num_bytes, max_bytes)
    return inline[:num_bytes] if entry.num_bytes <= len(inline) else data[entry.value : entry.value + num_bytes]


FORMATS: dict[str, tuple[bytes, Callable[[bytes], Iterator[Part]]]] = {
    "image/jpeg": (rb"\xff\xd8\xff", jpeg_segments),
    "image/png": (rb"\x89PNG\r\n\x1a\n", png_chunks),
    "image/webp": (rb"RIFF....WEBP", riff_chunks),
    "image/tiff": (rb"II\*\0|MM\0\*", lambda _: iter(())),
    "image/gif": (rb"GIF8[79]a", gif_blocks),
    "image/avif": (rb"....ftypavi[fs]", boxes),
    "image/heic": (rb"....ftyp", boxes),
}
"""By MIME type, how a file begins and what reads its parts."""
