"""Faces drawn on their photo: a box each, with its number and its outcome in words; and pictures inside a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageDraw, ImageFont

from virtus.results import FaceReport, ImageReport, Outcome

Encoding = Literal["JPEG", "PNG"]
# Nothing is measured on what a page shows. Pillow's default level of a PNG takes three to four times as long for a
# tenth fewer bytes.
ENCODINGS: dict[Encoding, dict[str, int]] = {"JPEG": {"quality": 95}, "PNG": {"compress_level": 1}}
DISPLAY_SIDE = 1280  # px; photos are shown, and sent to a browser, with at most this longer side


@dataclass(frozen=True)
class Tone:
    """How an outcome looks, wherever it is shown.

    Attributes:
        word: what it is called.
        colour: of boxes, bars and the ground of labels, "#rrggbb".
        ink: of text on that ground; the contrast is at least 4.5 (WCAG 2.2, AA).
        symbol: that goes before the word, for those who see no difference in colour.
    """

    word: str
    colour: str
    ink: str
    symbol: str


# Blue against vermilion after Okabe & Ito (2008): told apart with any kind of colour vision.
TONES = {
    Outcome.REAL: Tone("Real", "#0072b2", "#ffffff", "✓"),
    Outcome.FAKE: Tone("Fake", "#c24a00", "#ffffff", "✕"),
    Outcome.INCONCLUSIVE: Tone("Inconclusive", "#e6b422", "#1a1a1a", "?"),
    Outcome.FACE_TOO_SMALL: Tone("Too small", "#5f6b7a", "#ffffff", "–"),
    Outcome.NO_FACE: Tone("No face found", "#5f6b7a", "#ffffff", "–"),
    Outcome.UNREADABLE: Tone("Not readable", "#5f6b7a", "#ffffff", "–"),
}


def annotate_faces(photo: Image.Image, report: ImageReport, tones: Sequence[Tone] | None = None) -> Image.Image:
    """The photo at display size, with every face of its report boxed, numbered from 1 and named by outcome.

    Args:
        photo: upright RGB, the one that was judged.
        tones: for each face another one than that of its outcome.

    Returns:
        RGB, a new picture without the photo's metadata.
    """
    shown = fit_display(photo)
    scale = shown.width / photo.width
    draw = ImageDraw.Draw(shown)
    toned = list(zip(report.faces, tones or [TONES[face.outcome] for face in report.faces], strict=True))
    for face, tone in toned:
        _draw_box(draw, face, tone, scale, shown.size)
    for number, (face, tone) in enumerate(toned, start=1):  # after all boxes: no line crosses a label
        _draw_label(draw, number, face, tone, scale, shown.size)
    return shown


def fit_display(photo: Image.Image, *, side: int = DISPLAY_SIDE) -> Image.Image:
    """A copy scaled down to a longer side of at most `side` px; pixels only."""
    scale = min(1.0, side / max(photo.size))
    size = (max(1, round(photo.width * scale)), max(1, round(photo.height * scale)))
    shown = photo.copy() if size == photo.size else photo.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    shown.info.clear()  # EXIF may tell a place
    return shown


def _draw_box(draw: ImageDraw.ImageDraw, face: FaceReport, tone: Tone, scale: float, size: tuple[int, int]) -> None:
    width = _line_width(size)
    x0, y0, x1, y1 = (value * scale for value in face.box_xyxy)
    box = (max(x0, 0), max(y0, 0), min(x1, size[0] - 1), min(y1, size[1] - 1))
    draw.rounded_rectangle(box, radius=2 * width, outline="#ffffff", width=width + 2)  # seen on any background
    draw.rounded_rectangle(box, radius=2 * width, outline=tone.colour, width=width)


def _draw_label(
    draw: ImageDraw.ImageDraw, number: int, face: FaceReport, tone: Tone, scale: float, size: tuple[int, int]
) -> None:
    """Above the box; inside it, where the picture ends above."""
    font = ImageFont.load_default(_font_size(size))
    text = f"{number} {tone.word}"
    pad = _font_size(size) // 3
    width, height = draw.textlength(text, font=font) + 2 * pad, _font_size(size) + 2 * pad
    left = min(max(face.box_xyxy[0] * scale, 0), max(size[0] - width, 0))
    top = face.box_xyxy[1] * scale
    top = top - height if top >= height else max(top, 0)
    draw.rounded_rectangle((left, top, left + width, top + height), radius=pad, fill=tone.colour)
    draw.text((left + width / 2, top + height / 2), text, fill=tone.ink, font=font, anchor="mm")


def _line_width(size: tuple[int, int]) -> int:
    return max(3, round(max(size) / 180))


def _font_size(size: tuple[int, int]) -> int:
    return max(12, round(max(size) / 28))


def data_uri(image: Image.Image) -> str:
    """A PNG: for layers, which are transparent."""
    return _uri(image, "PNG")


def jpeg_uri(image: Image.Image) -> str:
    """A JPEG: for photos, also with a map on them: a tenth of a PNG's bytes, and of the time."""
    return _uri(image, "JPEG")


def encode_picture(image: Image.Image, kind: Encoding) -> bytes:
    """What a page or a program is sent."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **ENCODINGS[kind])
    return buffer.getvalue()


def _uri(image: Image.Image, kind: Encoding) -> str:
    return f"data:image/{kind.lower()};base64,{base64.b64encode(encode_picture(image, kind)).decode()}"
