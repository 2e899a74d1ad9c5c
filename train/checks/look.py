"""The cheap part of the audit, which `fit` does first: what would make the figures of a run a lie."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from train.checks.shortcuts import Shortcut, find_shortcuts, measure_picture
from train.config import TrainConfig
from train.data import Sample, Unreadable, check_groups, count_table, crossing_groups
from train.pictures import Faces
from virtus.media import load_image
from virtus.results import Label

NUM_MEASURED = 150  # pictures of each class, whose shortcuts are measured


@dataclass(frozen=True)
class Look:
    """The findings.

    Attributes:
        unreadable: files that cannot be read; they are left out.
        without_face: how many pictures have no face that the engine finds.
        crossing_groups: how many groups lie in several splits.
        duplicates: how many files lie byte for byte in several splits.
        shortcuts: of a sample of the training pictures.
    """

    unreadable: tuple[Unreadable, ...]
    without_face: int
    crossing_groups: int
    duplicates: int
    shortcuts: tuple[Shortcut, ...]

    def to_json(self) -> dict:
        """The part "audit" of run.json."""
        return {
            "broken": len(self.unreadable),
            "without_face": self.without_face,
            "crossing_groups": self.crossing_groups,
            "exact_duplicates_across_splits": self.duplicates,
            "shortcuts": [shortcut.to_json() for shortcut in self.shortcuts],
        }

    def lines(self) -> list[str]:
        """What a trainer should know before the hours are spent."""
        broken = [f"cannot be read: {file.path} ({file.reason})" for file in self.unreadable[:5]]
        more = [f"... and {len(self.unreadable) - 5} more files"] if len(self.unreadable) > 5 else []
        counts = [(self.without_face, "pictures without a face that the engine finds"),
                  (self.crossing_groups, "groups lie in several splits"),
                  (self.duplicates, "files lie byte for byte in several splits")]  # fmt: skip
        shortcuts = [
            "{} alone tells fake from real: AUC {} in the picture, {} after the crop".format(
                shortcut.statistic, *shortcut.aucs(2)
            )
            for shortcut in self.shortcuts
            if shortcut.told
        ]
        return [*broken, *more, *(f"{count} {what}" for count, what in counts if count), *shortcuts]


def look_first(
    samples: Sequence[Sample],
    faces: Faces,
    unreadable: Sequence[Unreadable],
    config: TrainConfig,
    *,
    anyway: bool,
    quiet: bool,
) -> Look:
    """Look, say what was found, and refuse a split that groups cross.

    Args:
        samples: that can be read.
        unreadable: that cannot.
        anyway: do not refuse.
        quiet: do not print: of several processes one does.

    Raises:
        DataError: if groups cross the splits that the recipe keeps apart.
    """
    look = Look(
        tuple(unreadable),
        sum(faces[sample.path] is None for sample in samples),
        len(crossing_groups(samples)),
        _count_duplicates(samples),
        tuple(_measure(samples, faces, config)),
    )
    if not quiet:
        print("\n".join([count_table(list(samples)), *look.lines()]), flush=True)
    if config.split == "by-group" and not anyway:
        check_groups(samples)
    return look


def _count_duplicates(samples: Sequence[Sample]) -> int:
    splits = defaultdict(set)
    for sample in samples:
        splits[hashlib.sha256(sample.path.read_bytes()).digest()].add(sample.split)
    return sum(len(in_splits) > 1 for in_splits in splits.values())


def _measure(samples: Sequence[Sample], faces: Faces, config: TrainConfig) -> list[Shortcut]:
    draw, drawn = random.Random(config.seed), list[Sample]()
    usable = [s for s in samples if s.split in (None, "train") and faces[s.path] and s.source not in config.leave_out]
    for label in Label:
        of_class = [sample for sample in usable if sample.label is label]
        drawn += draw.sample(of_class, min(len(of_class), NUM_MEASURED))
    looks = [measure_picture(s.path, load_image(s.path), faces[s.path], margin=config.margin) for s in drawn]
    before, after = zip(*looks, strict=True) if looks else ((), ())
    return find_shortcuts([sample.label is Label.FAKE for sample in drawn], before, after)
