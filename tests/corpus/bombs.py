"""Small files that unpack to much, or keep a decoder busy for long; and large pictures, just within the limits."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from tests.corpus.heic import laid_out
from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import encoded, whole_files
from tests.support.provenance_files import png_chunk

SIDE = 12_000
BEHIND_HEADER = 33  # of a PNG: where more chunks may stand


def bombs(_rng: random.Random) -> Iterator[BadInput]:
    made = {
        "pixels.png": _png_of_pixels(),
        "pixels.gif": _gif_of_pixels(),
        "pixels.tif": encoded("TIFF", Image.new("1", (SIDE, SIDE)), compression="tiff_adobe_deflate"),
        "packed-text.png": _png_with(b"zTXt", b"note\0\0" + _packed(64)),
        "international-text.png": _png_with(b"iTXt", b"note\0\1\0\0\0" + _packed(64)),
        "many-texts.png": _png_with(b"zTXt", b"note\0\0" + zlib.compress(bytes(2**20 - 100)), times=100),
        "many-profiles.png": _png_with(b"iCCP", b"icc\0\0" + zlib.compress(bytes(2**20 - 1)), times=200),
        "many-chunks.png": _png_with(b"vpAg", b"", times=120_000),
        "comment.gif": _gif_with_comment(2**20),
        "blocks.gif": _behind_colours(b"!\xff" + b"\1a" * 120_000 + b"\0"),
        "between-blocks.gif": _behind_colours(b"a" * 120_000),
        "tiles.heic": laid_out(1000, 2048),
        "layers.heic": laid_out(1000, 2048, kind=b"iovl"),
        "scans.jpg": many_scans(300),
        "segments.jpg": _behind_start(b"\xff\xfe\0\2" * 120_000),
        "fill.jpg": _behind_start(b"\xff" * 120_000),
        "starts.jpg": _behind_start(b"\xff\xd8" * 120_000),
        "between-segments.jpg": _behind_start(b"a" * 120_000),
        "tiles.tif": many_tiles(1024),
        "strips.tif": _many_strips(320_000),
        "directories.tif": endless_directories(90, 2**20),
        "text.pbm.ppm": b"P1 64 64\n" + b"#\n" * 2**19 + b"1 " * 4096,
        "head.ppm": b"P6 64 #" + bytes(2**20) + b"\n64 255\n" + bytes(64 * 64 * 3),
        "odd-depth.ppm": b"P6 2001 2000 254\n" + bytes(2001 * 2000 * 3),
        "run-length.bmp": run_length_bmp(2500),
    }
    yield from (BadInput(name, data, Expected.REFUSED) for name, data in made.items())
    yield BadInput("profiles.png", _png_with(b"iCCP", b"icc\0\0" + _packed(64)), Expected.EITHER)


def heavy_pictures(_rng: random.Random) -> Iterator[BadInput]:
    side, noise = 7000, np.random.default_rng(0).integers(0, 256, (750, 1000, 3), dtype=np.uint8)
    photo = Image.fromarray(noise).resize((8000, 6000))
    turned = Image.Exif()
    turned[0x0112] = 6
    made = {
        "8000x6000.jpg": encoded("JPEG", photo, quality=90),
        "8000x6000-progressive.jpg": encoded("JPEG", photo, quality=90, progressive=True, exif=turned.tobytes()),
        "alpha.png": encoded("PNG", Image.new("RGBA", (side, side))),
        "16-bits.png": encoded("PNG", Image.new("I;16", (side, side), 300)),
        "floats.tif": encoded("TIFF", Image.new("F", (side, side), 0.5), compression="tiff_adobe_deflate"),
        "inks.jpg": encoded("JPEG", Image.new("CMYK", (side, side))),
        "colours.gif": encoded("GIF", Image.new("P", (side, side))),
        "alpha.webp": encoded("WEBP", Image.new("RGBA", (side, side))),
        "plain.avif": encoded("AVIF", Image.new("RGB", (side, side))),
        "plain.heic": encoded("HEIF", Image.new("RGB", (side, side))),
        "wide.png": encoded("PNG", Image.new("RGB", (1_500_000, 33))),
        "high.png": encoded("PNG", Image.new("RGB", (33, 1_500_000))),
    }
    yield from (BadInput(name, data, Expected.READ) for name, data in made.items())


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    data = encoded("JPEG", Image.new("RGB", (2000, 2000), "grey"), progressive=True)
    end = len(data) - 2
    last = data.rindex(b"\xff\xda")
    return data[:end] + data[last:end] * count + data[end:]


def many_tiles(side: int) -> bytes:
    """A TIFF of one pixel a tile, all of them the same byte."""
    return _tiff({256: side, 257: side, 322: 1, 323: 1}, {324: side * side, 325: side * side})


def endless_directories(number: int, size: int) -> bytes:
    """So many headers of BigTIFF that name one directory, to which all bytes that follow belong."""
    heads = (b"II+\0\x08\0\0\0" + struct.pack("<Q", 16 * (number - at)) for at in range(number))
    return b"".join(heads) + struct.pack("<Q", 2**40) + bytes(size)


def _many_strips(height: int) -> bytes:
    return _tiff({256: 32, 257: height, 278: 1}, {273: height, 279: height})


def _tiff(values: dict[int, int], places: dict[int, int]) -> bytes:
    """Grey, of one byte; `places` are tags of so many numbers, all 8."""
    tags = {258: 8, 259: 1, 262: 1, 277: 1} | values | places
    shared = 8 + 2 + 12 * len(tags) + 4
    entries = [(tag, 4, places.get(tag, 1), shared if tag in places else value) for tag, value in sorted(tags.items())]
    head = b"II*\0" + struct.pack("<IH", 8, len(tags)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return head + bytes(4) + struct.pack("<I", 8) * max(places.values())


def run_length_bmp(side: int) -> bytes:
    """Each run of one pixel."""
    body = (b"\1\x80" * side + b"\0\0") * side + b"\0\1"
    start = 14 + 40 + 1024
    head = struct.pack(
        "<IHHIIiiHHIIiiII", start + len(body), 0, 0, start, 40, side, side, 1, 8, 1, len(body), 0, 0, 256, 0
    )
    return b"BM" + head + bytes(1024) + body


def _png_of_pixels() -> bytes:
    packer, rows = zlib.compressobj(9), bytes(SIDE // 8 + 1) * 1000
    packed = b"".join(packer.compress(rows) for _ in range(SIDE // 1000)) + packer.flush()
    head = png_chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_chunk(b"IDAT", packed) + png_chunk(b"IEND", b"")


def _gif_of_pixels() -> bytes:
    return encoded("GIF", Image.new("P", (SIDE, SIDE // 2)))


def _packed(mebibytes: int) -> bytes:
    packer, block = zlib.compressobj(9), bytes(2**20)
    return b"".join(packer.compress(block) for _ in range(mebibytes)) + packer.flush()


def _png_with(kind: bytes, body: bytes, *, times: int = 1) -> bytes:
    data = whole_files()["plain.png"]
    return data[:BEHIND_HEADER] + png_chunk(kind, body) * times + data[BEHIND_HEADER:]


def _gif_with_comment(size: int) -> bytes:
    return _behind_colours(b"!\xfe" + (b"\xff" + b"a" * 255) * (size // 255) + b"\0")


def _behind_colours(inserted: bytes) -> bytes:
    data = whole_files()["plain.gif"]
    at = 13 + (6 << (data[10] & 7))
    return data[:at] + inserted + data[at:]


def _behind_start(inserted: bytes) -> bytes:
    data = whole_files()["plain.jpg"]
    return data[:2] + inserted + data[2:]
