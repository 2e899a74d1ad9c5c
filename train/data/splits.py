"""What each labelled picture is for, so that no group serves two ends: to train, choose, calibrate, report."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from train.config import TrainConfig
from train.data.kinds import check_left_out, is_left_out
from train.data.samples import Sample
from virtus.errors import DataError
from virtus.results import Label

PARTS = {"choose": 0.15, "calibrate": 0.5, "report": 1.0}  # of a `val` split, each from the one before to its own end
POOLED_EVAL_SHARE = 0.4


@dataclass(frozen=True)
class Parts:
    """The samples of a run. `train` may hold one several times; `calibrate` may be empty."""

    train: list[Sample]
    choose: list[Sample]
    calibrate: list[Sample]


def assign_splits(samples: Iterable[Sample], *, val_share: float) -> list[Sample]:
    """Give a split to the pictures of each source whose tree has none: by a hash of the group, so it never changes.

    A source that has a `train` split but no `val` is divided likewise; one that has both stays as it is.
    """
    by_source = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    return [sample for same_source in by_source.values() for sample in _assign(same_source, val_share)]


def split_for(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """With a split for each picture where the recipe keeps splits apart; as they are where it pools them."""
    return samples if config.split == "pooled-60-40" else assign_splits(samples, val_share=config.val_share)


def crossing_groups(samples: Iterable[Sample]) -> list[str]:
    """Groups that lie in more than one split, sorted."""
    splits = defaultdict(set)
    for sample in samples:
        splits[sample.group].add(sample.split)
    return sorted(group for group, in_splits in splits.items() if len(in_splits) > 1)


def check_groups(samples: Iterable[Sample]) -> None:
    """Refuse a split that a group crosses.

    Raises:
        DataError: naming some of those groups.
    """
    if crossing := crossing_groups(samples):
        names = ", ".join(crossing[:5])
        raise DataError(f"{len(crossing)} groups lie in several splits ({names}): move each to one of them.")


def part_of(sample: Sample) -> str | None:
    """What a held-out sample is for: to "choose" a checkpoint, to "calibrate" it, or to "report" how good it is.

    A `val` split is divided 15 : 35 : 50 by a hash of the group, so that no picture ever serves two ends; a `test`
    split is for the report alone. None for training.
    """
    if sample.split == "test":
        return "report"
    if sample.split != "val":
        return None
    place = fraction(sample.group)
    return next(part for part, end in PARTS.items() if place < end)


def divide(samples: list[Sample], config: TrainConfig) -> Parts:
    """Divide as the recipe says; pictures for the report are in none of the parts, except in a pooled split.

    Raises:
        DataError: where training or choosing would lack a class, or there is not what is to be left out.
    """
    check_left_out(samples, config.leave_out, config.kinds)
    limited = _limit(samples, config)  # first, so that runs that leave out different things share what they show
    kept = [sample for sample in limited if not is_left_out(sample, config.leave_out, config.kinds)]
    parts = Parts(*split_pooled(kept, config.seed), []) if config.split == "pooled-60-40" else _by_group(kept, config)
    for name, part in (("training", parts.train), ("choosing", parts.choose)):
        labels = {sample.label for sample in part}
        if len(labels) < 2:
            have = ", ".join(sorted(labels)) or "none"
            raise DataError(f"The {name} part needs pictures of both classes; it has {have}. Add some, or move some.")
    return parts


def split_pooled(samples: list[Sample], seed: int) -> tuple[list[Sample], list[Sample]]:
    """Training and held-out pictures as the published notebooks divide them: balanced by copies, then 60/40.

    Raises:
        DataError: for fewer than two pictures of a class.
    """
    from sklearn.model_selection import train_test_split

    pool = oversample(samples, seed)
    labels = [sample.label for sample in pool]
    if min(map(labels.count, Label)) < 2:
        raise DataError("A pooled split needs at least two pictures of each class.")
    train, held_out = train_test_split(pool, test_size=POOLED_EVAL_SHARE, stratify=labels, random_state=seed)
    return list(train), [replace(sample, split="val") for sample in held_out]


def oversample(samples: list[Sample], seed: int) -> list[Sample]:
    """With copies of pictures of the rarer class, drawn at random, until both are equally many.

    imbalanced-learn's RandomOverSampler, as in the published notebooks: its draw is the same for the same seed.
    """
    from imblearn.over_sampling import RandomOverSampler

    labels = [sample.label for sample in samples]
    if len(set(labels)) < 2:
        return samples
    rows = [[index] for index in range(len(samples))]
    indices = RandomOverSampler(random_state=seed).fit_resample(rows, labels)[0]
    return [samples[index] for (index,) in indices]


def _by_group(samples: list[Sample], config: TrainConfig) -> Parts:
    train = [sample for sample in samples if sample.split == "train"]
    if config.balance == "train":
        train = oversample(train, config.seed)
    if config.balance != "batch":  # there they are turns
        train = [sample for sample in train for _ in range(config.source_weights.get(sample.source, 1))]
    choose, calibrate = ([s for s in samples if part_of(s) == part] for part in ("choose", "calibrate"))
    return Parts(train, choose, calibrate)


def _limit(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """At most `config.limit` pictures of each source, split and class, drawn by the seed."""
    if not config.limit:
        return samples
    counts, kept = defaultdict(int), []
    for sample in random.Random(config.seed).sample(samples, len(samples)):
        kind = (sample.source, sample.split, sample.label)
        counts[kind] += 1
        kept += [sample] if counts[kind] <= config.limit else []
    return sorted(kept, key=lambda sample: sample.path)


def _assign(samples: list[Sample], val_share: float) -> list[Sample]:
    if {"train", "val"} <= {sample.split for sample in samples}:
        return samples
    return [
        replace(sample, split="val" if fraction(f"split:{sample.group}") < val_share else "train")
        if sample.split in (None, "train")
        else sample
        for sample in samples
    ]


def fraction(text: str) -> float:
    """A hash of the text, even over [0, 1)."""
    name = text.encode(errors="surrogateescape")  # of a file whose name is no text, its own bytes
    return int.from_bytes(hashlib.sha256(name).digest()[:8], "big") / 2**64
