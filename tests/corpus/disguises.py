"""Names that say one thing, and contents that are another."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.corpus.inputs import BadInput, Expected
from tests.corpus.whole import whole_files

NO_PICTURES = {
    "empty": b"",
    "zeros": bytes(5000),
    "ones": b"\xff" * 5000,
    "text": b"Not a picture.\n" * 50,
    "page": b"<!DOCTYPE html><img src=http://127.0.0.1/a.png>",
    "drawing": b'<svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>',
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n(id) run\n",
    "document": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "program": b"\x7fELF\2\1\1" + bytes(500),
    "icon": b"\0\0\1\0\1\0\x20\x20\0\0\1\0\x20\0\x30\0\0\0\x16\0\0\0" + bytes(100),
    "layers": b"8BPS\0\1" + bytes(100),
    "packed": b"\x1f\x8b\x08" + bytes(100),
    "pickle": b"\x80\x04cposix\nsystem\n.",
    "plain text picture": b"P3 40 40 255\n" + b"1 2 3 " * 1600,
    "playlist": b"#EXTM3U\nfile:///etc/passwd\n",
    "riff of sound": b"RIFF\x24\0\0\0WAVEfmt " + bytes(30),
}
SUFFIXES = ("jpg", "png", "webp", "gif", "tif", "bmp", "heic", "avif")


def disguises(rng: random.Random) -> Iterator[BadInput]:
    for name, data in whole_files().items():
        for suffix in rng.sample(SUFFIXES, 3):
            yield BadInput(f"{name}.{suffix}", data, Expected.READ)  # what is in the file counts
    for name, data in NO_PICTURES.items():
        for suffix in rng.sample(SUFFIXES, 3):
            yield BadInput(f"{name}.{suffix}", data, Expected.REFUSED)
    for name, data in whole_files().items():
        yield BadInput(f"behind-text-{name}", b"text" + data, Expected.REFUSED)
