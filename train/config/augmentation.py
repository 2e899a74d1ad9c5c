"""What happens to a training picture: the settings, and the doing."""

from __future__ import annotations

import io
import math
import random
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from virtus.errors import DataError
from virtus.judging import blur, jpeg, mirror, noise

FILTERS = (Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BOX)


@dataclass(frozen=True)
class Augmentation:
    """What happens to a training picture, each by its own chance in [0, 1].

    Attributes:
        margin: the crop's margin is drawn from this range, for both classes alike: tight pictures cannot give the full
            one, and a reached margin that differs between the classes would tell them apart.
        shift: the crop's place is moved by up to this share of its side.
        area: a part of the crop of this share of its area, and of up to 4 : 3, is taken (torchvision's
            RandomResizedCrop); (1, 1) takes it whole.
        rotation: turned by up to this many degrees to either side, black beside it (torchvision's RandomRotation).
        sharpness: factor of PIL's sharpness, 1 for as it is (torchvision's RandomAdjustSharpness).
        grey_chance: without colours.
        smooth_chance: an edge-preserving filter, as beauty filters have; `smooth` is its range of grey levels (of 255)
            that it evens out.
        jpeg_quality, scale: ranges drawn from; scale is by that factor and back again (above 1 as a screenshot of an
            enlarged picture is), by a filter that is drawn too.
        webp_share: of what is compressed, saved as WebP. `again_chance`: compressed once more, by another quality.
        blur, noise: ranges of the standard deviation, in pixels of the crop and in grey levels (of 255).
        colour: brightness, contrast and saturation change by up to this share.
    """

    margin: tuple[float, float] = (1.0, 1.3)
    shift: float = 0.04
    area: tuple[float, float] = (1.0, 1.0)
    rotation: float = 0.0
    mirror_chance: float = 0.5
    sharpness_chance: float = 0.0
    sharpness: float = 2.0
    colour_chance: float = 0.3
    colour: float = 0.2
    grey_chance: float = 0.0
    smooth_chance: float = 0.0
    smooth: tuple[float, float] = (10.0, 50.0)
    scale_chance: float = 0.3
    scale: tuple[float, float] = (0.4, 1.0)
    blur_chance: float = 0.0
    blur: tuple[float, float] = (0.3, 1.5)
    noise_chance: float = 0.0
    noise: tuple[float, float] = (1.0, 8.0)
    jpeg_chance: float = 0.5
    jpeg_quality: tuple[int, int] = (40, 95)
    webp_share: float = 0.0
    again_chance: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if name.endswith(("_chance", "_share")) and not 0 <= value <= 1:
                raise DataError(f"{name} is a chance, between 0 and 1, not {value}.")
            if isinstance(value, tuple) and not _is_range(value):
                raise DataError(f"{name} is a range of numbers from 0 on, the smaller first, not {list(value)}.")
        if not all(isinstance(end, int) and 1 <= end <= 100 for end in self.jpeg_quality):
            raise DataError(f"jpeg_quality is a range of whole numbers from 1 to 100, not {list(self.jpeg_quality)}.")


def _is_range(ends: tuple) -> bool:
    are_numbers = all(isinstance(end, (int, float)) and not isinstance(end, bool) for end in ends)
    return are_numbers and 0 <= ends[0] <= ends[1] < math.inf


# What an ordinary photo meets: without these a little grain was unlike anything in training for half of the pictures.
ORDINARY = Augmentation(
    colour=0.4,
    scale=(0.3, 1.0),
    blur_chance=0.3,
    blur=(0.3, 2.0),
    noise_chance=0.3,
    noise=(1.0, 12.0),
    jpeg_quality=(25, 95),
)
GREY_CHANCE = 0.15


def degrade_ordinarily(photo: Image.Image, draw: random.Random) -> Image.Image:
    """A photo as it might have come to us: grey now and then, recoloured, scaled, blurred, with noise, as JPEG."""
    photo = ImageOps.grayscale(photo).convert("RGB") if draw.random() < GREY_CHANCE else photo
    return degrade(photo, ORDINARY, draw)


def augment(image: Image.Image, augmentation: Augmentation, draw: random.Random, *, clean: bool = False) -> Image.Image:
    """Moved, then, unless it is to stay clean, degraded: in the order in which a photo meets it."""
    moved = _move(image, augmentation, draw)
    return moved if clean else degrade(moved, augmentation, draw)


def degrade(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    """Sharpness, colour, smoothing, scale, blur, noise and compression, each by its own chance."""
    if draw.random() < augmentation.sharpness_chance:
        image = ImageEnhance.Sharpness(image).enhance(augmentation.sharpness)
    image = _smooth(_recolour(image, augmentation, draw), augmentation, draw)
    if draw.random() < augmentation.scale_chance:
        image = _rescale(image, draw.uniform(*augmentation.scale), draw)
    if draw.random() < augmentation.blur_chance:
        image = blur(image, draw.uniform(*augmentation.blur))
    if draw.random() < augmentation.noise_chance:
        image = noise(image, draw.uniform(*augmentation.noise), seed=draw.getrandbits(32))
    if draw.random() < augmentation.jpeg_chance:
        image = _compress(image, augmentation, draw)
    if draw.random() < augmentation.again_chance:
        image = _compress(image, augmentation, draw)
    return image


def _recolour(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    if draw.random() < augmentation.colour_chance:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + draw.uniform(-augmentation.colour, augmentation.colour))
    return ImageOps.grayscale(image).convert("RGB") if draw.random() < augmentation.grey_chance else image


def _smooth(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    """The bilateral filter (Tomasi and Manduchi 1998)."""
    if draw.random() >= augmentation.smooth_chance:
        return image
    import cv2  # the recipes are printed without it

    reach = max(image.size) / 100  # pixels: pores go, features stay
    return Image.fromarray(cv2.bilateralFilter(np.asarray(image), 0, draw.uniform(*augmentation.smooth), reach))


def _rescale(image: Image.Image, factor: float, draw: random.Random) -> Image.Image:
    size = [max(1, round(side * factor)) for side in image.size]
    return image.resize(size, draw.choice(FILTERS)).resize(image.size, draw.choice(FILTERS))


def _compress(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    quality = draw.randint(*augmentation.jpeg_quality)
    return (webp if draw.random() < augmentation.webp_share else jpeg)(image, quality)


def webp(image: Image.Image, quality: int) -> Image.Image:
    """Saved as lossy WebP of `quality` (1 to 95) and read again."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=2)
    return Image.open(buffer).convert("RGB")


def _move(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    if draw.random() < augmentation.mirror_chance:
        image = mirror(image)
    if augmentation.rotation:
        image = image.rotate(draw.uniform(-augmentation.rotation, augmentation.rotation))
    return image if augmentation.area == (1.0, 1.0) else _part(image, augmentation.area, draw)


def _part(image: Image.Image, area: tuple[float, float], draw: random.Random) -> Image.Image:
    """A part of the picture at random, of a side ratio from 3 : 4 to 4 : 3."""
    share, ratio = draw.uniform(*area), draw.uniform(3 / 4, 4 / 3)
    width = min(image.width, max(1, round((share * image.width * image.height * ratio) ** 0.5)))
    height = min(image.height, max(1, round((share * image.width * image.height / ratio) ** 0.5)))
    left, top = draw.randint(0, image.width - width), draw.randint(0, image.height - height)
    return image.crop((left, top, left + width, top + height))
