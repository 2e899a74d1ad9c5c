"""Fakes in which only a part of the face is another person's: eyes, nose, mouth, or one half."""

from __future__ import annotations

import numpy as np
from PIL import Image

from train.pictures.forgery import Ellipse, Forgery, ellipse_region, face_axes, face_region, swap_region
from virtus.errors import DataError
from virtus.results import Face

ELLIPSES = {"eyes": Ellipse(-0.05, 0.95, 0.40), "nose": Ellipse(0.48, 0.42, 0.46), "mouth": Ellipse(1.05, 0.68, 0.38)}
HALVES = {"left half": -1, "right half": 1}  # the viewer's left and right
PARTS = (*ELLIPSES, *HALVES)


def swap_part(source: Image.Image, source_face: Face, target: Image.Image, target_face: Face, part: str) -> Forgery:
    """Put a part of the face of `source` in the place of that of `target`: see `train.pictures.forgery.swap_region`.

    Args:
        part: a name in `PARTS`.

    Raises:
        DataError: if there is no such part, it lies outside the photo, or the faces do not match.
    """
    return swap_region(source, source_face, target, target_face, part_region(target_face, target.size, part))


def part_region(face: Face, size: tuple[int, int], part: str) -> np.ndarray:
    """A part of the face, from the landmarks: uint8 (height, width), 255 inside.

    Raises:
        DataError: if there is no such part.
    """
    if part in HALVES:
        return np.where(_side(face, size) * HALVES[part] > 0, face_region(face, size), 0).astype(np.uint8)
    if part not in ELLIPSES:
        raise DataError(f"There is no part {part!r}. There are: {', '.join(PARTS)}.")
    return ellipse_region(face, size, ELLIPSES[part])


def _side(face: Face, size: tuple[int, int]) -> np.ndarray:
    """Below 0 left of the line from between the eyes to between the mouth's corners, above 0 right of it."""
    eyes, mouth, _ = face_axes(face)
    down = mouth - eyes
    y, x = np.mgrid[: size[1], : size[0]]
    return down[1] * (x - eyes[0]) - down[0] * (y - eyes[1])
