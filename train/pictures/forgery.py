"""Fakes made from real photos, with the region that was altered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from virtus.errors import DataError
from virtus.results import Face

MIN_SIDE = 8  # of a region, pixels: seamlessClone fails on less than three


@dataclass(frozen=True)
class Forgery:
    """A forged picture.

    Attributes:
        image: RGB.
        region: which pixels were altered, bool, (height, width).
    """

    image: Image.Image
    region: np.ndarray


@dataclass(frozen=True)
class Ellipse:
    """Part of a face, in the face's own measures.

    Attributes:
        centre: how far from between the eyes (0) to between the mouth's corners (1).
        half_width: in distances between the eyes.
        half_height: in distances from the eyes to the mouth.
    """

    centre: float
    half_width: float
    half_height: float


def swap_face(source: Image.Image, source_face: Face, target: Image.Image, target_face: Face) -> Forgery:
    """Put the face of `source` in the place of that of `target`: see `swap_region`."""
    return swap_region(source, source_face, target, target_face, face_region(target_face, target.size))


def swap_region(
    source: Image.Image, source_face: Face, target: Image.Image, target_face: Face, region: np.ndarray
) -> Forgery:
    """Put what `source` shows in a region of the face in the place of what `target` shows there.

    The five landmarks give the similarity transform (rotation, scale, shift) between the faces; the seam is hidden by
    Poisson blending (Pérez et al. 2003).

    Args:
        region: of `target`, uint8 (height, width), 255 inside; nothing of it on the picture's border.

    Raises:
        DataError: if the landmarks of one face do not match those of the other, or the region is too small.
    """
    # No landmark is an outlier: of five, RANSAC would drop two and turn the face after the rest.
    matrix, _ = cv2.estimateAffinePartial2D(_points(source_face), _points(target_face), ransacReprojThreshold=1e6)
    if matrix is None:
        raise DataError("The two faces cannot be matched: take photos that show them from the same side.")
    x, y, width, height = cv2.boundingRect(region)
    if min(width, height) < MIN_SIDE:
        raise DataError("That part of the face lies outside the photo: take one that shows the whole face.")
    size = target.size
    warped = cv2.warpAffine(np.asarray(source), matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    centre = (x + width // 2, y + height // 2)
    # seamlessClone writes into the mask that it is given, and alters some pixels beside it.
    blended = cv2.seamlessClone(warped, np.asarray(target), region.copy(), centre, cv2.NORMAL_CLONE)
    altered = region > 0
    return Forgery(Image.fromarray(np.where(altered[:, :, None], blended, np.asarray(target))), altered)


def face_region(face: Face, size: tuple[int, int], *, scale: float = 1.0) -> np.ndarray:
    """An ellipse from the brows to the chin, from the landmarks: uint8 (height, width), 255 inside."""
    return ellipse_region(face, size, Ellipse(0.55, 0.95 * scale, 1.15 * scale))


def ellipse_region(face: Face, size: tuple[int, int], ellipse: Ellipse) -> np.ndarray:
    """An ellipse that lies in the face as its landmarks say: uint8 (height, width), 255 inside."""
    eyes, mouth, across = face_axes(face)
    down = mouth - eyes
    axes = (2 * ellipse.half_width * np.linalg.norm(across), 2 * ellipse.half_height * np.linalg.norm(down))
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    region = np.zeros(size[::-1], np.uint8)
    cv2.ellipse(region, (tuple(map(float, eyes + ellipse.centre * down)), tuple(map(float, axes)), angle), 255, -1)
    region[[0, -1]] = region[:, [0, -1]] = 0  # seamlessClone cannot blend the picture's own border
    return region


def face_axes(face: Face) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The point between the eyes, that between the mouth's corners, and the way from the left eye to the right."""
    left_eye, right_eye, _, left_mouth, right_mouth = _points(face)
    return (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2, right_eye - left_eye


def _points(face: Face) -> np.ndarray:
    return np.array(face.landmarks, dtype=np.float32)
