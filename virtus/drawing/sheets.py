"""What a model did with a face, block by block: a sheet of all heads' maps, the logit lens, rollout as it grows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from virtus.drawing.annotate import TONES
from virtus.drawing.overlay import colorize, normalize
from virtus.results import Outcome

CELL = 56  # px of a small map at least
GAP, LABEL, CHART, MARGIN = 4, 64, 172, 16  # px between cells, left of them, of a chart's height, above and below it
ENDS = (Outcome.REAL, Outcome.FAKE)
PAPER, INK, FAINT = "#ffffff", "#1a1a1a", "#c8ccd2"
FRAME_SIDE = 896  # px of the longer side of a frame's picture
CAPTION = 48  # px under it, with the number of the block
HEAT = np.array([[64, 28, 190], [150, 20, 180], [232, 34, 120], [255, 120, 40], [255, 232, 70]], np.float32)
"""From least to most, as the tab Explore has it (`assets/scripts/explore-drawing.js`)."""
FRAME_MS, LAST_FRAME_MS = 250, 1500


def draw_heads(maps: np.ndarray) -> Image.Image:
    """All heads on a sheet, a row a block, each map on its own scale; numbered from 0, as arrays are.

    Args:
        maps: (blocks, heads, grid_h, grid_w).
    """
    blocks, heads = maps.shape[:2]
    cells = [[Image.fromarray(colorize(normalize(one))) for one in row] for row in maps]
    return _lay_out(cells, [f"block {at}" for at in range(blocks)], [f"head {at}" for at in range(heads)])


def draw_lens(lens: np.ndarray, decided: np.ndarray, thresholds: tuple[float, float]) -> Image.Image:
    """p of fake block by block: as a line with the verdict's thresholds, and under it of each patch by itself.

    Args:
        lens: (blocks + 1, grid_h, grid_w), p of each patch; blue is real, white 0.5, red fake.
        decided: (blocks + 1,), p of what the head reads.
        thresholds: below the first real, from the second on fake.
    """
    names = ["input", *(f"block {at}" for at in range(len(decided) - 1))]
    sheet = _lay_out([[Image.fromarray(_p_colours(one)) for one in lens]], ["patches"], names, above=CHART)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    pitch = (sheet.width - LABEL) / len(decided)
    xs = [LABEL + pitch * (at + 0.5) - GAP / 2 for at in range(len(decided))]

    def height(p: float) -> float:
        return MARGIN + (1 - p) * (CHART - 2 * MARGIN)

    for p, word in ((1.0, "p fake 1"), (0.0, "0")):
        draw.line((LABEL, height(p), sheet.width, height(p)), FAINT)
        draw.text((4, height(p) - 6), word, INK, font)
    for p, outcome, words, drop in zip(thresholds, ENDS, ("real below", "fake from"), (1, -14), strict=True):
        draw.line((LABEL, height(p), sheet.width, height(p)), TONES[outcome].colour)
        draw.text((LABEL + 4, height(p) + drop), f"{words} {p:.2f}", TONES[outcome].colour, font)
    points = list(zip(xs, map(height, decided.tolist()), strict=True))
    draw.line(points, fill=INK, width=2)
    for x, y in points:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=INK)
    return sheet


def draw_growth(picture: Image.Image, maps: np.ndarray) -> list[Image.Image]:
    """A frame for each block's map (blocks, grid_h, grid_w) over the picture, in the colours of the tab Explore, with
    the block's number under it: counted from 1, as there."""
    scale = FRAME_SIDE / max(picture.size)
    base = picture.convert("RGB").resize((max(1, round(picture.width * scale)), max(1, round(picture.height * scale))))
    return [_frame(base, heatmap, f"block {at} of {len(maps)}") for at, heatmap in enumerate(maps, start=1)]


def _frame(base: Image.Image, heatmap: np.ndarray, words: str) -> Image.Image:
    layer = Image.fromarray(_heat_layer(heatmap)).resize(base.size, Image.Resampling.NEAREST)
    frame = Image.new("RGB", (base.width, base.height + CAPTION), PAPER)
    frame.paste(base)
    frame.paste(layer, mask=layer.getchannel("A"))
    place, font = (base.width / 2, base.height + CAPTION / 2), ImageFont.load_default(26)
    ImageDraw.Draw(frame).text(place, f"attention rollout, {words}", INK, font, anchor="mm")
    return frame


def _heat_layer(heatmap: np.ndarray) -> np.ndarray:
    """(H, W) to RGBA (H, W, 4), uint8: nothing where it is low, so that the face stays as bright as it is."""
    shares = normalize(heatmap)
    steps = np.linspace(0, 1, len(HEAT))
    colours = [np.interp(shares, steps, channel) for channel in HEAT.T]
    return np.stack([*colours, 230 * np.minimum(1, 1.25 * shares)], axis=-1).round().astype(np.uint8)


def save_growth(picture: Image.Image, maps: np.ndarray, path: Path) -> None:
    """Write the frames of `draw_growth` as a picture that moves in a loop, and rests at its last one."""
    first, *others = draw_growth(picture, maps)
    times = [FRAME_MS] * len(others) + [LAST_FRAME_MS]
    first.save(path, save_all=True, append_images=others, duration=times, loop=0)


def _p_colours(p: np.ndarray) -> np.ndarray:
    """p (H, W) to RGB (H, W, 3), uint8: from the colour of real by white to that of fake."""
    tones = (TONES[outcome].colour for outcome in ENDS)
    real, fake = (np.array([int(tone[at : at + 2], 16) for at in (1, 3, 5)]) for tone in tones)
    ends = np.where(p[..., None] < 0.5, real, fake)
    return (255 + (ends - 255) * np.abs(2 * p - 1)[..., None]).round().astype(np.uint8)


def _lay_out(
    cells: Sequence[Sequence[Image.Image]], row_names: Sequence[str], column_names: Sequence[str], *, above: int = 0
) -> Image.Image:
    """Cells of one size, enlarged to whole multiples so that each patch is seen, with names left and above."""
    width, height = cells[0][0].size
    factor = -(-CELL // max(width, height))
    width, height = max(width * factor, CELL), height * factor
    head = above + 18
    size = LABEL + len(column_names) * (width + GAP), head + len(row_names) * (height + GAP)
    sheet, font = Image.new("RGB", size, PAPER), ImageFont.load_default(11)
    draw = ImageDraw.Draw(sheet)
    for column, name in enumerate(column_names):
        draw.text((LABEL + column * (width + GAP), above + 2), name, fill=INK, font=font)
    for row, name in enumerate(row_names):
        top = head + row * (height + GAP)
        draw.text((4, top + height / 2 - 6), name, fill=INK, font=font)
        for column, cell in enumerate(cells[row]):
            enlarged = cell.resize((cell.width * factor, height), Image.Resampling.NEAREST)
            sheet.paste(enlarged, (LABEL + column * (width + GAP), top))
    return sheet
