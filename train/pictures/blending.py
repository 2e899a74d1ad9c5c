"""Self-blended images (Shiohara & Yamasaki 2022, arXiv:2204.08376): a fake made from one real photo.

A face is blended with a slightly changed copy of itself inside a face-shaped region. What tells such a fake is what
tells most swaps: a seam, and statistics that differ on its two sides; nothing of one generator.
"""

from __future__ import annotations

import random

import cv2
import numpy as np
from PIL import Image

from train.pictures.forgery import Forgery, face_region
from virtus.judging import jpeg, rescale
from virtus.results import Face

BLEND_RATIOS = (0.5, 0.75, 1.0, 1.0)
VISIBLE = 0.1  # of the mask: less than that alters a pixel by too little to count


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
    dx, dy = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in noise * 0.1 * face.width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return cv2.remap(region, x + dx, y + dy, cv2.INTER_LINEAR)


def _recolour(image: Image.Image, draw: random.Random) -> Image.Image:
    """Other colours, and now and then other sharpness or compression."""
    pixels = np.asarray(image, np.float32)
    pixels = (pixels - 128) * draw.uniform(0.9, 1.1) + 128 + draw.uniform(-12, 12)
    pixels = pixels + np.float32([draw.uniform(-12, 12) for _ in range(3)])
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
