"""Names that people give the two classes, in label lists and as folders: by name, never by index."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from virtus.results import Label

SYNONYMS = {
    Label.REAL: frozenset(
        "real reals realism realface realfaces realimage realimages authentic genuine original pristine".split()
    ),
    Label.FAKE: frozenset(
        "fake fakes deepfake deepfakes fakeface fakefaces fakeimage fakeimages ai aigenerated artificial generated "
        "synthetic manipulated forged".split()
    ),
}


@dataclass(frozen=True)
class ClassOutputs:
    """Which of a classifier's outputs speak for each class, by their index in the logits.

    p of fake is the share of the fake outputs in the softmax over all. A class without an output counts as one whose
    logit is always 0: that is how a single logit with a sigmoid is read.
    """

    real: tuple[int, ...]
    fake: tuple[int, ...]

    @property
    def by_index(self) -> tuple[Label, ...]:
        """The class of each output, in their order."""
        labels = dict.fromkeys(self.real, Label.REAL) | dict.fromkeys(self.fake, Label.FAKE)
        return tuple(labels[index] for index in sorted(labels))


def label_from_name(name: str) -> Label | None:
    """The class that a name stands for, None where it names neither. Case, spaces and punctuation do not count."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    return next((label for label, names in SYNONYMS.items() if plain in names), None)


def label_from_folders(relative: Path) -> Label | None:
    """The class of a file in a labelled tree: the nearest folder above it whose name is that of a class."""
    return _first(label_from_name(part) for part in reversed(relative.parts[:-1]))


def _first(labels: Iterable[Label | None]) -> Label | None:
    return next((label for label in labels if label is not None), None)
