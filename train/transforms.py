"""Pictures for the model: the one crop and the one eval transform; for training, moved, degraded and blended before."""

from __future__ import annotations

import random

import torch
from PIL import Image, ImageEnhance
from torch.utils.data import Dataset

from train.blending import self_blend
from train.config import Augmentation
from train.data import Sample
from virtus.faces import crop_face
from virtus.images import load_image
from virtus.perturbations import jpeg, mirror, rescale
from virtus.preprocessing import EvalTransform
from virtus.results import Face, Label


class FaceDataset(Dataset):
    """Rows `{"pixel_values": float32 (3, height, width), "labels": int}`; 1 is fake.

    Samples without a face are left out.
    """

    def __init__(self, samples: list[Sample], faces: dict, transform: EvalTransform):
        self.samples = [sample for sample in samples if faces[sample.path] is not None]
        self.faces = faces
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def _row(self, picture: Image.Image, label: Label) -> dict:
        return {"pixel_values": torch.from_numpy(self.transform(picture)), "labels": int(label is Label.FAKE)}


class CropDataset(FaceDataset):
    """Face crops as the engine sees them."""

    def __init__(self, samples: list[Sample], faces: dict, transform: EvalTransform, *, margin: float):
        super().__init__(samples, faces, transform)
        self.margin = margin

    def __getitem__(self, index: int) -> dict:
        sample = self.samples[index]
        crop = crop_face(load_image(sample.path), self.faces[sample.path], margin=self.margin)
        return self._row(crop.image, sample.label)


class TrainDataset(FaceDataset):
    """Face crops for training: margin, place and looks are drawn anew each time, from torch's random numbers.

    After the samples come pairs, of real pictures evenly taken: a fake made of one by self-blending, and its original.
    """

    def __init__(
        self,
        samples: list[Sample],
        faces: dict,
        transform: EvalTransform,
        *,
        augmentation: Augmentation,
        blended_share: float = 0.0,
    ):
        super().__init__(samples, faces, transform)
        self.augmentation = augmentation
        self.reals = [sample for sample in self.samples if sample.label is Label.REAL]
        self.num_pairs = round(blended_share * len(self.reals))

    def __len__(self) -> int:
        return len(self.samples) + 2 * self.num_pairs

    def __getitem__(self, index: int) -> dict:
        draw = random.Random(int(torch.randint(2**62, ())))  # each worker and each epoch has its own
        extra = index - len(self.samples)
        sample = self.samples[index] if extra < 0 else self.reals[extra // 2 * len(self.reals) // self.num_pairs]
        image, face = load_image(sample.path), self.faces[sample.path]
        blended = extra >= 0 and extra % 2 == 0
        if blended:
            image = self_blend(image, face, draw).image
        moved = _shift(face, self.augmentation.shift, draw)
        crop = crop_face(image, moved, margin=draw.uniform(*self.augmentation.margin)).image
        return self._row(degrade(crop, self.augmentation, draw), Label.FAKE if blended else sample.label)


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
