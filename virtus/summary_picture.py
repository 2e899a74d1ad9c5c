"""Many reports as one picture: how many of each outcome, and which to look at first. Readable on a phone."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from PIL import Image, ImageDraw, ImageFont, ImageOps

from virtus.annotate import TONES
from virtus.results import GRAVITY, ImageReport, Outcome

WIDTH, MARGIN = 720, 32  # px; a phone shows it at half
THUMBNAIL_SIDE = 316  # px; two of them fit beside each other
NUM_FIRST, IN_ROW = 6, 2  # photos to look at first
LOOKED_AT = (Outcome.FAKE, Outcome.INCONCLUSIVE)
INK, QUIET, GROUND = "#1c2333", "#525c70", "#ffffff"
LARGE, TEXT, SMALL = 48, 36, 28  # px of a letter
BAR_HEIGHT, LINE, CAPTION, GAP = 72, 54, 104, 4
NUM_FOOT, FOOT_LINE = 3, 40
LEAST_SHARE = 0.015  # of the bar: one among hundreds is still seen
ORDER = (*GRAVITY, Outcome.FACE_TOO_SMALL, Outcome.NO_FACE, Outcome.UNREADABLE)
NO_EVIDENCE = "The model's opinion, not evidence."


@dataclass(frozen=True)
class Entry:
    """One judged photo, small enough to be kept by the hundred.

    Attributes:
        report: without the crops of its faces; `path` is the photo's name.
        thumbnail: JPEG, square, of the face that decided, else of the photo; None where it could not be read.
    """

    report: ImageReport
    thumbnail: bytes | None


def make_entry(report: ImageReport, photo: Image.Image | None) -> Entry:
    """What is kept of a photo that was judged."""
    small = replace(report, faces=tuple(replace(face, crop=None) for face in report.faces))
    return Entry(small, None if photo is None else _thumbnail(report, photo))


def count_outcomes(reports: Iterable[ImageReport]) -> dict[Outcome, int]:
    """How many there are of each outcome, gravest first; those that there are none of are left out."""
    counts = Counter(report.outcome for report in reports)
    return {outcome: counts[outcome] for outcome in ORDER if counts[outcome]}


def first_to_look_at(entries: Iterable[Entry]) -> list[Entry]:
    """At most `NUM_FIRST`: fakes, then inconclusive ones, by falling p."""
    doubtful = [entry for entry in entries if entry.report.outcome in LOOKED_AT]
    return sorted(doubtful, key=_gravity)[:NUM_FIRST]


def summary_in_words(entries: Sequence[Entry]) -> str:
    """What `draw_summary` shows, for those who do not see it."""
    counts = count_outcomes(entry.report for entry in entries)
    counted = ", ".join(f"{number} {TONES[outcome].word.lower()}" for outcome, number in counts.items())
    first = "; ".join(f"{entry.report.path}, {_verdict(entry)}" for entry in first_to_look_at(entries))
    return f"{_photos(len(entries))}: {counted or 'none'}." + (f" Look at these first: {first}." if first else "")


def draw_summary(entries: Sequence[Entry], *, made_on: date) -> Image.Image:
    """Counts as a bar with a legend, the photos to look at first, and in the foot who judged and when.

    Args:
        entries: at least one.

    Returns:
        RGB, `WIDTH` px wide.
    """
    counts = count_outcomes(entry.report for entry in entries)
    first = first_to_look_at(entries)
    num_rows = -(-len(first) // IN_ROW)
    gallery = LINE + 24 + num_rows * (THUMBNAIL_SIDE + CAPTION) if first else 0
    height = MARGIN + LARGE + 36 + BAR_HEIGHT + 28 + LINE * len(counts) + 20 + gallery + NUM_FOOT * FOOT_LINE + MARGIN
    picture = Image.new("RGB", (WIDTH, height), GROUND)
    draw = ImageDraw.Draw(picture)
    draw.text((MARGIN, MARGIN), _photos(len(entries)), fill=INK, font=_font(LARGE))
    top = MARGIN + LARGE + 36
    _draw_bar(draw, counts, top)
    top = _draw_legend(draw, counts, top + BAR_HEIGHT + 28) + 20
    if first:
        draw.text((MARGIN, top), "Look at these first", fill=INK, font=_font(TEXT))
        _draw_gallery(picture, draw, first, top + LINE + 24)
    _draw_foot(draw, entries[0].report, made_on, height - MARGIN - NUM_FOOT * FOOT_LINE)
    return picture


def _draw_bar(draw: ImageDraw.ImageDraw, counts: dict[Outcome, int], top: int) -> None:
    """Each outcome's share of the width, told apart by a gap and, where there is room, by its number."""
    shares = [max(number / sum(counts.values()), LEAST_SHARE) for number in counts.values()]
    left = MARGIN
    for (outcome, number), share in zip(counts.items(), shares, strict=True):
        right = left + (WIDTH - 2 * MARGIN) * share / sum(shares)
        box = (left, top, right - GAP, top + BAR_HEIGHT)
        draw.rectangle(box, fill=TONES[outcome].colour)
        middle, font = ((box[0] + box[2]) / 2, top + BAR_HEIGHT / 2), _font(TEXT)
        if draw.textlength(str(number), font=font) + 16 < box[2] - box[0]:
            draw.text(middle, str(number), fill=TONES[outcome].ink, font=font, anchor="mm")
        left = right


