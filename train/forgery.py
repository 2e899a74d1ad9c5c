"""Fakes made from real photos, with the region that was altered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from virtus.errors import DataError
from virtus.results import Face


@dataclass(frozen=True)
class Forgery:
    """A forged picture.

    Attributes:
        image: RGB.
        region: which pixels were altered, bool, (height, width).
    """

    image: Image.Image
    region: np.ndarray


def swap_face(source: Image.Image, source_face: Face, target: Image.Image, target_face: Face) -> Forgery:
    """Put the face of `source` in the place of that of `target`.

    The five landmarks give the similarity transform (rotation, scale, shift) between the faces; the seam is hidden by
    Poisson blending (Pérez et al. 2003).

    Raises:
        DataError: if the landmarks of one face do not match those of the other.
    """
    matrix, _ = cv2.estimateAffinePartial2D(_points(source_face), _points(target_face))
    if matrix is None:
        raise DataError("The two faces cannot be matched: take photos that show them from the same side.")
    size = target.size
    warped = cv2.warpAffine(np.asarray(source), matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    region = face_region(target_face, size)
    x, y, width, height = cv2.boundingRect(region)
    centre = (x + width // 2, y + height // 2)
    # seamlessClone writes into the mask that it is given, and alters some pixels beside it.
    blended = cv2.seamlessClone(warped, np.asarray(target), region.copy(), centre, cv2.NORMAL_CLONE)
    altered = region > 0
    return Forgery(Image.fromarray(np.where(altered[:, :, None], blended, np.asarray(target))), altered)


def face_region(face: Face, size: tuple[int, int], *, scale: float = 1.0) -> np.ndarray:
    """An ellipse from the brows to the chin, from the landmarks: uint8 (height, width), 255 inside."""
    left_eye, right_eye, _, left_mouth, right_mouth = _points(face)
    eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
    across, down = right_eye - left_eye, mouth - eyes
    axes = (0.95 * scale * np.linalg.norm(across), 1.15 * scale * np.linalg.norm(down))
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    region = np.zeros(size[::-1], np.uint8)
    box = (tuple(map(float, eyes + 0.55 * down)), (2 * float(axes[0]), 2 * float(axes[1])), angle)
    cv2.ellipse(region, box, 255, -1)
    region[[0, -1]] = region[:, [0, -1]] = 0  # seamlessClone cannot blend the picture's own border
    return region


def _points(face: Face) -> np.ndarray:
    return np.array(face.landmarks, dtype=np.float32)
