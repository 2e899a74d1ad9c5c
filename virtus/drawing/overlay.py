"""A heatmap to a picture: a coloured layer that lets the photo through where the map is low, and its outline.

The only file that knows colours of maps. A page lays the layer over the photo itself; files get both in one picture.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from virtus.drawing.annotate import TONES, fit_display
from virtus.results import FaceCrop, Outcome

DEFAULT_OPACITY = 0.5
MAX_SIDE = 8192  # px of a photo with a map on it
COLOUR = "#ff0096"  # far from every skin, hair and lip, and from both ends of the scale of signed maps
TOP_SHARE = 0.2  # of the patches: those that `trace_top` goes around
TRACED_SIDE = 16  # px a patch, on which outlines are found
# Logits a patch at which a signed map has its full colour, the same for every photo: the 99th percentile of |evidence|
# over 150 held-out crops with the bundled checkpoint (0.163).
SIGNED_FULL = 0.16

Outline = list[tuple[float, float]]
"""A closed line: (x, y) as shares of width and height."""


def overlay_crop(
    crop: FaceCrop,
    heatmap: np.ndarray,
    *,
    opacity: float = DEFAULT_OPACITY,
    signed: bool = False,
    contours: bool = False,
) -> Image.Image:
    """The heatmap over the face crop.

    Args:
        heatmap: (grid_h, grid_w), raw.
        opacity: of the layer, 0 to 1: see `layer_strength`.
        signed: the map is evidence in logits: see `draw_layer`.
        contours: whether the highest fifth of the patches is outlined.

    Returns:
        RGB, of the crop's size.
    """
    layer = draw_layer(heatmap, crop.image.size, signed=signed)
    alpha = np.asarray(layer.getchannel("A")) * layer_strength(opacity)
    picture = Image.composite(layer.convert("RGB"), crop.image, Image.fromarray(alpha.round().astype(np.uint8)))
    for outline in trace_top(heatmap, signed=signed) if contours else []:
        _draw_outline(picture, outline)
    return picture


def overlay_photo(
    photo: Image.Image,
    crop: FaceCrop,
    heatmap: np.ndarray,
    *,
    opacity: float = DEFAULT_OPACITY,
    signed: bool = False,
    contours: bool = False,
) -> Image.Image:
    """The whole photo, with the heatmap projected back onto the face's place in it; scaled down to `MAX_SIDE`."""
    patch = overlay_crop(crop, heatmap, opacity=opacity, signed=signed, contours=contours)
    patch = patch.rotate(-90 * crop.quarter_turns, expand=True)
    result = fit_display(photo, side=MAX_SIDE)
    x0, y0, x1, y1 = (round(edge * result.width / photo.width) for edge in crop.box_xyxy)
    result.paste(patch if patch.size == (x1 - x0, y1 - y0) else patch.resize((x1 - x0, y1 - y0)), (x0, y0))
    return result


def draw_layer(heatmap: np.ndarray, size: tuple[int, int], *, signed: bool = False) -> Image.Image:
    """The map as a layer of `size` (width, height), RGBA: its transparency says how low the map is.

    An unsigned map is all transparent at its least and opaque at its greatest value, so that layers of two maps cannot
    be compared; one that is the same everywhere is all transparent. In between alpha is 3 v^2 - 2 v^3: what is low
    leaves the face as it is. A signed map has the colours and the fixed scale of `legend_ends`, the same for all
    photos, and alpha is the root of the share of that scale: nine patches of ten have less than a tenth of it.
    """
    if signed:
        logits = resize_heatmap(heatmap, size)
        real, fake = (Image.new("RGB", size, colour) for _, colour in legend_ends())
        layer = Image.composite(fake, real, Image.fromarray(logits > 0))
        alpha = np.sqrt(np.clip(np.abs(logits) / SIGNED_FULL, 0, 1))
    else:
        layer = Image.new("RGB", size, COLOUR)
        values = np.clip(resize_heatmap(normalize(heatmap), size), 0, 1)
        alpha = values**2 * (3 - 2 * values)
    layer.putalpha(Image.fromarray((alpha * 255).round().astype(np.uint8)))
    return layer


def layer_strength(opacity: float) -> float:
    """What a layer's alpha is multiplied by: 0 at 0, 0.75 half-way, 1 at 1."""
    return 1 - (1 - opacity) ** 2


def trace_top(heatmap: np.ndarray, *, signed: bool = False) -> list[Outline]:
    """Outlines of the highest fifth of the patches; of a signed map, of those that speak most, for either class."""
    import cv2

    values = np.abs(heatmap) if signed else heatmap
    if not np.ptp(values):
        return []
    height, width = (side * TRACED_SIDE for side in values.shape)
    inside = resize_heatmap(values, (width, height)) > np.quantile(values, 1 - TOP_SHARE)
    found, _ = cv2.findContours(inside.astype(np.uint8), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
    lines = [cv2.approxPolyDP(line, 0.7, closed=True)[:, 0] for line in found]
    return [[((x + 0.5) / width, (y + 0.5) / height) for x, y in line.tolist()] for line in lines if len(line) > 2]


def legend_ends() -> tuple[tuple[float, str], tuple[float, str]]:
    """The ends of the scale of signed maps, real and fake: logits a patch, and "#rrggbb"; so looks what lies beyond."""
    return (-SIGNED_FULL, TONES[Outcome.REAL].colour), (SIGNED_FULL, TONES[Outcome.FAKE].colour)


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
    """Values in [0, 1] to RGB (H, W, 3), uint8, by Inferno, for maps without a photo: dark is least, bright is most."""
    import cv2

    grey = (np.clip(heatmap, 0, 1) * 255).round().astype(np.uint8)
    return cv2.applyColorMap(grey, cv2.COLORMAP_INFERNO)[:, :, ::-1]


def _draw_outline(picture: Image.Image, outline: Outline) -> None:
    """White within black: seen on any ground."""
    points = [(x * picture.width, y * picture.height) for x, y in [*outline, outline[0]]]
    width, draw = max(1, round(max(picture.size) / 250)), ImageDraw.Draw(picture)
    draw.line(points, fill="#000000", width=width + 2, joint="curve")
    draw.line(points, fill="#ffffff", width=width, joint="curve")
