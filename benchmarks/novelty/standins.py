"""Stand-ins for what is no photo of a face: drawings and paintings made from photos, and faces drawn from nothing."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageOps


def pencil(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.pencilSketch(np.asarray(photo), sigma_s=60, sigma_r=0.07, shade_factor=0.05)[0]).convert(
        "RGB"
    )


def coloured_pencil(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.pencilSketch(np.asarray(photo), sigma_s=60, sigma_r=0.07, shade_factor=0.05)[1])


def stylised(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.stylization(np.asarray(photo), sigma_s=60, sigma_r=0.45))


def cartoon(photo: Image.Image) -> Image.Image:
    """Smooth areas of few colours with black outlines."""
    pixels = np.asarray(photo)
    smooth = cv2.edgePreservingFilter(pixels, flags=1, sigma_s=60, sigma_r=0.4)
    grey = cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 5)
    return Image.fromarray(np.where(lines[..., None] > 0, smooth // 40 * 40 + 20, 0).astype(np.uint8))


def oil(photo: Image.Image) -> Image.Image:
    """Each pixel takes the mean colour of the most frequent of 8 brightnesses around it, as an oil filter does."""
    pixels = np.asarray(photo).astype(np.float32)
    levels = (pixels.mean(2) * 8 / 256).astype(int)
    counts = np.stack([cv2.blur((levels == level).astype(np.float32), (9, 9)) for level in range(8)])
    sums = np.stack([cv2.blur(pixels * (levels == level)[..., None], (9, 9)) for level in range(8)])
    best = counts.argmax(0)[None]
    mean = np.take_along_axis(sums, best[..., None], 0)[0] / np.take_along_axis(counts, best, 0)[0][..., None]
    return Image.fromarray(mean.clip(0, 255).astype(np.uint8))


def posterised(photo: Image.Image) -> Image.Image:
    return ImageOps.posterize(photo, 2)


def line_art(photo: Image.Image) -> Image.Image:
    """Grey lines on white where a blurred copy is brighter."""
    grey = cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2GRAY)
    dodge = cv2.divide(grey, cv2.GaussianBlur(grey, (0, 0), 4), scale=256)
    return Image.fromarray(dodge).convert("RGB")


def edges(photo: Image.Image) -> Image.Image:
    """Black lines on white."""
    return Image.fromarray(255 - cv2.Canny(np.asarray(photo), 60, 140)).convert("RGB")


STAND_INS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "pencil sketch": pencil,
    "coloured pencil": coloured_pencil,
    "watercolour": stylised,
    "cartoon": cartoon,
    "oil painting": oil,
    "four tones a channel": posterised,
    "line art": line_art,
    "edges only": edges,
}


def drawn_face(seed: int, side: int = 256) -> Image.Image:
    """A flat face as a child or a drawing program makes it: ellipses for head, hair and eyes, lines for the rest."""
    draw_from = np.random.default_rng(seed)
    background, hair, skin, iris, lips = (tuple(int(v) for v in draw_from.integers(0, 256, 3)) for _ in range(5))
    image = Image.new("RGB", (side, side), background)
    draw, unit = ImageDraw.Draw(image), side / 16
    wide, at = draw_from.uniform(3.8, 5.2), draw_from.uniform(1.4, 2.2)
    _ellipse(draw, 8, 7, wide + 0.8, 6.2, unit, hair)
    _ellipse(draw, 8, 8.5, wide, 6, unit, skin)
    for side_of in (-1, 1):
        _ellipse(draw, 8 + side_of * at, 7.5, 0.9, 0.6, unit, (255, 255, 255))
        _ellipse(draw, 8 + side_of * at, 7.5, 0.45, 0.45, unit, iris)
        draw.line(
            [(unit * (8 + side_of * at - 0.9), unit * 6.2), (unit * (8 + side_of * at + 0.9), unit * 6.2)], hair, 4
        )
    draw.line([(unit * 8, unit * 8), (unit * 7.4, unit * 10), (unit * 8, unit * 10.2)], (60, 30, 20), 3)
    draw.chord([unit * 6.3, unit * 10.5, unit * 9.7, unit * 12.5], 0, 180, lips)
    return image


def noise_picture(seed: int, side: int = 256) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def _ellipse(draw: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, unit: float, fill: tuple) -> None:
    draw.ellipse([unit * (x - wide), unit * (y - high), unit * (x + wide), unit * (y + high)], fill)
