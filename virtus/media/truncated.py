"""JPEGs that are cut off near their end: the rows that are whole, and how many those are."""

from __future__ import annotations

import contextlib
from bisect import bisect_left

import numpy as np
from PIL import Image

READABLE = "readable_share"  # in a loaded picture's `info`: of its rows, those that were there
MIN_READABLE = 2 / 3


def load_rows(image: Image.Image) -> Image.Image:
    """Decode a picture that was opened; of a JPEG that is cut off, give the rows that are whole, from the top.

    A progressive one has all rows, blurred, until its last bytes. It is refused: what was lost is what tells a
    generator's traces, and how much that is cannot be known.

    Raises:
        OSError: from Pillow; also if fewer than `MIN_READABLE` of the rows are whole.
    """
    try:
        image.load()
    except OSError:
        num_rows = _count_rows(image) if image.format in ("JPEG", "MPO") else 0
        if num_rows < MIN_READABLE * image.height:
            raise
        return image._new(image.im).crop((0, 0, image.width, num_rows))
    return image


def _count_rows(image: Image.Image) -> int:
    """Decode once more, over noise: libjpeg waits for what is missing, and writes no row that it does not know. The
    rows in which the noise still stands are those that it never wrote."""
    noise = np.random.default_rng(0).integers(0, 256, image.width * len(image.getbands()), np.uint8).tobytes()
    row = Image.frombytes(image.mode, (image.width, 1), noise)
    pixels = image._new(image.im)
    for y in range(image.height):
        pixels.paste(row, (0, y))
    with contextlib.suppress(OSError):
        image.load()
    return bisect_left(
        range(image.height), True, key=lambda y: pixels.crop((0, y, image.width, y + 1)).tobytes() == noise
    )
