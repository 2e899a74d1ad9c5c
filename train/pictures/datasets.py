"""Pictures for the model: the one crop and the one eval transform; for training, moved, degraded and blended before."""

from __future__ import annotations

import io
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from PIL import Image
from torch.utils.data import Dataset, Sampler

from train.config import Augmentation, augment, degrade_ordinarily
from train.data import Sample
from train.pictures.face_cache import Faces
from train.pictures.forgery import self_blend
from virtus.faces import crop_face
from virtus.media import load_image
from virtus.models import EvalTransform
from virtus.results import Face, Label


@dataclass(frozen=True)
class DegradedPhoto:
    """A picture as it might have come to us instead: the same whenever it is asked for, of the same size and place.

    To `virtus.judging` it is a picture that lies elsewhere than in a file of its own.
    """

    sample: Sample

    def load(self) -> Image.Image:
        draw = random.Random(f"{self.sample.group} {self.sample.path.name}")
        return degrade_ordinarily(load_image(self.sample.path), draw)

    def read(self) -> bytes:
        stream = io.BytesIO()
        self.load().save(stream, "png", compress_level=1)
        return stream.getvalue()

    def __str__(self) -> str:
        return f"{self.sample.path}, degraded"


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
    """Pictures as the engine sees them; or as it would see them degraded."""

    def __init__(
        self,
        samples: list[Sample],
        faces: Faces | None,
        transform: EvalTransform,
        *,
        margin: float,
        degraded: bool = False,
    ):
        super().__init__(samples, faces, transform)
        self.margin, self.degraded = margin, degraded

    def of(self, samples: list[Sample], *, degraded: bool = False) -> CropDataset:
        """Other pictures, in the same way."""
        return CropDataset(samples, self.faces, self.transform, margin=self.margin, degraded=degraded)

    def __getitem__(self, index: int) -> dict:
        sample = self.samples[index]
        image = DegradedPhoto(sample).load() if self.degraded else load_image(sample.path)
        if self.faces is not None:
            image = crop_face(image, self.faces[sample.path], margin=self.margin).image
        return self._row(image, sample.label)


class TrainDataset(FaceDataset):
    """Pictures for training: margin, place and looks are drawn anew in each epoch, by seed, epoch and row.

    By these alone, so that a run that goes on in the middle of an epoch sees what it would have seen. What is shown
    again in an epoch is asked for by the row's number plus a multiple of all.

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
        seed: int = 0,
    ):
        super().__init__(samples, faces, transform)
        self.seed, self.epoch = seed, 0
        self.augmentation = augmentation
        self.reals = [sample for sample in self.samples if sample.label is Label.REAL]
        self.num_pairs = round(blended_share * len(self.reals)) if faces is not None else 0

    def __len__(self) -> int:
        return len(self.samples) + 2 * self.num_pairs

    def set_epoch(self, epoch: int) -> None:
        """From now on other things are drawn."""
        self.epoch = epoch

    @property
    def kinds(self) -> list[tuple[Label, str]]:
        """Class and group of each row; a fake made here and its original are a group of their own."""
        own = [(sample.label, sample.group) for sample in self.samples]
        made = [(label, f"blended {pair}") for pair in range(self.num_pairs) for label in (Label.FAKE, Label.REAL)]
        return own + made

    def __getitem__(self, index: int) -> dict:
        draw, index = random.Random(f"{self.seed} {self.epoch} {index}"), index % len(self)
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


class PairSampler(Sampler[int]):
    """Rows in an order in which each two neighbours are a real picture and a fake, of one group wherever that has both.

    In such a group every picture of the more frequent class stands beside one of the other, of which all come equally
    often. The rest is filled up to couples likewise, across groups. Pairs lie evenly among these, so that batches of an
    even size hold about equally many. The same seed and epoch give the same order, in every process. What comes
    again is numbered as `TrainDataset` takes it.

    Args:
        kinds: class and group of each row, of both classes some.
    """

    def __init__(self, kinds: Sequence[tuple[Label, str]], *, seed: int):
        self.seed, self.epoch, self.num_rows = seed, 0, len(kinds)
        by_group = defaultdict[str, tuple[list[int], list[int]]](lambda: ([], []))
        for row, (label, group) in enumerate(kinds):
            by_group[group][label is Label.FAKE].append(row)
        self.groups = [both for both in by_group.values() if all(both)]
        reals, fakes = ([row for both in by_group.values() for row in both[index] if not all(both)] for index in (0, 1))
        if reals or fakes:  # where one class is all in pairs, its pictures there serve twice
            of_class = {label: [row for row, kind in enumerate(kinds) if kind[0] is label] for label in Label}
            reals, fakes = reals or of_class[Label.REAL], fakes or of_class[Label.FAKE]
        self.rest = reals, fakes

    @property
    def num_pairs(self) -> int:
        """Of one group each, in an epoch."""
        return sum(max(map(len, both)) for both in self.groups)

    def __len__(self) -> int:
        return 2 * (self.num_pairs + max(map(len, self.rest)))

    def set_epoch(self, epoch: int) -> None:
        """From now on another order is drawn."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        draw, shown = random.Random(f"{self.seed} {self.epoch}"), Counter[int]()
        pairs = [couple for both in self.groups for couple in _couples(*both, draw)]
        kinds = (draw.sample(couples, len(couples)) for couples in (pairs, _couples(*self.rest, draw)))
        placed = [((place + 0.5) / len(couples), couple) for couples in kinds for place, couple in enumerate(couples)]
        for row in (row for _, couple in sorted(placed) for row in couple):
            yield row + shown[row] * self.num_rows
            shown[row] += 1


def _couples(reals: list[int], fakes: list[int], draw: random.Random) -> list[tuple[int, int]]:
    """Each of the more frequent beside one of the others."""
    reals, fakes = (draw.sample(rows, len(rows)) for rows in (reals, fakes))
    count = max(len(reals), len(fakes))
    return [(reals[place % len(reals)], fakes[place % len(fakes)]) for place in range(count)]


def _shift(face: Face, share: float, draw: random.Random) -> Face:
    dx, dy = (draw.uniform(-share, share) * length for length in (face.width, face.height))
    x0, y0, x1, y1 = face.box_xyxy
    return replace(face, box_xyxy=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))
