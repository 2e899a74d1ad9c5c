"""Splits that no group crosses."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from train.data.samples import Sample
from virtus.errors import DataError

PARTS = {"choose": 0.3, "calibrate": 0.5, "report": 1.0}  # of a `val` split, each from the one before to its own end


def assign_splits(samples: Iterable[Sample], *, val_share: float) -> list[Sample]:
    """Give a split to the pictures of each source whose tree has none: by a hash of the group, so it never changes.

    A source that has a `train` split but no `val` is divided likewise; one that has both stays as it is.
    """
    by_source = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    return [sample for own in by_source.values() for sample in _assign(own, val_share)]


def check_groups(samples: Iterable[Sample]) -> None:
    """Refuse a split that a group crosses.

    Raises:
        DataError: naming some of those groups.
    """
    if crossing := crossing_groups(samples):
        names = ", ".join(crossing[:5])
        raise DataError(f"{len(crossing)} groups lie in several splits ({names}): move each to one of them.")


def crossing_groups(samples: Iterable[Sample]) -> list[str]:
    """Groups that lie in more than one split, sorted."""
    splits = defaultdict(set)
    for sample in samples:
        splits[sample.group].add(sample.split)
    return sorted(group for group, found in splits.items() if len(found) > 1)


def part_of(sample: Sample) -> str | None:
    """What a held-out sample is for: to "choose" a checkpoint, to "calibrate" it, or to "report" how good it is.

    A `val` split is divided 30 : 20 : 50 by a hash of the group, so that no picture ever serves two ends; a `test`
    split is for the report alone. None for training.
    """
    if sample.split == "test":
        return "report"
    if sample.split != "val":
        return None
    place = _fraction(sample.group)
    return next(part for part, end in PARTS.items() if place < end)


def _assign(samples: list[Sample], val_share: float) -> list[Sample]:
    if {"train", "val"} <= {sample.split for sample in samples}:
        return samples
    return [
        replace(sample, split="val" if _fraction(f"split:{sample.group}") < val_share else "train")
        if sample.split in (None, "train")
        else sample
        for sample in samples
    ]


def _fraction(text: str) -> float:
    """A hash of the text, even over [0, 1)."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64
