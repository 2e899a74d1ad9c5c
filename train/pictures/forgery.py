"""Fakes made from real photos, with the region that was altered: swapped faces and parts, and self-blended ones.

Self-blended images (Shiohara & Yamasaki 2022, arXiv:2204.08376) are made from one photo: a face is blended with a
slightly changed copy of itself inside a face-shaped region. What tells such a fake is what tells most swaps: a seam,
and statistics that differ on its two sides; nothing of one generator.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from virtus.errors import DataError
from virtus.judging import jpeg, rescale
from virtus.results import Face

MIN_SIDE = 8  # of a region, pixels: seamlessClone fails on less than three
BLEND_RATIOS = (0.5, 0.75, 1.0, 1.0)
VISIBLE = 0.1  # of the mask: less than that alters a pixel by too little to count


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


ELLIPSES = {"eyes": Ellipse(-0.05, 0.95, 0.40), "nose": Ellipse(0.48, 0.42, 0.46), "mouth": Ellipse(1.05, 0.68, 0.38)}
HALVES = {"left half": -1, "right half": 1}  # the viewer's left and right
PARTS = (*ELLIPSES, *HALVES)


def swap_part(
    source: Image.Image,
    source_face: Face,
    target: Image.Image,
    target_face: Face,
    part: str = "face",
    *,
    feather: float = 0.0,
) -> Forgery:
    """Put the face of `source`, or a part of it, in the place of that of `target`.

    The five landmarks give the similarity transform (rotation, scale, shift) between the faces; the seam is hidden by
    Poisson blending (Pérez et al. 2003), or by a soft edge, over which the colours are brought to those of the target.

    Args:
        part: "face", or a name in `PARTS`.
        feather: the soft edge's standard deviation as a share of the face's width; 0 for Poisson blending.

    Raises:
        DataError: if there is no such part, it lies outside the photo, or the faces do not match.
    """
    region = part_region(target_face, target.size, part)
    # No landmark is an outlier: of five, RANSAC would drop two and turn the face after the rest.
    matrix, _ = cv2.estimateAffinePartial2D(_points(source_face), _points(target_face), ransacReprojThreshold=1e6)
    if matrix is None:
        raise DataError("The two faces cannot be matched: take photos that show them from the same side.")
    x, y, width, height = cv2.boundingRect(region)
    if min(width, height) < MIN_SIDE:
        raise DataError("That part of the face lies outside the photo: take one that shows the whole face.")
    size = target.size
    warped = cv2.warpAffine(np.asarray(source), matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    if feather:
        return _feathered(warped, np.asarray(target), region, feather * target_face.width)
    centre = (x + width // 2, y + height // 2)
    # seamlessClone writes into the mask that it is given, and alters some pixels beside it.
    blended = cv2.seamlessClone(warped, np.asarray(target), region.copy(), centre, cv2.NORMAL_CLONE)
    altered = region > 0
    return Forgery(Image.fromarray(np.where(altered[:, :, None], blended, np.asarray(target))), altered)


def _feathered(warped: np.ndarray, target: np.ndarray, region: np.ndarray, sigma: float) -> Forgery:
    """The region of one picture over another, by a soft edge; mean and spread of its colours become the target's."""
    inside, pixels = region > 0, warped.astype(np.float32)
    (mean, std), (new_mean, new_std) = ((part[inside].mean(0), part[inside].std(0) + 1) for part in (pixels, target))
    mask = cv2.GaussianBlur(region.astype(np.float32) / 255, (0, 0), max(sigma, 0.5))
    mixed = mask[:, :, None] * ((pixels - mean) / std * new_std + new_mean) + (1 - mask[:, :, None]) * target
    return Forgery(Image.fromarray(mixed.round().clip(0, 255).astype(np.uint8)), mask > VISIBLE)


def pose_of(face: Face) -> tuple[float, float]:
    """How far the nose lies beside the face's middle, in distances of the eyes, and how far down, in faces."""
    eyes, mouth, across = face_axes(face)
    nose, down = _points(face)[2] - eyes, mouth - eyes
    return float(nose @ across / (across @ across)), float(nose @ down / (down @ down))


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


def part_region(face: Face, size: tuple[int, int], part: str) -> np.ndarray:
    """A part of the face, from the landmarks: uint8 (height, width), 255 inside and nothing on the picture's border.

    Raises:
        DataError: if there is no such part.
    """
    if part == "face":
        return face_region(face, size)
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


def self_blend(image: Image.Image, face: Face, draw: random.Random) -> Forgery:
    """Blend a real face with a changed copy of itself.

    Args:
        image: RGB.
        face: with its five landmarks, in pixels of `image`.
        draw: where all chances come from.
    """
    mask = _soft_mask(face, image.size, draw)
    changed = np.asarray(_move(_recolour(image, draw), face, draw), np.float32)
    original = np.asarray(image, np.float32)
    if draw.random() < 0.5:  # the face or its surroundings are what was changed
        changed, original = original, changed
    blended = mask[:, :, None] * changed + (1 - mask[:, :, None]) * original
    return Forgery(Image.fromarray(blended.round().clip(0, 255).astype(np.uint8)), mask > VISIBLE)


def _soft_mask(face: Face, size: tuple[int, int], draw: random.Random) -> np.ndarray:
    """The face's region, bent at random, with a soft edge: float32 (height, width) in [0, 1]."""
    region = face_region(face, size, scale=draw.uniform(0.75, 1.15))
    region = _bend(region.astype(np.float32) / 255, face, draw)
    sigma = draw.uniform(0.01, 0.10) * face.width
    return cv2.GaussianBlur(region, (0, 0), max(sigma, 0.5)) * draw.choice(BLEND_RATIOS)


def _bend(region: np.ndarray, face: Face, draw: random.Random) -> np.ndarray:
    """Elastic deformation, by up to a tenth of the face's width."""
    height, width = region.shape
    noise = np.random.default_rng(draw.getrandbits(32)).uniform(-1, 1, (2, 5, 5)).astype(np.float32)
    dx, dy = (
        cv2.resize(offsets, (width, height), interpolation=cv2.INTER_CUBIC) for offsets in noise * 0.1 * face.width
    )
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(region, x + dx, y + dy, cv2.INTER_LINEAR)


def _recolour(image: Image.Image, draw: random.Random) -> Image.Image:
    """Other colours, and now and then other sharpness or compression."""
    pixels = np.asarray(image, np.float32)
    pixels = (pixels - 128) * draw.uniform(0.9, 1.1) + 128 + draw.uniform(-12, 12)
    pixels = pixels + np.array([draw.uniform(-12, 12) for _ in range(3)], np.float32)
    image = Image.fromarray(pixels.round().clip(0, 255).astype(np.uint8))
    chance = draw.random()
    if chance < 0.35:
        return rescale(image, draw.uniform(0.4, 0.9))
    return jpeg(image, draw.randint(40, 90)) if chance < 0.5 else image


def _move(image: Image.Image, face: Face, draw: random.Random) -> Image.Image:
    """Shifted, scaled and turned by little, around the face."""
    x0, y0, x1, y1 = face.box_xyxy
    matrix = cv2.getRotationMatrix2D(((x0 + x1) / 2, (y0 + y1) / 2), draw.uniform(-2, 2), draw.uniform(0.95, 1.05))
    matrix[:, 2] += [draw.uniform(-0.03, 0.03) * face.width, draw.uniform(-0.015, 0.015) * face.height]
    moved = cv2.warpAffine(
        np.asarray(image), matrix, image.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return Image.fromarray(moved)
