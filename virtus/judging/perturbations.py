"""Harmless changes that a photo meets on its way through the net: for training now, for stability later."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter


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


def blur(image: Image.Image, sigma: float) -> Image.Image:
    """Gaussian, of `sigma` pixels."""
    return image.filter(ImageFilter.GaussianBlur(sigma))


def noise(image: Image.Image, sigma: float, *, seed: int) -> Image.Image:
    """Gaussian, of standard deviation `sigma` (of 255), drawn anew for each pixel and channel."""
    pixels = np.asarray(image.convert("RGB"), np.float32)
    drawn = np.random.default_rng(seed).standard_normal(pixels.shape, np.float32)
    return Image.fromarray((pixels + sigma * drawn).round().clip(0, 255).astype(np.uint8))


def brightness(image: Image.Image, factor: float) -> Image.Image:
    """Every pixel times `factor` (1 changes nothing), clipped to white."""
    return ImageEnhance.Brightness(image).enhance(factor)


def mirror(image: Image.Image) -> Image.Image:
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
