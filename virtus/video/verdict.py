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
from virtus.judging import UNFAMILIAR
from virtus.results import Calibration, Caution, Outcome
from virtus.video.report import PersonReport, Sight

MIN_FRAMES = 3  # with fewer, one frame that errs decides
CONTRADICTING = 0.1  # share of the frames that may be called the opposite; one frame always may
SURE = 1e-9  # p nearer to 0 or 1 count as so near: rounding makes no more of them

FEW = (
    "Judged in {count}: fewer than the {least} that a verdict on a person rests on. "
    "Read more frames of the clip, or judge a frame as a photo."
)
CONTRADICTION = "The frames contradict each other: {real} came out as real and {fake} as fake, of {total}."
SPREAD = "The frames do not agree: p of half of them lies between {low:.2f} and {high:.2f}, across a threshold."


def judge_person(sights: Sequence[Sight], used: Calibration) -> PersonReport:
    """A verdict on one person.

    Frames that are unlike anything in training do not count, unless they are the most: then nothing does, and the
    person is `inconclusive`. So is one who was judged in too few frames, whose frames contradict each other, or whose
    quartiles have another outcome than the median.

    Args:
        sights: of the person, in the order of time; judged or too small.
        used: thresholds at the prior of their p.
    """
    judged = [sight for sight in sights if sight.face.p_fake is not None]
    if not judged:
        return PersonReport(Outcome.FACE_TOO_SMALL, tuple(sights))
    familiar = [sight for sight in judged if sight.face.novelty is None or sight.face.novelty <= 1]
    unlike = 2 * len(familiar) < len(judged)
    counted = judged if unlike else familiar
    low, p_fake, high = _quartiles([sight.face.p_fake for sight in counted])
    reason = UNFAMILIAR if unlike else _doubt(counted, (low, p_fake, high), used)
    outcome = Outcome.INCONCLUSIVE if reason else outcome_of(p_fake, used)
    return PersonReport(
        outcome,
        tuple(sights),
        p_fake=p_fake,
        p_low=low,
        p_high=high,
        num_counted=len(counted),
        telling=sights.index(_most_telling(counted, outcome, p_fake)),
        novelty=_median_novelty(judged),
        cautions=_common_cautions(judged),
        reason=reason,
    )


def _quartiles(p_fakes: Sequence[float]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile, taken in logits, where p near 0 and 1 are not crowded."""
    p_fake = np.clip(np.asarray(p_fakes, float), SURE, 1 - SURE)
    logits = np.quantile(np.log(p_fake / (1 - p_fake)), (0.25, 0.5, 0.75))
    return tuple(float(value) for value in 1 / (1 + np.exp(-logits)))


def _doubt(counted: Sequence[Sight], quartiles: tuple[float, float, float], used: Calibration) -> str | None:
    """Why the frames give no verdict; None where they do, or where the median itself is between the thresholds."""
    if len(counted) < MIN_FRAMES:
        return FEW.format(count=_frames(len(counted)), least=MIN_FRAMES)
    outcomes = Counter(outcome_of(sight.face.p_fake, used) for sight in counted)
    real, fake = outcomes[Outcome.REAL], outcomes[Outcome.FAKE]
    if min(real, fake) > max(1, CONTRADICTING * len(counted)):
        return CONTRADICTION.format(real=real, fake=fake, total=_frames(len(counted)))
    low, p_fake, high = quartiles
    outcome = outcome_of(p_fake, used)
    if outcome is not Outcome.INCONCLUSIVE and {outcome_of(low, used), outcome_of(high, used)} != {outcome}:
        return SPREAD.format(low=low, high=high)
    return None


def _most_telling(counted: Sequence[Sight], outcome: Outcome, p_fake: float) -> Sight:
    """Where the verdict is plainest: the most extreme p on its side. Of an inconclusive person, the typical frame."""
    if outcome is Outcome.FAKE:
        return max(counted, key=lambda sight: sight.face.p_fake)
    if outcome is Outcome.REAL:
        return min(counted, key=lambda sight: sight.face.p_fake)
    return min(counted, key=lambda sight: math.fabs(sight.face.p_fake - p_fake))


def _common_cautions(judged: Sequence[Sight]) -> tuple[Caution, ...]:
    """Those of most frames. That there are several faces is no matter here: each person has a verdict of its own."""
    found = Counter(caution for sight in judged for caution in sight.face.cautions if caution.name != "several_faces")
    return tuple(caution for caution, count in found.items() if 2 * count > len(judged))


def _median_novelty(judged: Sequence[Sight]) -> float | None:
    known = [sight.face.novelty for sight in judged if sight.face.novelty is not None]
    return float(np.median(known)) if known else None


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
