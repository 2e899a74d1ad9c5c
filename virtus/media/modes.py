"""Any colour mode of Pillow's, and any array, to RGB of 8 bits, strip by strip."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from PIL import Image

from virtus.errors import ImageError
from virtus.media.color import ToSrgb

STRIP_PIXELS = 2**20  # colours are converted strip by strip, to take little memory
WITH_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")


def to_rgb(image: Image.Image, colors: ToSrgb | None = None, *, in_place: bool = False) -> Image.Image:
    """The picture itself if it is RGB and its colours are sRGB's. Else 16 bits and floats are scaled, colours brought
    to sRGB, and transparency is laid over white.

    Args:
        colors: how its colours become sRGB; None if they are, or nobody knows.
        in_place: whether a picture of RGB may be changed.
    """
    if is_rgb(image) and colors is None:
        return image
    full = _full(image) if _is_wide(image) else 0.0
    made = image if is_rgb(image) and in_place else Image.new("RGB", image.size)
    for box in strips(image.size):
        made.paste(_strip_to_rgb(image.crop(box), full, colors), box)
    return made


def is_rgb(image: Image.Image) -> bool:
    """Whether nothing but its colours may have to be converted."""
    return image.mode == "RGB" and "transparency" not in image.info


def from_array(array: np.ndarray) -> Image.Image:
    """An array of a kind that `load_image` takes.

    Raises:
        ImageError: if it is no picture.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise ImageError(f"An array of shape {array.shape} is no picture; give (H, W), (H, W, 3) or (H, W, 4).")
    return Image.fromarray(np.ascontiguousarray(_to_uint8(array)))


def strips(size: tuple[int, int]) -> Iterator[tuple[int, int, int, int]]:
    """Boxes of whole rows, of some `STRIP_PIXELS`, that a picture of this size is made of."""
    width, height = size
    rows = max(1, STRIP_PIXELS // width)
    return ((0, top, width, min(top + rows, height)) for top in range(0, height, rows))


def _strip_to_rgb(image: Image.Image, full: float, colors: ToSrgb | None) -> Image.Image:
    if _is_wide(image):
        image = from_array(np.clip(_finite(image) / full, 0, 1))
    alpha = None
    if image.mode in WITH_ALPHA or "transparency" in image.info:
        alpha = (image := _with_alpha(image)).getchannel("A")
        image = image.convert("L" if image.mode == "LA" else "RGB")
    if colors is not None:
        image = colors.apply(image.convert(colors.mode))
    image = image.convert("RGB")
    return image if alpha is None else Image.composite(image, Image.new("RGB", image.size, "white"), alpha)


def _with_alpha(image: Image.Image) -> Image.Image:
    if image.mode in ("La", "LA"):
        return image.convert("LA")
    return image.convert("RGBA")


def _is_wide(image: Image.Image) -> bool:
    return image.mode in ("I", "F") or image.mode.startswith("I;16")


def _full(image: Image.Image) -> float:
    """What is white. Files of 32 bits do not say it, but for PPM: the least of 1, 255, 65535 that covers all values."""
    if image.mode.startswith("I;16") or image.format == "PPM":
        return 65535.0
    highest = max(float(_finite(image.crop(box)).max()) for box in strips(image.size))
    return next((limit for limit in (1.0, 255.0) if highest <= limit), 65535.0)


def _finite(image: Image.Image) -> np.ndarray:
    """float32, with 0 for what is not a number, or infinite."""
    return np.nan_to_num(np.asarray(image).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)


def _to_uint8(array: np.ndarray) -> np.ndarray:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return (array / 257.0).round().astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise ImageError(f"An array of {array.dtype} is no picture; give uint8, uint16, or floats in [0, 1].")
    if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
        raise ImageError("An array of floats needs values in [0, 1]. Divide by 255, or give uint8.")
    return (array * 255).round().astype(np.uint8)
