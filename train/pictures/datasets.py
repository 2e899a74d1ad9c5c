"""Pictures for the model: the one crop and the one eval transform; for training, moved, degraded and blended before."""

from __future__ import annotations

import io
import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image
from torch.utils.data import Dataset

from train.config import Augmentation, augment, degrade_ordinarily
from train.data import BLENDED, SWAPPED, Sample, fraction, pattern_of
from train.pictures.face_cache import Faces
from train.pictures.forgery import PARTS, pose_of, self_blend, swap_part
from train.pictures.samplers import RowKind
from virtus.errors import DataError
from virtus.faces import crop_face, cut_out
from virtus.media import load_image
from virtus.models import EvalTransform
from virtus.results import Face, Label

NUM_DONORS = 48  # that the face nearest in pose is looked for among
SWAPPED_PARTS = ("face", *PARTS)
CLEAN = " clean"  # ends the number of a draw that is moved and not degraded


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

    def __getitem__(self, index: int) -> dict:
        return self._shown(index, "0")

    def _shown(self, row: int, number: str) -> dict:
        return {"pixel_values": torch.from_numpy(self.pixel_values(row, number)), "labels": self.label(row)}

    def pixel_values(self, row: int, number: str) -> np.ndarray:
        """Float32 (3, height, width) of one of a row's draws."""
        return self.transform(self.picture(row, number))

    def picture(self, row: int, number: str) -> Image.Image:
        """One of a row's draws before the eval transform."""
        raise NotImplementedError

    def label(self, row: int) -> int:
        """1 is fake."""
        return int(self.samples[row].label is Label.FAKE)

    def name(self, row: int, number: str) -> str:
        """Of one of a row's draws; what has the same looks the same."""
        raise NotImplementedError

    def _face(self, sample: Sample) -> Face | None:
        return None if self.faces is None else self.faces[sample.path]

    def _content(self, sample: Sample) -> str:
        face = self._face(sample)
        box = [round(value, 1) for value in face.box_xyxy] if face else None
        return f"{_name(sample)} {sample.path.stat().st_size} {box}"


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

    def picture(self, row: int, number: str) -> Image.Image:  # noqa: ARG002  all of a row are alike
        sample = self.samples[row]
        image = DegradedPhoto(sample).load() if self.degraded else load_image(sample.path)
        return cut_out(image, self._face(sample), margin=self.margin).image

    def name(self, row: int, number: str) -> str:  # noqa: ARG002
        degraded = " degraded" if self.degraded else ""
        return f"margin {self.margin}{degraded} {self._content(self.samples[row])}"


class TrainDataset(FaceDataset):
    """Pictures for training: margin, place and looks are drawn anew in each epoch, by seed, epoch and picture.

    By these alone, so that a run that goes on in the middle of an epoch sees what it would have seen, and one with
    fewer pictures what it saw of the same. What is shown again in an epoch is asked for by the row's number plus a
    multiple of all.

    After the samples come pairs: a fake made of a real picture, and its original.

    Args:
        blended_share, swapped_share: of the real pictures, of which such a fake is made; see `TrainConfig`.
        kinds: see `TrainConfig`.
    """

    def __init__(
        self,
        samples: list[Sample],
        faces: Faces | None,
        transform: EvalTransform,
        *,
        augmentation: Augmentation,
        blended_share: float = 0.0,
        swapped_share: float = 0.0,
        kinds: Mapping[str, Sequence[str]] | None = None,
        seed: int = 0,
    ):
        super().__init__(samples, faces, transform)
        self.seed, self.epoch = seed, 0
        self.augmentation = augmentation
        shares = {BLENDED: blended_share, SWAPPED: swapped_share} if faces is not None else {}
        self.donors = _by_source(self.samples)
        made = [(how, sample) for how, share in shares.items() for sample in self._taken(share, how)]
        self.rows = _named([
            *(TrainRow(sample) for sample in self.samples),
            *(TrainRow(sample, how, is_made=fake) for how, sample in made for fake in (True, False)),
        ])  # fmt: skip
        self.kinds = [_kind(row, kinds or {}) for row in self.rows]

    def _taken(self, share: float, how: str) -> list[Sample]:
        """Real pictures to make fakes of: by a hash, so that the same are taken where there are fewer."""
        reals = [sample for sample in self.samples if sample.label is Label.REAL]
        reals = [sample for sample in reals if how is not SWAPPED or len(self.donors[sample.source]) > 1]
        return sorted(reals, key=lambda sample: fraction(f"{how} {_name(sample)}"))[: round(share * len(reals))]

    def __len__(self) -> int:
        return len(self.rows)

    def set_epoch(self, epoch: int) -> None:
        """From now on other things are drawn."""
        self.epoch = epoch

    def __getitem__(self, index: int) -> dict:
        return self._shown(index % len(self), f"{self.epoch} {index // len(self)}")

    def label(self, row: int) -> int:
        return int(self.rows[row].label is Label.FAKE)

    def name(self, row: int, number: str) -> str:
        return f"seed {self.seed} {number} {self.rows[row].name} {self._content(self.rows[row].sample)}"

    def picture(self, row: int, number: str) -> Image.Image:
        shown = self.rows[row]
        sample, clean = shown.sample, number.endswith(CLEAN)
        draw = random.Random(f"{self.seed} {number.removesuffix(CLEAN)} {shown.name}")
        image = load_image(sample.path)
        if self.faces is None:  # in the published recipes' order: resized before it is turned and sharpened
            return augment(self.transform.resize(image), self.augmentation, draw, clean=clean)
        face = self.faces[sample.path]
        if shown.is_made:
            image = self_blend(image, face, draw).image if shown.made is BLENDED else self._swap(image, sample, draw)
        moved = _shift(face, self.augmentation.shift, draw)
        crop = crop_face(image, moved, margin=draw.uniform(*self.augmentation.margin)).image
        return augment(crop, self.augmentation, draw, clean=clean)

    def _swap(self, image: Image.Image, sample: Sample, draw: random.Random) -> Image.Image:
        """With a part of the face that is nearest in pose, of some of the same source."""
        faces, others = self.faces or {}, self.donors[sample.source]
        others = [other for other in draw.sample(others, min(NUM_DONORS, len(others))) if other != sample]
        face = faces[sample.path]
        donor = min(others, key=lambda other: math.dist(pose_of(faces[other.path]), pose_of(face)))
        part, feather = draw.choice(SWAPPED_PARTS), draw.choice((0.0, draw.uniform(0.01, 0.08)))
        try:
            given = load_image(donor.path), faces[donor.path]
            return swap_part(*given, image, face, part, feather=feather).image
        except (DataError, cv2.error):  # the part reaches over the border
            return self_blend(image, face, draw).image


