"""What several faces make of a picture: the more there are, the surer one must look fake to make it fake.

At most one in twenty real pictures may be called fake, however many faces each has: see `fake_above_among`. And who
stands out of focus, or half outside, beside somebody ten times as large decides nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median
from typing import Any, ClassVar, Protocol, TypeVar

from virtus.checkpoints import at_prior, fake_above_among
from virtus.results import Box, Calibration, Caution, ImageReport, Outcome, gravest

MAX_BYSTANDER = 0.1  # of the main face's area
NEVER = math.nextafter(1, 2)  # a p from which on a face is fake that no p makes fake
NOTHING = ("unfamiliar", "too_close")  # cautions by which p counts for nothing
UNCLEAR = {"blurred": "out of focus", "cut_off": "cut off"}
BYSTANDER = "This face is {how} and less than a tenth as large as the main one: whatever its p is, it proves no fake."
ONE_OF_SEVERAL = (
    "Among {count} real faces one with such a p may be found more often than one time in twenty: "
    "with so many, a face is called fake from p = {bound:.3f} on."
)


class Judged(Protocol):
    """A face of a picture, or a person of a clip, with what came out of it alone."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def outcome(self) -> Outcome: ...
    @property
    def p_fake(self) -> float | None: ...
    @property
    def cautions(self) -> tuple[Caution, ...]: ...


Part = TypeVar("Part", bound=Judged)


def decide_picture(report: ImageReport) -> ImageReport:
    """The same report: its faces called fake only where so many faces allow it, and the outcome that follows.

    Args:
        report: each face with the outcome that it has alone.
    """
    boxes = [[face.box_xyxy] for face in report.faces]
    faces = decide_among(report.faces, boxes, report.checkpoint.calibration, report.prior)
    return replace(report, faces=tuple(faces), outcome=gravest(face.outcome for face in faces))


def decide_among(
    parts: Sequence[Part], boxes: Sequence[Sequence[Box]], calibration: Calibration | None, prior: float
) -> list[Part]:
    """The same faces or persons; `inconclusive`, with the reason, where one came out as fake that proves none here.

    Args:
        boxes: of each, one or many: who has less than a tenth of the largest judged one's area may be a bystander.
        calibration, prior: that every p and outcome went by.
    """
    unclear = _bystanders(parts, boxes)
    count = _num_counted(parts, unclear)
    used = _thresholds(parts, unclear, at_prior(calibration, prior), fake_above_among(calibration, prior, count))
    return [_decided(*one, count) for one in zip(parts, unclear, used, strict=True)]


def thresholds_among(
    parts: Sequence[Judged], boxes: Sequence[Sequence[Box]], calibration: Calibration | None, prior: float
) -> list[Calibration]:
    """Those that the p of each goes by: `outcome_of` its p by them is its outcome, where p alone makes it.

    Of several more is asked of a fake; a bystander out of focus is never fake (`NEVER`); and of a face unlike all that
    the checkpoint learned from, every p is inconclusive.

    Args:
        parts, boxes, calibration, prior: as in `decide_among`.
    """
    unclear = _bystanders(parts, boxes)
    bound = fake_above_among(calibration, prior, _num_counted(parts, unclear))
    return _thresholds(parts, unclear, at_prior(calibration, prior), bound)


def _thresholds(parts: Sequence[Judged], unclear: Sequence[str], alone: Calibration, bound: float) -> list[Calibration]:
    """Of each, from those of a face alone and the p from which one of so many is fake."""
    unlike = [any(caution.name in NOTHING for caution in part.cautions) for part in parts]
    return [
        replace(alone, real_below=0.0 if new else alone.real_below, fake_above=NEVER if new or how else bound)
        for new, how in zip(unlike, unclear, strict=True)
    ]


def thresholds_of(report: ImageReport, index: int) -> Calibration:
    """`thresholds_among` of one face of a picture."""
    boxes = [[face.box_xyxy] for face in report.faces]
    return thresholds_among(report.faces, boxes, report.checkpoint.calibration, report.prior)[index]


def _bystanders(parts: Sequence[Judged], boxes: Sequence[Sequence[Box]]) -> list[str]:
    """Of each why it proves no fake, in words; empty for all others."""
    areas = [median((x1 - x0) * (y1 - y0) for x0, y0, x1, y1 in each) for each in boxes]
    main = max((area for part, area in zip(parts, areas, strict=True) if part.outcome.judged), default=0.0)
    return [_unclear(part) if area < MAX_BYSTANDER * main else "" for part, area in zip(parts, areas, strict=True)]


def _num_counted(parts: Sequence[Judged], unclear: Sequence[str]) -> int:
    """By how many a picture is judged, at least one."""
    return max(1, sum(part.outcome.judged and not how for part, how in zip(parts, unclear, strict=True)))


def _unclear(part: Judged) -> str:
    """Why its p is worth little, in words; empty where nothing is the matter."""
    return next((UNCLEAR[caution.name] for caution in part.cautions if caution.name in UNCLEAR), "")


def _decided(part: Part, unclear: str, used: Calibration, count: int) -> Part:
    if part.outcome is not Outcome.FAKE or part.p_fake is None or part.p_fake >= used.fake_above:
        return part
    reason = ONE_OF_SEVERAL.format(count=count, bound=used.fake_above)
    return replace(part, outcome=Outcome.INCONCLUSIVE, reason=BYSTANDER.format(how=unclear) if unclear else reason)
