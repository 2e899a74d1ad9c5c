"""A person's p over the time of a clip as HTML: a plot, one frame large, and all frames in a row to choose from.

`assets/scripts/filmstrip.js` shows the frame that is chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtus.checkpoints import outcome_of
from virtus.drawing import TONES, Tone
from virtus.html.templates import render_part
from virtus.html.verdict import band_words
from virtus.results import Calibration, Outcome
from virtus.video import JudgedSight, PersonReport, Sight, judged_sights

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True)
class StripFrame:
    """A frame as a page shows it.

    Attributes:
        uri: of its picture.
        time_s: since the first frame of the clip.
        frame_size: width and height of the frame, in whose pixels boxes are.
    """

    uri: str
    time_s: float
    frame_size: tuple[float, float]


@dataclass(frozen=True)
class _Mark:
    """A judged frame in the plot.

    Attributes:
        frame: its index.
        time: from 0, the start of the clip, to 1, its end.
        counts: whether it enters the person's verdict.
        ringed: whether it is the key frame.
    """

    frame: int
    time: float
    p_fake: float
    tone: Tone
    counts: bool
    ringed: bool


def filmstrip_html(
    person: PersonReport, frames: Sequence[StripFrame], duration_s: float, thresholds: Calibration
) -> Markup | str:
    """All frames of a clip, with what they say of a person; nothing of one who was not judged.

    Args:
        thresholds: at the prior of the report.
    """
    key_frame, judged = person.key_frame, judged_sights(person.sights)
    if key_frame is None or person.p_fake is None:
        return ""
    marks = [
        _Mark(
            sight.frame,
            min(1.0, sight.time_s / max(duration_s, 1e-6)),
            p_fake,
            TONES[outcome_of(p_fake, thresholds)],
            counts=sight.face.novelty is None or sight.face.novelty <= 1,
            ringed=sight is key_frame,
        )
        for sight, p_fake in judged
    ]
    by_frame = {sight.frame: sight for sight in person.sights}
    shots = [(frame, by_frame.get(at), _frame_words(frame, by_frame.get(at))) for at, frame in enumerate(frames)]
    return render_part(
        "filmstrip.html",
        "filmstrip",
        shots=shots,
        chosen=key_frame.frame,
        marks=marks,
        median=person.p_fake,
        used=thresholds,
        band=band_words(thresholds),
        duration_s=duration_s,
        words=_plot_words(judged, person.p_fake, thresholds),
    )


def _plot_words(judged: Sequence[JudgedSight], median: float, thresholds: Calibration) -> str:
    """What the plot shows, for those who do not see it."""
    (lowest, least), (highest, most) = (choose(judged, key=lambda pair: pair[1]) for choose in (min, max))
    counts = Counter(outcome_of(p_fake, thresholds) for _, p_fake in judged)
    outcomes = ", ".join(f"{counts[kind]} {kind}" for kind in (Outcome.REAL, Outcome.INCONCLUSIVE, Outcome.FAKE))
    return (
        f"p of fake over time in {len(judged)} frames: {outcomes}. Median {median:.2f}, "
        f"least {least:.2f} at {lowest.time_s:.1f} s, most {most:.2f} at {highest.time_s:.1f} s; "
        f"{band_words(thresholds)}."
    )


def _frame_words(frame: StripFrame, sight: Sight | None) -> str:
    """ "At 5.2 s: Inconclusive, p of fake 0.421"."""
    when = f"At {frame.time_s:.1f} s"
    if sight is None:
        return f"{when}: the person is not seen"
    p_fake = "" if sight.face.p_fake is None else f", p of fake {sight.face.p_fake:.3f}"
    return f"{when}: {TONES[sight.face.outcome].word}{p_fake}"
