"""Harmless changes that a photo meets on its way through the net: for training now, for stability later."""

from __future__ import annotations

import io

from PIL import Image


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    """Saved as JPEG of `quality` (1 to 95) and read again."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    buffer.seek(0)
    return Image.open(buffer).convert("RGB")


def rescale(image: Image.Image, factor: float) -> Image.Image:
    """Scaled by `factor` (in (0, 1]) and back to its size."""
    small = image.resize([max(1, round(side * factor)) for side in image.size], Image.Resampling.BILINEAR)
    return small.resize(image.size, Image.Resampling.BICUBIC)


def mirror(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