def _draw_legend(draw: ImageDraw.ImageDraw, counts: dict[Outcome, int], top: int) -> int:
    for outcome, number in counts.items():
        draw.rectangle((MARGIN, top + 4, MARGIN + 36, top + 40), fill=TONES[outcome].colour)
        draw.text((MARGIN + 56, top), TONES[outcome].word, fill=INK, font=_font(TEXT))
        draw.text((WIDTH - MARGIN, top), str(number), fill=INK, font=_font(TEXT), anchor="ra")
        top += LINE
    return top


def _draw_gallery(picture: Image.Image, draw: ImageDraw.ImageDraw, first: list[Entry], top: int) -> None:
    step = (WIDTH - 2 * MARGIN - IN_ROW * THUMBNAIL_SIDE) // (IN_ROW - 1) + THUMBNAIL_SIDE
    for at, entry in enumerate(first):
        row, column = divmod(at, IN_ROW)
        x, y = MARGIN + column * step, top + row * (THUMBNAIL_SIDE + CAPTION)
        tone = TONES[entry.report.outcome]
        picture.paste(Image.open(io.BytesIO(entry.thumbnail)), (x, y))
        draw.rectangle((x, y, x + THUMBNAIL_SIDE - 1, y + THUMBNAIL_SIDE - 1), outline=tone.colour, width=8)
        draw.text((x, y + THUMBNAIL_SIDE + 10), _verdict(entry), fill=INK, font=_font(SMALL))
        draw.text((x, y + THUMBNAIL_SIDE + 46), _fitting(draw, _name(entry)), fill=QUIET, font=_font(SMALL))


def _draw_foot(draw: ImageDraw.ImageDraw, report: ImageReport, made_on: date, top: int) -> None:
    info = report.checkpoint
    weights = f"sha256 {info.sha256[:12]} · {made_on.isoformat()}"
    for line in (_fitting(draw, info.name, WIDTH - 2 * MARGIN), weights, NO_EVIDENCE):
        draw.text((MARGIN, top), line, fill=QUIET, font=_font(SMALL))
        top += FOOT_LINE


def _gravity(entry: Entry) -> tuple[int, float]:
    return GRAVITY.index(entry.report.outcome), -entry.report.decisive_face.p_fake


def _verdict(entry: Entry) -> str:
    return f"{TONES[entry.report.outcome].word}, p {entry.report.decisive_face.p_fake:.3f}"


def _photos(number: int) -> str:
    return f"{number} photo" if number == 1 else f"{number} photos"


def _name(entry: Entry) -> str:
    """The file's own name. Pillow's font has the letters of Western Europe; others would be boxes."""
    name = (entry.report.path or "").rpartition("/")[2]
    return "".join(letter if letter.isascii() else "_" for letter in name)


def _fitting(draw: ImageDraw.ImageDraw, text: str, width: int = THUMBNAIL_SIDE) -> str:
    font = _font(SMALL)
    if draw.textlength(text, font=font) <= width:
        return text
    while text and draw.textlength(f"{text}...", font=font) > width:
        text = text[:-1]
    return f"{text}..."


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def _thumbnail(report: ImageReport, photo: Image.Image) -> bytes:
    face = report.decisive_face
    shown = face.crop.image if face and face.crop else photo
    buffer = io.BytesIO()
    small = ImageOps.fit(shown, (THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BILINEAR)
    small.info.clear()  # EXIF may tell a place
    small.save(buffer, "JPEG", quality=85)
    return buffer.getvalue()
