"""A report in sentences, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from virtus.calibration import at_prior
from virtus.faithfulness import in_words
from virtus.results import Explanation, FaceReport, ImageReport


def verdict_lines(report: ImageReport) -> Iterator[str]:
    """The outcome, then a line for each face, and under it what makes its verdict less sure."""
    yield f"{report.outcome}: {report.reason}" if report.reason else str(report.outcome)
    band = _band(report)
    for number, face in enumerate(report.faces):
        yield f"  face {number}: {_verdict(face, band)}"
        yield from (f"    {sentence}" for sentence in _doubts(face))


def explanation_lines(report: ImageReport) -> Iterator[str]:
    """A line for each map that was tested: whether it is better than chance."""
    for number, face in enumerate(report.faces):
        tested = [one for one in face.explanations if one.faithfulness]
        yield from (f"  face {number}, {_about(one)}: {in_words(one.faithfulness)}" for one in tested)


def _band(report: ImageReport) -> str:
    if report.checkpoint.calibration is None:
        return "uncalibrated"
    own = at_prior(report.checkpoint.calibration, report.prior)
    return f"inconclusive from {own.real_below:.2f} to {own.fake_above:.2f}"


def _verdict(face: FaceReport, band: str) -> str:
    if face.p_fake is None:
        return str(face.outcome)
    figures = [f"p_fake {face.p_fake:.3f}", band, *([face.stability.in_words()] if face.stability else [])]
    return f"{face.outcome} ({'; '.join(figures)})"


def _doubts(face: FaceReport) -> list[str]:
    return [*([face.reason] if face.reason else []), *(caution.sentence for caution in face.cautions)]


def _about(explanation: Explanation) -> str:
    return f"{explanation.method} for {explanation.target}" if explanation.target else explanation.method
