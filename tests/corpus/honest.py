"""What cameras, phones and editors write, each with the pixels that must come of it: no guard may refuse any."""

from __future__ import annotations

import functools
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from tests.corpus.clips import whole_clips
from tests.corpus.whole import SIZE, encoded, photo
from tests.support.cameras import MAKERS, camera_exif
from tests.support.provenance_files import png_chunk, xmp
from virtus.media.images import register_formats

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
GAIN_MAP = 'xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/" hdrgm:Version="1.0"'
MOTION = 'xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" GCamera:MotionPhoto="1"'


@dataclass(frozen=True)
class HonestFile:
    """A file, and the plain one that has the same pixels."""

    data: bytes
    plain: bytes


@functools.cache
def honest_files() -> dict[str, HonestFile]:
    """Name with suffix to the file."""
    register_formats()
    jpeg, png, heic = encoded("JPEG"), encoded("PNG"), encoded("HEIF")
    deep = np.asarray(photo()).astype(np.uint16) * 257
    tags = camera_exif(MAKERS[0])
    clip = whole_clips()["mp4"]
    apart = {"append_images": [photo().rotate(90).resize((60, 72))], "save_all": True}
    grid = encoded("HEIF", tile_size=64)
    return {
        "ultra-hdr.jpg": HonestFile(_with_xmp(encoded("MPO", quality=75, **apart), GAIN_MAP), jpeg),
        "two-views.mpo": HonestFile(encoded("MPO", quality=75, exif=_exif(tags), **apart), jpeg),
        "motion-google.jpg": HonestFile(_with_xmp(jpeg, MOTION) + clip, jpeg),
        "motion-samsung.jpg": HonestFile(jpeg + _samsung_trailer(clip), jpeg),
        "thermal.jpg": HonestFile(_with_segments(jpeg, b"\xe3", 40 * [bytes(65_000)]), jpeg),
        "photoshop.jpg": HonestFile(_with_segments(jpeg, b"\xed", [b"Photoshop 3.0\0" + bytes(60_000)]), jpeg),
        "padded.jpg": HonestFile(jpeg + bytes(200_000), jpeg),
        "16-bits.png": HonestFile(_png(deep.astype(">u2").tobytes(), 6, 16), png),
        "interlaced.png": HonestFile(_interlaced_png(), png),
        "many-chunks.png": HonestFile(_small_chunks(png), png),
        "exif-behind.png": HonestFile(png[:-12] + png_chunk(b"eXIf", tags) + png[-12:], png),
        "long-texts.png": HonestFile(_with_long_texts(), png),
        "tiled.tif": HonestFile(_tiled_tiff(), png),
        "pyramid.tif": HonestFile(_tiled_tiff(levels=3), png),
        "one-row-a-strip.tif": HonestFile(encoded("TIFF", tiffinfo={278: 1}), png),
        "animated.webp": HonestFile(encoded("WEBP", lossless=True, exif=_exif(tags), **_frames()), png),
        "animated.avif": HonestFile(encoded("AVIF", exif=_exif(tags), **_frames()), encoded("AVIF", **_frames())),
        "grid.heic": HonestFile(encoded("HEIF", tile_size=64, exif=_exif(tags)), grid),
        "thumbnails.heic": HonestFile(encoded("HEIF", thumbnails=[64, 32], exif=_exif(tags)), heic),
        "several.heic": HonestFile(encoded("HEIF", **_frames()), heic),
        "depth.heic": HonestFile(_with_depth(), heic),
    }


def _exif(tags: bytes) -> bytes:
    return b"Exif\0\0" + tags


def _frames() -> dict:
    return {"save_all": True, "append_images": [photo().rotate(90).resize(SIZE), photo().rotate(180)]}


def _with_xmp(data: bytes, attributes: str) -> bytes:
    packet = xmp().replace(b'rdf:about=""', b'rdf:about="" ' + attributes.encode())
    return _with_segments(data, b"\xe1", [b"http://ns.adobe.com/xap/1.0/\0" + packet])


