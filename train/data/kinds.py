"""Kinds of fakes: which pictures are of one, and what goes with it when it is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from train.data.samples import Sample
from virtus.errors import DataError
from virtus.results import Label

Kinds = Mapping[str, Sequence[str]]
BLENDED, SWAPPED = "made/blended", "made/swapped"  # where fakes that a run makes would lie


def pattern_of(sample: Sample, kinds: Kinds) -> str | None:
    """The first pattern of all kinds that a fake matches; None for a real picture and where none does."""
    if sample.label is Label.REAL:
        return None
    place = f"{sample.source}/{sample.path.name}"
    return next((pattern for patterns in kinds.values() for pattern in patterns if fnmatchcase(place, pattern)), None)


def kind_of(sample: Sample, kinds: Kinds) -> str | None:
    """The kind of a fake; None for a real picture and for a fake of none."""
    pattern = pattern_of(sample, kinds)
    return next((name for name, patterns in kinds.items() if pattern in patterns), None)


def fakes_like(sample: Sample, kinds: Kinds) -> str:
    """By what thresholds bound the fakes that are like it: its kind, or where it has none its source."""
    return kind_of(sample, kinds) or sample.source


def is_left_out(sample: Sample, leave_out: Sequence[str], kinds: Kinds) -> bool:
    """Whether a picture is of a source that is left out, or of a kind, or of the origin of one.

    The origin is all that lies in a source which a pattern of the kind names; a pattern for all sources has none.
    """
    left_out = {name: kinds[name] for name in leave_out if name in kinds}
    origins = {pattern.rpartition("/")[0] for patterns in left_out.values() for pattern in patterns}
    return sample.source in leave_out or sample.source in origins or kind_of(sample, kinds) in left_out


def is_made(how: str, leave_out: Sequence[str], kinds: Kinds) -> bool:
    """Whether fakes are made in that way (`BLENDED`, `SWAPPED`) where so much is left out."""
    return not any(fnmatchcase(how, pattern) for name in leave_out for pattern in kinds.get(name, ()))


def check_left_out(samples: Sequence[Sample], leave_out: Sequence[str], kinds: Kinds) -> None:
    """Refuse to leave out what there is not.

    Raises:
        DataError: naming what there is.
    """
    sources = sorted({sample.source for sample in samples})
    if unknown := [name for name in leave_out if name not in kinds and name not in sources]:
        there = ", ".join([*kinds, *sources])
        raise DataError(f"There is no kind or source {unknown[0]!r} to leave out. There are: {there}.")
