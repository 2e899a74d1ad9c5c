"""Pictures that claim to be of no size, or of a size that nobody can hold."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import whole_files
from tests.support.provenance_files import png_chunk

NONE_AT_ALL = ((0, 0), (0, 100), (100, 0))
TOO_SMALL = ((1, 1), (31, 100), (100, 31))
FAR_TOO_LARGE = ((60_000, 60_000), (65_535, 65_535), (32, 2**31 - 1), (2**31 - 1, 2**31 - 1), (2**32 - 1, 2**32 - 1))
CLAIMED = (*NONE_AT_ALL, *TOO_SMALL, *FAR_TOO_LARGE)


def dimensions(_rng: random.Random) -> Iterator[BadInput]:
    for width, height in CLAIMED:
        for suffix, claim in CLAIMS.items():
            data = claim(whole_files()[f"plain.{suffix}"], width, height)
            if data is not None:
                yield BadInput(f"{width}x{height}.{suffix}", data, Expected.REFUSED)


def _png(data: bytes, width: int, height: int) -> bytes:
    return data[:8] + png_chunk(b"IHDR", struct.pack(">II", width, height) + data[24:29]) + data[33:]


def _gif(data: bytes, width: int, height: int) -> bytes | None:
    """The screen, and its picture: what is larger of both counts."""
    if max(width, height) > 65_535:
        return None
    at = 13 + (6 << (data[10] & 7) if data[10] & 128 else 0)
    while data[at] != 0x2C:
        at += 1
    size = struct.pack("<HH", width, height)
    return data[:6] + size + data[10 : at + 5] + size + data[at + 9 :]


def _jpeg(data: bytes, width: int, height: int) -> bytes | None:
    at = data.index(b"\xff\xc0")
    return None if max(width, height) > 65_535 else data[: at + 5] + struct.pack(">HH", height, width) + data[at + 9 :]


def _bmp(data: bytes, width: int, height: int) -> bytes:
    return data[:18] + struct.pack("<II", width, height) + data[26:]


def _ppm(data: bytes, width: int, height: int) -> bytes:
    return b"P6\n%d %d\n255\n" % (width, height) + data[15:]


def _webp(_data: bytes, width: int, height: int) -> bytes | None:
    """A canvas of this size, with no picture on it."""
    if not 0 < min(width, height) <= max(width, height) <= 2**24:
        return None
    size = struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    return b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + size


def _tiff(data: bytes, width: int, height: int) -> bytes:
    made, at = bytearray(data), struct.unpack_from("<I", data, 4)[0]
    for entry in range(at + 2, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], 12):
        tag = struct.unpack_from("<H", data, entry)[0]
        if tag in (256, 257):
            made[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, width if tag == 256 else height)
    return bytes(made)


CLAIMS = {"png": _png, "gif": _gif, "jpg": _jpeg, "bmp": _bmp, "ppm": _ppm, "webp": _webp, "tif": _tiff}
