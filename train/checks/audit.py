"""What a data set would teach beside faces: duplicates, leaks between splits, and shortcuts."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

from train.checks.shortcuts import Shortcut, find_shortcuts, measure_picture
from train.data import Sample, crossing_groups, load_samples, split_pooled, spread, take_evenly
from train.pictures import FaceCache
from virtus.errors import DataError, ImageError
from virtus.media import load_image
from virtus.results import Face, Label

MAX_DISTANCE = 4  # of 64 bits: re-saved and rescaled copies lie within it, other photos of the same face do not
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Audit:
    """The findings on one data set.

    Attributes:
        counts: pictures by class.
        broken: files that cannot be read.
        without_face: how many pictures have no face that the engine finds.
        duplicates: see `train.checks.audit.count_pairs`.
        crossing_groups: groups that lie in several splits.
        oversampling_leak: see `count_oversampling_leak`.
        shortcuts: see `train.checks.shortcuts`.
    """

    counts: dict[str, int]
    broken: list[str]
    without_face: int
    duplicates: dict[str, int]
    crossing_groups: list[str]
    oversampling_leak: int
    shortcuts: list[Shortcut]

    def to_json(self) -> dict:
        """The content of audit.json."""
        return {**vars(self), "shortcuts": [shortcut.to_json() for shortcut in self.shortcuts]}

    def table(self) -> str:
        """For people who read it in a terminal."""
        examples = f" ({', '.join(self.broken[:3])})" if self.broken else ""
        lines = [
            f"pictures           {', '.join(f'{count} {label}' for label, count in self.counts.items())}",
            f"broken             {len(self.broken)}{examples}",
            f"without a face     {self.without_face}",
            *(f"duplicates         {name.replace('_', ' ')}: {count}" for name, count in self.duplicates.items()),
            f"crossing groups    {len(self.crossing_groups)} {', '.join(self.crossing_groups[:3])}",
            f"oversampling leak  {self.oversampling_leak} copies, if balanced before a 60/40 split",
            f"\n{'statistic':18} {'AUC before':>10} {'after crop':>10}  {'higher in':9}  verdict",
        ]
        for shortcut in self.shortcuts:
            before, after = shortcut.aucs(3)
            lines.append(
                f"{shortcut.statistic:18} {before:>10} {after:>10}  {shortcut.higher_in:9}  {shortcut.verdict}"
            )
        return "\n".join(lines)


def audit_data(data: str | Path, *, margin: float = 1.3, cache: FaceCache | None = None, limit: int = 0) -> Audit:
    """Look at every picture of a data set once.

    Args:
        data: as for `train.data.load_samples`.
        margin: of the crop that the shortcuts are measured after.
        limit: looks at that many pictures of each class only, evenly taken; 0 for all.

    Raises:
        DataError: if there are no labelled pictures.
    """
    samples = load_samples(data).samples
    samples = take_evenly(samples, limit, kind=lambda sample: sample.label) if limit else samples
    paths = [sample.path for sample in samples]
    faces = (cache or FaceCache()).find(paths)
    looks = spread(
        partial(_look, margin=margin),
        paths,
        [faces[path] for path in paths],
        num_workers=os.cpu_count() or 1,
        chunksize=16,
    )
    looks = list(tqdm(looks, total=len(paths), desc="audit", unit="img"))
    readable = [sample for sample, look in zip(samples, looks, strict=True) if look is not None]
    prints, before, after = zip(*filter(None, looks), strict=True) if readable else ((), (), ())
    return Audit(
        counts={str(label): sum(sample.label is label for sample in samples) for label in Label},
        broken=[str(path) for path, look in zip(paths, looks, strict=True) if look is None],
        without_face=sum(faces[sample.path] is None for sample in readable),
        duplicates=count_pairs(find_pairs(prints), readable),
        crossing_groups=crossing_groups(samples),
        oversampling_leak=count_oversampling_leak(samples),
        shortcuts=find_shortcuts([sample.label is Label.FAKE for sample in readable], before, after),
    )


def count_oversampling_leak(samples: Sequence[Sample], *, seed: int = 83) -> int:
    """Evaluation pictures that are also in training if copies fill up the smaller class before the split.

    This is what the published recipe does; 0 where there are too few pictures to be divided.
    """
    try:
        train, held_out = split_pooled(list(samples), seed)
    except DataError:
        return 0
    trained = {sample.path for sample in train}
    return sum(sample.path in trained for sample in held_out)


def _look(path: Path, face: Face | None, *, margin: float) -> tuple[Fingerprint, dict, dict] | None:
    try:
        image = load_image(path)
    except ImageError:
        return None
    fingerprint = Fingerprint(hashlib.sha256(path.read_bytes()).hexdigest(), perceptual_hash(image))
    return fingerprint, *measure_picture(path, image, face, margin=margin)


@dataclass(frozen=True)
class Fingerprint:
    """`sha256` of the bytes; `phash`, 64 bits of the picture's coarse look (DCT signs, as ImageHash computes them)."""

    sha256: str
    phash: int


@dataclass(frozen=True)
class DuplicatePair:
    """Two samples, by their index, that are the same (`exact`) or nearly."""

    first: int
    second: int
    exact: bool


def perceptual_hash(image: Image.Image) -> int:
    """64 bits; few of them differ between two copies of a picture."""
    import imagehash

    return int(str(imagehash.phash(image)), 16)


def find_pairs(prints: Sequence[Fingerprint], *, max_distance: int = MAX_DISTANCE) -> list[DuplicatePair]:
    """All pairs with the same bytes, or whose hashes differ in at most `max_distance` bits."""
    hashes = np.array([fingerprint.phash for fingerprint in prints], dtype=np.uint64)
    pairs = []
    for start in range(0, len(hashes), ROWS_AT_ONCE):
        distances = np.bitwise_count(hashes[start : start + ROWS_AT_ONCE, None] ^ hashes[None, start:])
        for row, column in np.argwhere(distances <= max_distance) + start:
            if column > row:
                pairs.append(DuplicatePair(int(row), int(column), prints[row].sha256 == prints[column].sha256))
    return pairs


def count_pairs(pairs: Sequence[DuplicatePair], samples: Sequence[Sample]) -> dict[str, int]:
    """How many are exact and near, and of these how many join two classes or two splits."""
    counts = Counter()
    for pair in pairs:
        kind = "exact" if pair.exact else "near"
        first, second = samples[pair.first], samples[pair.second]
        counts[kind] += 1
        counts[f"{kind}_across_classes"] += first.label is not second.label
        counts[f"{kind}_across_splits"] += (first.source, first.split) != (second.source, second.split)
    names = [f"{kind}{where}" for kind in ("exact", "near") for where in ("", "_across_classes", "_across_splits")]
    return {name: counts[name] for name in names}
