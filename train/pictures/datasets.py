"""Pictures for the model: the one crop and the one eval transform; for training, moved, degraded and blended before."""

from __future__ import annotations

import random
from dataclasses import replace

import torch
from PIL import Image
from torch.utils.data import Dataset

from train.config import Augmentation, augment
from train.data import Sample
from train.pictures.face_cache import Faces
from train.pictures.forgery import self_blend
from virtus.faces import crop_face
from virtus.media import load_image
from virtus.models import EvalTransform
from virtus.results import Face, Label


class FaceDataset(Dataset):
    """Rows `{"pixel_values": float32 (3, height, width), "labels": int}`; 1 is fake.

    Samples without a face are left out. Where `faces` is None the pictures are shown whole.
    """

    def __init__(self, samples: list[Sample], faces: Faces | None, transform: EvalTransform):
        self.faces = None if faces is None else {path: face for path, face in faces.items() if face is not None}
        self.samples = [sample for sample in samples if self.faces is None or sample.path in self.faces]
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def _row(self, picture: Image.Image, label: Label) -> dict:
        return {"pixel_values": torch.from_numpy(self.transform(picture)), "labels": int(label is Label.FAKE)}


class CropDataset(FaceDataset):
    """Pictures as the engine sees them."""

    def __init__(self, samples: list[Sample], faces: Faces | None, transform: EvalTransform, *, margin: float):
        super().__init__(samples, faces, transform)
        self.margin = margin

    def of(self, samples: list[Sample]) -> CropDataset:
        """Other pictures, seen alike."""
        return CropDataset(samples, self.faces, self.transform, margin=self.margin)

    def __getitem__(self, index: int) -> dict:
        sample = self.samples[index]
        image = load_image(sample.path)
        if self.faces is not None:
            image = crop_face(image, self.faces[sample.path], margin=self.margin).image
        return self._row(image, sample.label)


class TrainDataset(FaceDataset):
    """Pictures for training: margin, place and looks are drawn anew each time, from torch's random numbers.

    After the samples come pairs, of real pictures evenly taken: a fake made of one by self-blending, and its original.
    """

    def __init__(
        self,
        samples: list[Sample],
        faces: Faces | None,
        transform: EvalTransform,
        *,
        augmentation: Augmentation,
        blended_share: float = 0.0,
    ):
        super().__init__(samples, faces, transform)
        self.augmentation = augmentation
        self.reals = [sample for sample in self.samples if sample.label is Label.REAL]
        self.num_pairs = round(blended_share * len(self.reals)) if faces is not None else 0

    def __len__(self) -> int:
        return len(self.samples) + 2 * self.num_pairs

    def __getitem__(self, index: int) -> dict:
        draw = random.Random(int(torch.randint(2**62, ())))  # each worker and each epoch has its own
        extra = index - len(self.samples)
        sample = self.samples[index] if extra < 0 else self.reals[extra // 2 * len(self.reals) // self.num_pairs]
        image, blended = load_image(sample.path), extra >= 0 and extra % 2 == 0
        if self.faces is None:  # in the published recipes' order: resized before it is turned and sharpened
            image = self.transform.resize(image)
        else:
            face = self.faces[sample.path]
            image = self_blend(image, face, draw).image if blended else image
            moved = _shift(face, self.augmentation.shift, draw)
            image = crop_face(image, moved, margin=draw.uniform(*self.augmentation.margin)).image
        return self._row(augment(image, self.augmentation, draw), Label.FAKE if blended else sample.label)


def _shift(face: Face, share: float, draw: random.Random) -> Face:
    dx, dy = (draw.uniform(-share, share) * length for length in (face.width, face.height))
    x0, y0, x1, y1 = face.box_xyxy
    return replace(face, box_xyxy=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))
