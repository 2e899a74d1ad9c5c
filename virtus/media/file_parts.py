"""How many parts a picture's file has, looked at before a decoder goes through them one by one.

A part costs its file a few bytes and a decoder much more. A scan of a progressive JPEG, of 36 bytes, goes over all
pixels: 20 ms for 50 million. Each block of a GIF's comment makes Pillow copy all before it: 64 MiB take 46 minutes.
"""

from __future__ import annotations

import re
import struct

MAX_PARTS = 100_000  # segments, chunks, blocks, or bytes between them; a PNG of 64 MiB has some 8,000 chunks
MAX_SCANS = 200  # of a JPEG; programs write about 10
MAX_PROFILES = 8  # of a PNG, which may have one; Pillow unpacks each
MAX_COMMENT = 2**17  # bytes of a GIF's comments
MAX_HEAD = 4096  # bytes of a PNM before its pixels

MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # the next one after a scan: no stuffed 255, no restart
FILL, START_OF_SCAN, END_OF_IMAGE = 0xFF, 0xDA, 0xD9
WITHOUT_LENGTH = frozenset((0x00, 0x01, *range(0xD0, 0xDA)))
PNM = re.compile(rb"P[0-7yf]")
PNM_COMMENT = re.compile(rb"#[^\r\n]*")


def parts_fit(data: bytes) -> bool:
    """Whether the file has no more parts than a decoder may go through. Damaged files are left to the decoder."""
    fits = next((fits for start, fits in FITS.items() if data.startswith(start)), _pnm_fits)
    try:
        return fits(data)
    except (struct.error, IndexError):  # it ends within a part
        return True


def _jpeg_fits(data: bytes) -> bool:
    at, parts, scans = 2, 0, 0
    while parts <= MAX_PARTS and scans <= MAX_SCANS:
        start = data.find(b"\xff", at)
        parts += (start if start >= 0 else len(data)) - at + 1  # Pillow skips what stands between them byte by byte
        if start < 0:
            return parts <= MAX_PARTS
        marker = data[start + 1]
        if marker == END_OF_IMAGE and scans:
            return True
        if marker == FILL:
            at = start + 1
        elif marker in WITHOUT_LENGTH:
            at = start + 2
        else:
            at = start + 2 + max(2, struct.unpack_from(">H", data, start + 2)[0])
        if marker == START_OF_SCAN:
            scans += 1
            found = MARKER.search(data, at)
            at = found.start() if found else len(data)
    return False


def _png_fits(data: bytes) -> bool:
    at, profiles = 8, 0
    for _ in range(MAX_PARTS):
        length, kind = struct.unpack_from(">I4s", data, at)
        profiles += kind == b"iCCP"
        if profiles > MAX_PROFILES:
            return False
        at += 12 + length
    return False


def _gif_fits(data: bytes) -> bool:
    """Of what stands before the first picture."""
    at = 13 + (6 << (data[10] & 7) if data[10] & 128 else 0)
    commented, kind = 0, None
    for _ in range(MAX_PARTS):
        if kind is not None and data[at]:  # a block of an extension
            commented += data[at] if kind == 0xFE else 0
            at += 1 + data[at]
        elif data[at] == 0x21 and kind is None:
            kind, at = data[at + 1], at + 2
        elif data[at] == 0x2C and kind is None:
            return commented <= MAX_COMMENT
        else:  # the end of an extension, or what Pillow skips byte by byte
            kind, at = None, at + 1
    return False


def _pnm_fits(data: bytes) -> bool:
    """Pillow reads the head byte by byte; where the pixels are text, each comment costs a copy of 1 MiB."""
    if not PNM.match(data):
        return True
    if data[1:2] in (b"1", b"2", b"3"):
        return False
    words = PNM_COMMENT.sub(b"", data[:MAX_HEAD]).split()
    return len(data) <= MAX_HEAD or len(words) >= (3 if data[1:2] == b"4" else 4)


FITS = {b"\xff\xd8": _jpeg_fits, b"\x89PNG\r\n\x1a\n": _png_fits, b"GIF8": _gif_fits}
