"""Sound pixels with hostile tags: EXIF, ICC, XMP, and texts that Pillow keeps beside what it knows itself."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import encoded, photo
from tests.support.icc import rgb_profile, with_program
from tests.support.pictures import greedy_tags
from tests.support.provenance_files import xmp

FORMS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "avif": "AVIF", "heic": "HEIF"}
OWN_NAMES = (  # of what Pillow's readers, and ours, keep in the same place
    "jpeg_quality", "transparency", "exif", "icc_profile", "dpi", "duration", "gamma", "background", "loop", "mp",
    "photoshop", "xmp", "bbox", "default_image", "Raw profile type exif", "Raw profile type xmp", "parameters",
)  # fmt: skip
ENTRY = "<HHII"
MAX_JPEG_EXIF = 65_000


def metadata(rng: random.Random) -> Iterator[BadInput]:
    for suffix, form in FORMS.items():
        for name, tags in _hostile_exif(rng).items():
            yield BadInput(f"exif-{name}.{suffix}", _with_exif(form, tags[:MAX_JPEG_EXIF]), Expected.EITHER)
        for name, packet in _hostile_xmp().items():
            yield BadInput(f"xmp-{name}.{suffix}", _with_xmp(form, packet), Expected.READ)
    for form in ("PNG", "WEBP", "AVIF", "HEIF"):
        greedy = encoded(form, exif=b"Exif\0\0" + greedy_tags())
        yield BadInput(f"exif-greedy.{form.lower()}.png", greedy, Expected.REFUSED)
    for name, profile in _hostile_profiles(rng).items():
        for suffix in ("jpg", "png", "webp"):
            yield BadInput(f"icc-{name}.{suffix}", encoded(FORMS[suffix], icc_profile=profile), Expected.READ)
    for name in OWN_NAMES:
        yield BadInput(f"text-{name}.png", _with_text(name, "\x80 not what is expected"), Expected.EITHER)


def _with_exif(form: str, tags: bytes) -> bytes:
    """Put in place of harmless ones of the same length where the encoder looks at them."""
    if form != "AVIF":
        return encoded(form, exif=b"Exif\0\0" + tags)
    tags = tags.ljust(64, b"\0")
    harmless = (b"II*\0\x08\0\0\0" + bytes(6) + b"harmless").ljust(len(tags), b"\0")
    return encoded(form, exif=b"Exif\0\0" + harmless).replace(harmless, tags)


def _with_xmp(form: str, packet: bytes) -> bytes:
    if form == "PNG":
        return _with_text("XML:com.adobe.xmp", packet.decode("latin-1"))
    return encoded(form, xmp=packet if form != "JPEG" else packet[:60_000])


def _with_text(name: str, text: str) -> bytes:
    texts = PngInfo()
    texts.add_text(name, text)
    return encoded("PNG", pnginfo=texts)


def _directory(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    packed = b"".join(struct.pack(ENTRY, *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + packed + struct.pack("<I", following)


def _hostile_exif(rng: random.Random) -> dict[str, bytes]:
    orientation = (0x0112, 3, 1, 6)
    return {
        "empty": b"",
        "noise": rng.randbytes(2000),
        "no-directory": b"II*\0\xff\xff\xff\xff",
        "endless-big": b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1) + bytes(64),
        "itself": _directory(orientation, following=8),
        "itself-behind-pointer": _directory(orientation, (0x8769, 4, 1, 8), (0x8825, 4, 1, 8), (0xA005, 4, 1, 8)),
        "far-pointer": _directory(orientation, (0x8769, 4, 1, 2**32 - 1)),
        "long-values": _directory(orientation, *((tag, 2, 2**32 - 1, 8) for tag in (0x010E, 0x010F, 0x0110, 0x0131))),
        "more-tags-than-there-are": b"II*\0" + struct.pack("<IH", 8, 65_535) + struct.pack(ENTRY, *orientation),
        "unknown-kinds": _directory(*((0x0112, kind, 1, 6) for kind in (0, 14, 99, 65_535))),
        "no-turn": _directory((0x0112, 3, 1, 99)),
        "turn-of-text": _directory((0x0112, 2, 4, 0x41414141)),
        "turns": _directory((0x0112, 3, 1, 8), (0x0112, 3, 1, 3)),
        "divided-by-nothing": _directory((0x011A, 5, 1, 26), (0x0112, 3, 1, 6)) + bytes(8),
        "maker": _directory((0x927C, 7, 2**20, 8), orientation),
        "greedy": greedy_tags(block=2**14),
    }


def _hostile_xmp() -> dict[str, bytes]:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    packet = xmp("<xmp:CreatorTool>&e11;</xmp:CreatorTool>")
    return {
        "entities": f'<!DOCTYPE x [<!ENTITY e0 "ha">{entities}]>'.encode() + packet,
        "outside": b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + packet.replace(b"e11", b"e"),
        "nested": b"<a>" * 15_000,
        "attributes": b"<x " + b" ".join(b'a%d="b"' % n for n in range(4000)) + b"/>",
        "no-utf-8": b"\xff\xfe\x00<\xd8\x00" * 300,
        "turn": b'<x tiff:Orientation="9">' + b'tiff:Orientation="' * 1000,
        "nulls": bytes(1000),
    }


def _hostile_profiles(rng: random.Random) -> dict[str, bytes]:
    return {
        "noise": rng.randbytes(3000),
        "length": struct.pack(">I", 2**32 - 1) + b"lcms" + bytes(120) + b"acsp",
        "tags": bytes(128) + struct.pack(">I", 2**32 - 1) + bytes(100),
        "zeros": bytes(200_000),
        "program": with_program(rgb_profile(), 50_000),
        "packed": zlib.compress(bytes(100_000)),
        "picture": Image.Image.tobytes(photo())[:50_000],
    }
