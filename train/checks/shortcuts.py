"""Trivial statistics of a picture that must not tell fake from real, and how well each one does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from virtus.checkpoints import area_under_roc
from virtus.faces import crop_face
from virtus.results import Face

SIDE = 224  # crops are looked at as a model sees them
SHORTCUT, SUSPECT = 0.70, 0.60


@dataclass(frozen=True)
class Shortcut:
    """How well one statistic alone tells fake from real.

    Attributes:
        statistic: its name.
        auc_before: on the pictures as they are, in [0.5, 1]; None if it says nothing of them.
        auc_after: on the one crop, resized; None for what a crop does not have (a file's size, say).
        higher_in: the class in which it is higher, before.
    """

    statistic: str
    auc_before: float | None
    auc_after: float | None
    higher_in: str

    @property
    def verdict(self) -> str:
        """What is left of it after the crop, in a word; before it, where the crop has none."""
        known = self.auc_after if self.auc_after is not None else self.auc_before
        if known is None:
            return "unknown"
        return "shortcut" if known >= SHORTCUT else "suspect" if known >= SUSPECT else "fine"

    @property
    def told(self) -> bool:
        """Whether it deserves a word: in the picture or in the crop it tells more than chance would."""
        return max(self.auc_before or 0, self.auc_after or 0) >= SUSPECT

    def to_json(self) -> dict:
        return {**vars(self), "verdict": self.verdict}

    def aucs(self, num_digits: int) -> tuple[str, str]:
        """Before and after, a dash for what there is not."""
        before, after = ("-" if auc is None else f"{auc:.{num_digits}f}" for auc in (self.auc_before, self.auc_after))
        return before, after


def measure_picture(path: Path, image: Image.Image, face: Face | None, *, margin: float) -> tuple[dict, dict]:
    """The statistics of a picture (`image` is what `path` holds), and those of its face crop (empty without a face)."""
    before = measure_file(path, image) | measure_pixels(image)
    if face is None:
        return before, {}
    crop = crop_face(image, face, margin=margin)
    reached = {"margin_reached": crop.margin}
    before |= measure_place(face.box_xyxy, image.size) | reached
    left, top, *_ = crop.box_xyxy
    x0, y0, x1, y1 = face.box_xyxy
    after = measure_place((x0 - left, y0 - top, x1 - left, y1 - top), crop.image.size)
    seen = crop.image.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return before, after | reached | measure_pixels(seen)


def measure_place(box_xyxy: tuple[float, float, float, float], size: tuple[int, int]) -> dict[str, float]:
    """Size and place of a face in its frame, as shares of the frame."""
    x0, y0, x1, y1 = box_xyxy
    width, height = size
    longer = max(x1 - x0, y1 - y0)
    return {"face_size": longer / min(size), "face_x": (x0 + x1) / 2 / width, "face_y": (y0 + y1) / 2 / height}


def measure_file(path: Path, image: Image.Image) -> dict[str, float]:
    """What the file tells: its size, bytes for each pixel, and the mean of its JPEG luminance table."""
    with Image.open(path) as file:
        tables = getattr(file, "quantization", None) or {}
    return {
        "width": image.width,
        "height": image.height,
        "bytes_per_pixel": path.stat().st_size / (image.width * image.height),
        "jpeg_table_mean": float(np.mean(tables[0])) if 0 in tables else math.nan,
    }


def measure_pixels(image: Image.Image) -> dict[str, float]:
    """Brightness, contrast, colour, sharpness (variance of the Laplacian), share of energy in high frequencies."""
    pixels = np.asarray(image, np.float32)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return {
        "brightness": float(grey.mean()),
        "contrast": float(grey.std()),
        "colour": float((pixels.max(axis=2) - pixels.min(axis=2)).mean()),
        "sharpness": float(cv2.Laplacian(grey, cv2.CV_32F).var()),
        "high_frequency": _high_frequency(grey),
    }


def find_shortcuts(is_fake: Sequence[bool], before: Sequence[dict], after: Sequence[dict]) -> list[Shortcut]:
    """The AUC of each statistic, strongest first."""
    shortcuts = []
    for name in dict.fromkeys(name for row in before for name in row):
        signed = _auc(name, is_fake, before), _auc(name, is_fake, after)
        auc_before, auc_after = (None if auc is None else max(auc, 1 - auc) for auc in signed)
        higher_in = "-" if signed[0] is None else "fake" if signed[0] >= 0.5 else "real"
        shortcuts.append(Shortcut(name, auc_before, auc_after, higher_in))
    return sorted(shortcuts, key=lambda shortcut: -(shortcut.auc_before or 0))


def _auc(name: str, is_fake: Sequence[bool], rows: Sequence[dict]) -> float | None:
    known = [
        (label, row[name]) for label, row in zip(is_fake, rows, strict=True) if math.isfinite(row.get(name, math.nan))
    ]
    return area_under_roc(*zip(*known, strict=True)) if known else None


def _high_frequency(grey: np.ndarray) -> float:
    """Share of the spectrum's energy, its mean left out, above half of the highest frequency."""
    energy = np.abs(np.fft.fft2(grey)) ** 2
    energy[0, 0] = 0
    rows, columns = (np.abs(np.fft.fftfreq(length)) for length in grey.shape)
    high = np.maximum.outer(rows, columns) > 0.25
    return float(energy[high].sum() / max(energy.sum(), 1e-12))
