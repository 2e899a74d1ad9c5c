"""Reports and checkpoints in sentences, for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from virtus.checkpoints import name_of_user_calibration, outcome_of, read_user_calibration, user_file
from virtus.explain import OTHER_FILL, describe_faithfulness
from virtus.judging import thresholds_of
from virtus.results import CheckpointInfo, Explanation, FaceReport, ImageReport

if TYPE_CHECKING:
    import numpy as np

    from virtus.checkpoints import Novelty
    from virtus.explain import Fill, FlippingStep
    from virtus.judging import Exploration


def verdict_lines(report: ImageReport) -> Iterator[str]:
    """The outcome and who decided, then a line for each face, and under it what makes its verdict less sure."""
    by_whom = f" (face {report.decided_by} decided)" if report.outcome.judged and len(report.faces) > 1 else ""
    yield f"{report.outcome}: {report.reason}" if report.reason else f"{report.outcome}{by_whom}"
    if report.note:
        yield f"  {report.note}"
    for number, face in enumerate(report.faces):
        yield f"  face {number}: {_verdict(face, _band(report, number))}"
        yield from (f"    {sentence}" for sentence in _doubts(face))


LENS = "Layers before the last were never trained for the head: this is a projection, not what the model thought."


def exploration_lines(found: Exploration, rollout: np.ndarray) -> Iterator[str]:
    """The verdict on one face, where the model looked, and from which block on it was so.

    Args:
        rollout: through all blocks, (grid_h, grid_w).
    """
    yield f"{found.outcome} (p_fake {found.p_fake:.3f}; {_between(found.real_below, found.fake_above)})"
    yield from (f"  {sentence}" for sentence in _doubts(found.face))
    yield f"  it looked most at: {', '.join(found.top_parts(rollout))} (attention rollout)"
    yield f"  p_fake by block: {' '.join(f'{p:.3f}' for p in found.lens_decided)}"
    since = f"after block {found.decided_at - 1}" if found.decided_at else "before the first block"
    yield f"  on its side of 0.5 for good {since}. {LENS}"


def flipping_line(found: Exploration, step: FlippingStep, fill: Fill) -> str:
    """Which patches must go for another verdict, by the parts of the face where they lie; what another filling says."""
    counts = Counter(found.patch_names[patch] for patch in step.erased.nonzero()[0])
    where = ", ".join(f"{part} {count}" for part, count in counts.most_common())
    patches = f"{step.erased.sum()} of {step.erased.size} patches ({where or 'none'})"
    if not step.flipped:
        return f"  no set was found that flips it; without {patches} it comes nearest: p_fake {step.p_fake:.3f}"
    by = "dropped" if fill == "drop" else f"replaced by {fill}"
    said = f"  without {patches}, {by}, it is {outcome_of(step.p_fake, found)}: p_fake {step.p_fake:.3f}"
    if (p_fake := step.p_fake_otherwise) is None:
        return said
    return f"{said}; replaced by {OTHER_FILL[fill]}, {outcome_of(p_fake, found)}: p_fake {p_fake:.3f}"


def explanation_lines(report: ImageReport) -> Iterator[str]:
    """A line for each map that was tested: whether it is better than chance."""
    for number, face in enumerate(report.faces):
        for explanation in face.explanations:
            if explanation.faithfulness:
                yield f"  face {number}, {_about(explanation)}: {describe_faithfulness(explanation.faithfulness)}"


def calibration_words(info: CheckpointInfo) -> str:
    """What a checkpoint's p goes by, and whose that is."""
    one = info.calibration
    if one is None:
        return "none: the threshold is 0.5"
    user = name_of_user_calibration(info.name, info.revision)
    is_yours = user and read_user_calibration(user, info.sha256)
    where = f"yours, {user_file(user, info.sha256)}" if user and is_yours else "the checkpoint's own"
    thresholds = f"real below {one.real_below:.3f}, fake from {one.fake_above:.3f}"
    fitted = f"fitted on {one.num_pictures or 'no'} pictures ({where})"
    return f"temperature {one.temperature:.3f}, bias {one.bias:.3f}, {thresholds}, {fitted}"


def novelty_words(novelty: Novelty | None) -> str:
    """Whether a checkpoint can say what is unlike its training pictures."""
    if novelty is None:
        return "unknown: it cannot say what is unlike its training pictures"
    return f"distance of block {novelty.block}, threshold fitted on {novelty.num_pictures} pictures"


def _band(report: ImageReport, index: int) -> str:
    if report.checkpoint.calibration is None:
        return "uncalibrated"
    own = thresholds_of(report, index)
    return _between(own.real_below, own.fake_above)


def _between(real_below: float, fake_above: float) -> str:
    return f"inconclusive from {real_below:.2f} to {fake_above:.2f}"


def _verdict(face: FaceReport, band: str) -> str:
    if face.p_fake is None:
        return str(face.outcome)
    figures = [f"p_fake {face.p_fake:.3f}", band, *([face.stability.in_words()] if face.stability else [])]
    return f"{face.outcome} ({'; '.join(figures)})"


def _doubts(face: FaceReport) -> list[str]:
    return [*([face.reason] if face.reason else []), *(caution.sentence for caution in face.cautions)]


def _about(explanation: Explanation) -> str:
    return f"{explanation.method} for {explanation.target}" if explanation.target else explanation.method
