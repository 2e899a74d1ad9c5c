"""Training pictures: the one crop, moved and degraded a little, then the one eval transform."""

from __future__ import annotations

import random

import torch
from PIL import Image, ImageEnhance
from torch.utils.data import Dataset

from train.config import Augmentation
from train.data import Sample
from virtus.faces import crop_face
from virtus.images import load_image
from virtus.perturbations import jpeg, mirror, rescale
from virtus.preprocessing import EvalTransform
from virtus.results import Face, Label


class CropDataset(Dataset):
    """Face crops of samples as `{"pixel_values": float32 (3, height, width), "labels": int}`; 1 is fake.

    With an `augmentation`, margin, place and looks are drawn anew each time, from torch's random numbers (so that each
    worker and epoch has its own). Without one, it is what the engine sees.
    """

    def __init__(
        self,
        samples: list[Sample],
        faces: dict,
        transform: EvalTransform,
        *,
        margin: float,
        augmentation: Augmentation | None = None,
    ):
        self.samples = [sample for sample in samples if faces[sample.path] is not None]
        self.faces = faces
        self.transform = transform
        self.margin = margin
        self.augmentation = augmentation

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> dict:
        sample = self.samples[index]
        picture = self._crop(load_image(sample.path), self.faces[sample.path])
        return {"pixel_values": torch.from_numpy(self.transform(picture)), "labels": int(sample.label is Label.FAKE)}

    def _crop(self, image: Image.Image, face: Face) -> Image.Image:
        if self.augmentation is None:
            return crop_face(image, face, margin=self.margin).image
        draw = random.Random(int(torch.randint(2**62, ())))
        moved = _shift(face, self.augmentation.shift, draw)
        crop = crop_face(image, moved, margin=draw.uniform(*self.augmentation.margin)).image
        return degrade(crop, self.augmentation, draw)


def degrade(image: Image.Image, augmentation: Augmentation, draw: random.Random) -> Image.Image:
    """Mirror, colour, scale and JPEG, each by its own chance: in the order in which a photo meets them."""
    if draw.random() < augmentation.mirror_chance:
        image = mirror(image)
    if draw.random() < augmentation.colour_chance:
        for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = enhance(image).enhance(1 + draw.uniform(-augmentation.colour, augmentation.colour))
    if draw.random() < augmentation.scale_chance:
        image = rescale(image, draw.uniform(*augmentation.scale))
    if draw.random() < augmentation.jpeg_chance:
        image = jpeg(image, draw.randint(*augmentation.jpeg_quality))
    return image


def _shift(face: Face, share: float, draw: random.Random) -> Face:
    dx, dy = (draw.uniform(-share, share) * length for length in (face.width, face.height))
    x0, y0, x1, y1 = face.box_xyxy
    return Face((x0 + dx, y0 + dy, x1 + dx, y1 + dy), face.landmarks, face.confidence, face.quarter_turns)
