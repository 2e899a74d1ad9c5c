"""A heatmap to a picture: the only file that knows a colormap."""

from __future__ import annotations

import numpy as np
from PIL import Image

from virtus.drawing.annotate import TONES, fit_display
from virtus.results import FaceCrop, Outcome

DEFAULT_OPACITY = 0.55
MAX_SIDE = 8192  # px of a photo with a map on it
# Logits a patch at which a signed map has its full colour, the same for every photo: the 99th percentile of |evidence|
# over 150 held-out crops with the bundled checkpoint (0.163).
SIGNED_FULL = 0.16


def overlay_crop(
    crop: FaceCrop, heatmap: np.ndarray, *, opacity: float = DEFAULT_OPACITY, signed: bool = False
) -> Image.Image:
    """The heatmap over the face crop.

    Args:
        heatmap: (grid_h, grid_w), raw. Colours run from its least to its greatest value, so they cannot be compared
            between maps; a map that is the same everywhere is drawn as all least.
        opacity: of the colours, 0 to 1.
        signed: the map is evidence in logits, drawn on the fixed scale of `legend_ends`: comparable between photos, and
            the less coloured the nearer to 0 (a quarter of the scale has half the colour).

    Returns:
        RGB, of the crop's size.
    """
    if signed:
        return _overlay_signed(crop.image, resize_heatmap(heatmap, crop.image.size), opacity)
    colours = Image.fromarray(colorize(resize_heatmap(normalize(heatmap), crop.image.size)))
    return Image.blend(crop.image, colours, opacity)


def overlay_photo(
    photo: Image.Image,
    crop: FaceCrop,
    heatmap: np.ndarray,
    *,
    opacity: float = DEFAULT_OPACITY,
    signed: bool = False,
) -> Image.Image:
    """The whole photo, with the heatmap projected back onto the face's place in it; scaled down to `MAX_SIDE`."""
    patch = overlay_crop(crop, heatmap, opacity=opacity, signed=signed).rotate(-90 * crop.quarter_turns, expand=True)
    result = fit_display(photo, side=MAX_SIDE)
    x0, y0, x1, y1 = (round(edge * result.width / photo.width) for edge in crop.box_xyxy)
    result.paste(patch if patch.size == (x1 - x0, y1 - y0) else patch.resize((x1 - x0, y1 - y0)), (x0, y0))
    return result


def legend_ends() -> tuple[tuple[float, str], tuple[float, str]]:
    """The ends of the scale of signed maps, real and fake: logits a patch, and "#rrggbb"; so looks what lies beyond."""
    return (-SIGNED_FULL, TONES[Outcome.REAL].colour), (SIGNED_FULL, TONES[Outcome.FAKE].colour)


def _overlay_signed(image: Image.Image, logits: np.ndarray, opacity: float) -> Image.Image:
    """Each pixel mixed with its end's colour by the root of its share of the scale: at 0 the photo itself.

    The root, because nine patches of ten have less than a tenth of the scale, and would not be seen.
    """
    real, fake = (Image.new("RGB", image.size, colour) for _, colour in legend_ends())
    ends = Image.composite(fake, real, Image.fromarray(logits > 0))
    share = np.sqrt(np.clip(np.abs(logits) / SIGNED_FULL, 0, 1)) * opacity
    return Image.composite(ends, image, Image.fromarray((share * 255).round().astype(np.uint8)))


def normalize(heatmap: np.ndarray) -> np.ndarray:
    """To [0, 1], float32, by least and greatest value; all 0 where these are the same."""
    low, high = float(heatmap.min()), float(heatmap.max())
    if not high > low:
        return np.zeros_like(heatmap, dtype=np.float32)
    return ((heatmap - low) / (high - low)).astype(np.float32)


def resize_heatmap(heatmap: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """From the patch grid to (height, width) of a picture whose `size` is (width, height); bilinear, no overshoot."""
    return np.asarray(Image.fromarray(heatmap, mode="F").resize(size, Image.Resampling.BILINEAR))


def colorize(heatmap: np.ndarray) -> np.ndarray:
    """Values in [0, 1] to RGB (H, W, 3), uint8, by Inferno: perceptually uniform, readable without colour vision."""
    import cv2

    grey = (np.clip(heatmap, 0, 1) * 255).round().astype(np.uint8)
    return cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[:, :, ::-1]
