"""A report in sentences, for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from virtus.faithfulness import in_words
from virtus.results import Explanation, FaceReport, ImageReport


def verdict_lines(report: ImageReport) -> Iterator[str]:
    """The outcome, then a line for each face, and under it what makes its verdict less sure."""
    yield f"{report.outcome}: {report.reason}" if report.reason else str(report.outcome)
    for number, face in enumerate(report.faces):
        yield f"  face {number}: {_verdict(face)}"
        yield from (f"    {sentence}" for sentence in _doubts(face))


def explanation_lines(report: ImageReport) -> Iterator[str]:
    """A line for each map that was tested: whether it is better than chance."""
    for number, face in enumerate(report.faces):
        tested = [one for one in face.explanations if one.faithfulness]
        yield from (f"  face {number}, {_about(one)}: {in_words(one.faithfulness)}" for one in tested)


def _verdict(face: FaceReport) -> str:
    if face.p_fake is None:
        return str(face.outcome)
    figures = [f"p_fake {face.p_fake:.3f}", *([face.stability.in_words()] if face.stability else [])]
    return f"{face.outcome} ({'; '.join(figures)})"


def _doubts(face: FaceReport) -> list[str]:
    return [*([face.reason] if face.reason else []), *(caution.sentence for caution in face.cautions)]


def _about(explanation: Explanation) -> str:
    return f"{explanation.method} for {explanation.target}" if explanation.target else explanation.method
