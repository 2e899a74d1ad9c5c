"""The pictures that a checkpoint got most wrong, on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from train.report.evaluate import Judged
from train.report.robustness import largest_judged
from virtus.checkpoints import Checkpoint
from virtus.drawing import TONES
from virtus.faces import crop_face
from virtus.media import load_image
from virtus.results import Label, Outcome

NUM_TILES = 24
NUM_COLUMNS = 6
TILE, CAPTION = 168, 40  # px
INK, QUIET = "#1a1a1a", TONES[Outcome.NO_FACE].colour


def most_wrong(judged: Sequence[Judged], *, count: int = NUM_TILES) -> list[Judged]:
    """The judged pictures whose p is farthest from the truth, farthest first; none that is on the right side of 0.5."""
    wrong = [one for one in judged if one.report.outcome.judged and distance(one) > 0.5]
    return sorted(wrong, key=distance, reverse=True)[:count]


def distance(judged: Judged) -> float:
    """Of p from the truth, in [0, 1]."""
    return abs(judged.report.p_fake - (judged.sample.label is Label.FAKE))


def draw_contact_sheet(checkpoint: Checkpoint, judged: Sequence[Judged], file: Path) -> None:
    """Each picture's largest face as the model got it, framed in the truth's colour; below, truth, p and source."""
    columns = min(NUM_COLUMNS, len(judged))
    size = (columns * TILE, math.ceil(len(judged) / columns) * (TILE + CAPTION))
    sheet, font = Image.new("RGB", size, "white"), ImageFont.load_default(14)
    draw = ImageDraw.Draw(sheet)
    for index, one in enumerate(judged):
        left, top = index % columns * TILE, index // columns * (TILE + CAPTION)
        picture = _as_seen(checkpoint, one).resize((TILE - 12, TILE - 12), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left + 6, top + 6))
        label = one.sample.label
        draw.rectangle(
            (left + 3, top + 3, left + TILE - 4, top + TILE - 4), outline=TONES[Outcome(label)].colour, width=3
        )
        draw.text((left + 5, top + TILE), f"is {label}, p {one.report.p_fake:.3f}", fill=INK, font=font)
        draw.text((left + 5, top + TILE + 17), _fitting(one.sample.source, font), fill=QUIET, font=font)
    sheet.save(file)


def _as_seen(checkpoint: Checkpoint, judged: Judged) -> Image.Image:
    crop = crop_face(load_image(judged.sample.path), largest_judged(judged), margin=checkpoint.margin)
    return checkpoint.transform.resize(crop.image)


def _fitting(text: str, font: ImageFont.FreeTypeFont) -> str:
    """The end of a text that is too long: that is where folder names differ."""
    while font.getlength(text) > TILE - 10:
        text = "…" + text[2:]
    return text