class MadeDataset(TrainDataset):
    """Fakes made of real pictures, as the engine would see them.

    Args:
        hows: in which ways (`train.data.BLENDED`, `SWAPPED`): of each picture, in one of them.
    """

    def __init__(
        self, reals: list[Sample], faces: Faces, transform: EvalTransform, *, hows: Sequence[str], margin: float
    ):
        plain = Augmentation(
            margin=(margin, margin), shift=0.0, mirror_chance=0.0, colour_chance=0.0, scale_chance=0.0, jpeg_chance=0.0
        )
        blended, swapped = (float(how in hows) for how in (BLENDED, SWAPPED))
        super().__init__(reals, faces, transform, augmentation=plain, blended_share=blended, swapped_share=swapped)
        ways = defaultdict[Path, list[TrainRow]](list)
        for row in self.rows:
            ways[row.sample.path] += [row] if row.is_made else []
        self.rows = [_drawn(made) for made in ways.values() if made]
        self.kinds = [_kind(row, {}) for row in self.rows]

    def __getitem__(self, index: int) -> dict:
        return self._shown(index, "0")

    def name(self, row: int, number: str) -> str:
        return f"as seen, {self.augmentation.margin} {super().name(row, number)}"


@dataclass(frozen=True)
class TrainRow:
    """What a training row shows.

    Attributes:
        made: how the fake of its pair was made, "" for a picture of the data set.
        is_made: whether it is that fake; else it is the picture itself.
        name: the same in every run, and no other row's.
    """

    sample: Sample
    made: str = ""
    is_made: bool = False
    name: str = ""

    @property
    def label(self) -> Label:
        return Label.FAKE if self.is_made else self.sample.label


def _named(rows: list[TrainRow]) -> list[TrainRow]:
    """With names; copies are numbered."""
    seen, named = Counter[str](), []
    for row in rows:
        name = " ".join(filter(None, (_name(row.sample), row.made, "fake" if row.is_made else "")))
        named.append(replace(row, name=f"{name} {seen[name]}" if seen[name] else name))
        seen[name] += 1
    return named


def _drawn(made: list[TrainRow]) -> TrainRow:
    """One of the fakes of a picture: by a hash, so that it is the same beside other pictures."""
    return made[int(fraction(f"way {_name(made[0].sample)}") * len(made))]


def _name(sample: Sample) -> str:
    """What is drawn and kept of a picture goes by it: with another one all of that would be made anew."""
    file = f"{sample.clip}/{sample.path.name}" if sample.clip else sample.path.name
    return f"{sample.source}/{sample.split}/{sample.label}/{file}"


def _kind(row: TrainRow, kinds: Mapping[str, Sequence[str]]) -> RowKind:
    """A fake made here and its original are a group of their own."""
    if row.made:
        group = f"{row.made} {row.sample.path}"
        return RowKind(row.label, group, row.made if row.is_made else row.sample.source)
    return RowKind(row.label, row.sample.group, pattern_of(row.sample, kinds) or row.sample.source)


def _by_source(samples: list[Sample]) -> dict[str, list[Sample]]:
    donors = defaultdict[str, list[Sample]](list)
    for sample in samples:
        if sample.label is Label.REAL:
            donors[sample.source].append(sample)
    return donors


def _shift(face: Face, share: float, draw: random.Random) -> Face:
    dx, dy = (draw.uniform(-share, share) * length for length in (face.width, face.height))
    x0, y0, x1, y1 = face.box_xyxy
    return replace(face, box_xyxy=(x0 + dx, y0 + dy, x1 + dx, y1 + dy))
