"""What a data set would teach beside faces: duplicates, leaks between splits, and shortcuts."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tqdm import tqdm

from train.checks.duplicates import Fingerprint, count_pairs, find_pairs, perceptual_hash
from train.checks.shortcuts import Shortcut, find_shortcuts, measure_picture
from train.data import Sample, crossing_groups, find_samples
from train.pictures import FaceCache, calm
from virtus.errors import ImageError
from virtus.media import load_image
from virtus.results import Face, Label

EVAL_SHARE = 0.4  # of the published recipes' split


@dataclass(frozen=True)
class Audit:
    """The findings on one data set.

    Attributes:
        counts: pictures by class.
        broken: files that cannot be read.
        without_face: how many pictures have no face that the engine finds.
        duplicates: see `train.checks.duplicates.count_pairs`.
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
        return {**vars(self), "shortcuts": [one.to_json() for one in self.shortcuts]}

    def save(self, folder: Path) -> None:
        """Write `audit.json` and `audit.png`."""
        from train.report import draw_shortcuts

        folder.mkdir(parents=True, exist_ok=True)
        (folder / "audit.json").write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        draw_shortcuts(self.shortcuts, folder / "audit.png")

    def table(self) -> str:
        """For people who read it in a terminal."""
        lines = [f"pictures           {', '.join(f'{count} {label}' for label, count in self.counts.items())}"]
        lines.append(
            f"broken             {len(self.broken)}" + (f" ({', '.join(self.broken[:3])})" if self.broken else "")
        )
        lines.append(f"without a face     {self.without_face}")
        lines += [f"duplicates         {name.replace('_', ' ')}: {count}" for name, count in self.duplicates.items()]
        lines.append(f"crossing groups    {len(self.crossing_groups)} {', '.join(self.crossing_groups[:3])}")
        lines.append(f"oversampling leak  {self.oversampling_leak} copies, if balanced before a 60/40 split")
        lines.append(f"\n{'statistic':18} {'AUC before':>10} {'after crop':>10}  {'higher in':9}  verdict")
        return "\n".join(lines + [_shortcut_line(one) for one in self.shortcuts])


def audit_data(data: Path, *, margin: float = 1.3, cache: FaceCache | None = None, limit: int = 0) -> Audit:
    """Look at every picture of a data set once.

    Args:
        margin: of the crop that the shortcuts are measured after.
        limit: looks at that many pictures of each class only, evenly taken; 0 for all.

    Raises:
        DataError: if there are no labelled pictures.
    """
    samples = _every(find_samples(data), limit)
    faces = (cache or FaceCache()).find([sample.path for sample in samples])
    looks = _look_at_all(samples, faces, margin)
    broken = [str(sample.path) for sample, look in zip(samples, looks, strict=True) if look is None]
    whole = [(sample, look) for sample, look in zip(samples, looks, strict=True) if look is not None]
    kept = [sample for sample, _ in whole]
    prints, before, after = zip(*(look for _, look in whole), strict=True) if whole else ((), (), ())
    return Audit(
        counts={str(label): sum(sample.label is label for sample in samples) for label in Label},
        broken=broken,
        without_face=sum(faces[sample.path] is None for sample in kept),
        duplicates=count_pairs(find_pairs(prints), kept),
        crossing_groups=crossing_groups(samples),
        oversampling_leak=count_oversampling_leak(samples),
        shortcuts=find_shortcuts([sample.label is Label.FAKE for sample in kept], list(before), list(after)),
    )


def count_oversampling_leak(samples: Sequence[Sample], *, seed: int = 83) -> int:
    """Evaluation pictures that are also in training if the smaller class is filled up with copies before the split.

    This is what the published recipe does: RandomOverSampler(random_state=83), then a stratified 60/40 split.
    """
    import numpy as np
    from sklearn.model_selection import train_test_split

    draw = np.random.default_rng(seed)
    labels = np.array([sample.label is Label.FAKE for sample in samples])
    counts = Counter(labels.tolist())
    indices = np.arange(len(samples))
    if len(counts) == 2 and counts[True] != counts[False]:
        smaller = indices[labels == (counts[True] < counts[False])]
        indices = np.concatenate([indices, draw.choice(smaller, abs(counts[True] - counts[False]))])
    if len(indices) < 5 or len(counts) < 2:
        return 0
    train, held_out = train_test_split(indices, test_size=EVAL_SHARE, stratify=labels[indices], random_state=seed)
    return int(np.isin(held_out, train).sum())


def _every(samples: list[Sample], limit: int) -> list[Sample]:
    if not limit:
        return samples
    by_class = [[sample for sample in samples if sample.label is label] for label in Label]
    return [sample for own in by_class for sample in own[:: max(1, -(-len(own) // limit))]]


def _look_at_all(samples: list[Sample], faces: dict[Path, Face | None], margin: float) -> list:
    with ProcessPoolExecutor(os.cpu_count(), initializer=calm) as pool:
        paths = [sample.path for sample in samples]
        looks = pool.map(partial(_look, margin=margin), paths, [faces[path] for path in paths], chunksize=16)
        return list(tqdm(looks, total=len(paths), desc="audit", unit="img"))


def _look(path: Path, face: Face | None, *, margin: float) -> tuple[Fingerprint, dict, dict] | None:
    try:
        image = load_image(path)
    except ImageError:
        return None
    fingerprint = Fingerprint(hashlib.sha256(path.read_bytes()).hexdigest(), perceptual_hash(image))
    return fingerprint, *measure_picture(path, image, face, margin=margin)


def _shortcut_line(one: Shortcut) -> str:
    before, after = ("-" if auc is None else f"{auc:.3f}" for auc in (one.auc_before, one.auc_after))
    return f"{one.statistic:18} {before:>10} {after:>10}  {one.higher_in:9}  {one.verdict}"
