"""What each labelled picture is for: to train, to choose, to calibrate, to report."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, replace

from train.config import TrainConfig
from train.data.balance import oversample
from train.data.samples import Sample
from train.data.split import assign_splits, part_of
from virtus.errors import DataError
from virtus.results import Label

POOLED_EVAL_SHARE = 0.4


@dataclass(frozen=True)
class Parts:
    """The samples of a run. `train` may hold one several times; `calibrate` may be empty."""

    train: list[Sample]
    choose: list[Sample]
    calibrate: list[Sample]


def divide(samples: list[Sample], config: TrainConfig) -> Parts:
    """Divide as the recipe says; pictures for the report are in none of the parts, except in a pooled split.

    Raises:
        DataError: where training or choosing would lack a class.
    """
    kept = _limit([sample for sample in samples if sample.source not in config.leave_out], config)
    parts = _pooled(kept, config) if config.split == "pooled-60-40" else _by_group(kept, config)
    for name, part in (("training", parts.train), ("choosing", parts.choose)):
        found = {sample.label for sample in part}
        if len(found) < 2:
            have = ", ".join(sorted(found)) or "none"
            raise DataError(f"The {name} part needs pictures of both classes; it has {have}. Add some, or move some.")
    return parts


def _by_group(samples: list[Sample], config: TrainConfig) -> Parts:
    train = [sample for sample in samples if sample.split == "train"]
    if config.balance == "train":
        train = oversample(train, config.seed)
    train = [sample for sample in train for _ in range(config.source_weights.get(sample.source, 1))]
    choose, calibrate = ([s for s in samples if part_of(s) == part] for part in ("choose", "calibrate"))
    return Parts(train, choose, calibrate)


def _pooled(samples: list[Sample], config: TrainConfig) -> Parts:
    from sklearn.model_selection import train_test_split

    pool = oversample(samples, config.seed)
    labels = [sample.label for sample in pool]
    if min(map(labels.count, Label)) < 2:
        raise DataError("A pooled split needs at least two pictures of each class.")
    train, choose = train_test_split(pool, test_size=POOLED_EVAL_SHARE, stratify=labels, random_state=config.seed)
    return Parts(train, [replace(sample, split="val") for sample in choose], [])


def split_for(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """With a split for each picture where the recipe keeps splits apart; as they are where it pools them."""
    return samples if config.split == "pooled-60-40" else assign_splits(samples, val_share=config.val_share)


def _limit(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """At most `config.limit` pictures of each source, split and class, drawn by the seed."""
    if not config.limit:
        return samples
    shuffled = random.Random(config.seed).sample(samples, len(samples))
    counts, kept = defaultdict(int), []
    for sample in shuffled:
        key = (sample.source, sample.split, sample.label)
        counts[key] += 1
        kept += [sample] if counts[key] <= config.limit else []
    return sorted(kept, key=lambda sample: sample.path)
