"""From the p of single frames to a verdict on a person: a robust mean, its spread, and when it says nothing.

The mean is the median: half of the frames could be anything, and it would still lie among the others. The spread are
the quartiles. They do not get narrower with more frames, and that is meant: frames of one clip are not independent, so
that many of them know little more than one. The thresholds are those of single pictures.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from virtus.checkpoints import outcome_of
from virtus.faces import is_too_close
from virtus.judging import TOO_CLOSE, UNFAMILIAR
from virtus.results import Calibration, Caution, Outcome
from virtus.video.report import PersonReport, Sight

MIN_FRAMES = 3  # with fewer, one frame that errs decides
CONTRADICTING = 0.1  # share of the frames that may be called the opposite; one frame always may
SURE = 1e-9  # p nearer to 0 or 1 count as so near: rounding makes no more of them

JudgedSight = tuple[Sight, float]
"""A sight and its p of fake."""

FEW = (
    "Judged in {count}: fewer than the {least} that a verdict on a person rests on. "
    "Read more frames of the clip, or judge a frame as a photo."
)
CONTRADICTION = "The frames contradict each other: {real} came out as real and {fake} as fake, of {total}."
SPREAD = "The frames do not agree: p of half of them lies between {low:.2f} and {high:.2f}, across a threshold."


def judge_person(sights: Sequence[Sight], thresholds: Calibration, *, least: int = MIN_FRAMES) -> PersonReport:
    """A verdict on one person.

    Frames that are unlike anything in training, or cut too close, do not count, unless they are the most: then nothing
    does, and the person is `inconclusive`. So is one who was judged in too few frames, whose frames contradict each
    other, or whose quartiles have another outcome than the median.

    Args:
        sights: of the person, in the order of time; judged or too small.
        thresholds: at the prior of their p.
        least: frames that must count.
    """
    judged = judged_sights(sights)
    if not judged:
        return PersonReport(Outcome.FACE_TOO_SMALL, tuple(sights))
    familiar = [(sight, p) for sight, p in judged if sight.face.novelty is None or sight.face.novelty <= 1]
    whole = [(sight, p) for sight, p in familiar if not is_too_close(sight.face.cautions)]
    unlike, too_close = (2 * len(some) < len(judged) for some in (familiar, whole))
    counted = judged if too_close else whole
    low, p_fake, high = _quartiles([p for _, p in counted])
    reason = UNFAMILIAR if unlike else TOO_CLOSE if too_close else None
    reason = reason or _doubt([p for _, p in counted], (low, p_fake, high), thresholds, least)
    outcome = Outcome.INCONCLUSIVE if reason else outcome_of(p_fake, thresholds)
    return PersonReport(
        outcome,
        tuple(sights),
        p_fake=p_fake,
        p_low=low,
        p_high=high,
        num_counted=len(counted),
        telling=sights.index(_key_frame(counted, outcome, p_fake)),
        novelty=_median_novelty(judged),
        cautions=_common_cautions(judged),
        reason=reason,
    )


def judged_sights(sights: Sequence[Sight]) -> list[JudgedSight]:
    """Those in which the face was large enough, each with its p of fake."""
    return [(sight, sight.face.p_fake) for sight in sights if sight.face.p_fake is not None]


def _quartiles(p_fakes: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile, taken in logits, where p near 0 and 1 are not crowded."""
    p_fake = np.clip(np.asarray(p_fakes, float), SURE, 1 - SURE)
    logits = np.quantile(np.log(p_fake / (1 - p_fake)), (0.25, 0.5, 0.75))
    low, median, high = (1 / (1 + np.exp(-logits))).tolist()
    return low, median, high


def _doubt(
    p_fakes: Sequence[float], quartiles: tuple[float, float, float], thresholds: Calibration, least: int
) -> str | None:
    """Why the frames give no verdict; None where they do, or where the median itself is between the thresholds."""
    if len(p_fakes) < least:
        return FEW.format(count=_frames(len(p_fakes)), least=least)
    outcomes = Counter(outcome_of(p_fake, thresholds) for p_fake in p_fakes)
    real, fake = outcomes[Outcome.REAL], outcomes[Outcome.FAKE]
    if min(real, fake) > max(1, CONTRADICTING * len(p_fakes)):
        return CONTRADICTION.format(real=real, fake=fake, total=_frames(len(p_fakes)))
    low, outcome, high = (outcome_of(p_fake, thresholds) for p_fake in quartiles)
    if outcome is not Outcome.INCONCLUSIVE and {low, high} != {outcome}:
        return SPREAD.format(low=quartiles[0], high=quartiles[2])
    return None


def _key_frame(counted: Sequence[JudgedSight], outcome: Outcome, p_fake: float) -> Sight:
    """Where the verdict is plainest: the most extreme p on its side. Of an inconclusive person, the typical frame."""
    if outcome is Outcome.FAKE:
        return max(counted, key=lambda judged: judged[1])[0]
    if outcome is Outcome.REAL:
        return min(counted, key=lambda judged: judged[1])[0]
    return min(counted, key=lambda judged: math.fabs(judged[1] - p_fake))[0]


def _common_cautions(judged: Sequence[JudgedSight]) -> tuple[Caution, ...]:
    """Those of most frames. That there are several faces is no matter here: each person has a verdict of its own."""
    counts = Counter(c for sight, _ in judged for c in sight.face.cautions if c.name != "several_faces")
    return tuple(caution for caution, count in counts.items() if 2 * count > len(judged))


def _median_novelty(judged: Sequence[JudgedSight]) -> float | None:
    known = [sight.face.novelty for sight, _ in judged if sight.face.novelty is not None]
    return float(np.median(known)) if known else None


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