def _with_segments(data: bytes, marker: bytes, bodies: list[bytes]) -> bytes:
    return data[:2] + b"".join(b"\xff" + marker + struct.pack(">H", len(b) + 2) + b for b in bodies) + data[2:]


def _samsung_trailer(clip: bytes) -> bytes:
    """A block of a name and a clip, then the directory of the trailer, and how long that is."""
    block = b"\0\0\x30\x0a" + struct.pack("<I", 16) + b"MotionPhoto_Data" + clip
    head = b"SEFH" + struct.pack("<II", 107, 1) + b"\0\0\x30\x0a" + struct.pack("<II", len(block), len(block))
    return block + head + struct.pack("<I", len(head)) + b"SEFT"


def _png(pixels: bytes, per_pixel: int, depth: int, *, interlaced: bytes = b"") -> bytes:
    width, height = SIZE
    length = width * per_pixel
    rows = b"".join(b"\0" + pixels[at : at + length] for at in range(0, length * height, length))
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, bool(interlaced))
    packed = zlib.compress(interlaced or rows)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(kind, body) for kind, body in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
    )


def _interlaced_png() -> bytes:
    pixels = np.asarray(photo())
    passes = (pixels[top::down, left::right] for left, top, right, down in ADAM7)
    return _png(b"", 3, 8, interlaced=b"".join(b"\0" + row.tobytes() for part in passes for row in part))


def _small_chunks(png: bytes) -> bytes:
    """Its pixels in chunks of 16 bytes, as slow streams write them."""
    at = png.index(b"IDAT") + 4
    (length,) = struct.unpack_from(">I", png, at - 8)
    body = png[at : at + length]
    chunks = b"".join(png_chunk(b"IDAT", body[start : start + 16]) for start in range(0, length, 16))
    return png[: at - 8] + chunks + png[at + length + 4 :]


def _with_long_texts() -> bytes:
    """As ImageMagick keeps what an editor wrote in XMP and a printer's profile: packed, of more than 1 MiB each."""
    texts = PngInfo()
    texts.add_text("Raw profile type xmp", "\nxmp\n  900000\n" + "20" * 900_000, zip=True)
    return encoded("PNG", pnginfo=texts, icc_profile=SRGB + bytes(1_500_000))


def _tiled_tiff(side: int = 64, levels: int = 1) -> bytes:
    """RGB in deflated tiles; of a pyramid, each further page has half the side."""
    data, link = b"II*\0" + bytes(4), 4
    for level in range(levels):
        pixels = np.asarray(photo().resize((SIZE[0] >> level, SIZE[1] >> level)))
        height, width = pixels.shape[:2]
        across, down = -(-width // side), -(-height // side)
        padded = np.pad(pixels, ((0, down * side - height), (0, across * side - width), (0, 0)))
        tiles = padded.reshape(down, side, across, side, 3).swapaxes(1, 2).reshape(-1, side, side, 3)
        places, lengths = [], []
        for tile in tiles:
            packed = zlib.compress(tile.tobytes())
            places.append(len(data))
            lengths.append(len(packed))
            data += packed
        count = len(tiles)
        values = len(data)
        data += struct.pack(f"<3H{2 * count}I", 8, 8, 8, *places, *lengths)
        entries = [
            (254, 4, 1, int(level > 0)), (256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, values), (259, 3, 1, 8),
            (262, 3, 1, 2), (277, 3, 1, 3), (322, 4, 1, side), (323, 4, 1, side),
            (324, 4, count, values + 6 if count > 1 else places[0]),
            (325, 4, count, values + 6 + 4 * count if count > 1 else lengths[0]),
        ]  # fmt: skip
        data = data[:link] + struct.pack("<I", len(data)) + data[link + 4 :]
        directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
        link = len(data) + len(directory)
        data += directory + bytes(4)
    return data


def _with_depth() -> bytes:
    """A depth map is an auxiliary picture as transparency is, with another name of the same length."""
    picture = photo().convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(SIZE))
    data = encoded("HEIF", picture)
    assert b"auxid:1" in data
    return data.replace(b"auxid:1", b"auxid:2")
