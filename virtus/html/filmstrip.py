"""A person's p over the time of a clip as HTML: a plot, one frame large, and all frames in a row to choose from.

`assets/filmstrip.js` shows the frame that is chosen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from virtus.checkpoints import outcome_of
from virtus.drawing import TONES
from virtus.html.verdict import band_in_words
from virtus.results import Calibration, Outcome
from virtus.video import PersonReport, Sight

NOT_SEEN = "the person is not seen"
MARKED = "The ringed one is the most telling; hollow ones do not count."


@dataclass(frozen=True)
class StripFrame:
    """A frame as a page shows it.

    Attributes:
        uri: of its picture.
        time_s: since the first frame of the clip.
        box_side: width and height of the frame, in whose pixels boxes are.
    """

    uri: str
    time_s: float
    box_side: tuple[float, float]


def filmstrip_html(person: PersonReport, frames: Sequence[StripFrame], duration_s: float, used: Calibration) -> str:
    """All frames of a clip, with what they say of a judged person.

    Args:
        used: thresholds at the prior of the report.
    """
    seen = {sight.frame: sight for sight in person.sights}
    telling = person.sights[person.telling].frame
    shots = "".join(_shot(at, frame, seen.get(at), at == telling) for at, frame in enumerate(frames))
    large = _large(frames[telling], seen[telling])
    return f"""<section class="panel filmstrip" aria-label="Frames">
<h2>p of fake, frame by frame</h2>
{_plot(person, duration_s, used)}
{large}
<div class="strip" role="group" aria-label="The frames: choose one to see it larger">{shots}</div>
</section>"""


def _plot(person: PersonReport, duration_s: float, used: Calibration) -> str:
    """Across time, up p; places in per cent, so that it is as wide as the page lets it."""
    low, high = used.real_below, used.fake_above
    judged = [sight for sight in person.sights if sight.face.p_fake is not None]
    points = "".join(_point(sight, duration_s, used, ringed=sight is person.sights[person.telling]) for sight in judged)
    median = 100 * (1 - person.p_fake)
    return f"""<div class="plot">
<div class="p-axis" aria-hidden="true"><span>1 fake</span><span>0.5</span><span>0 real</span></div>
<svg role="img" aria-label="{escape(_in_words(person, judged, used))}">
<rect class="band" x="0" width="100%" y="{100 * (1 - high):.1f}%" height="{100 * (high - low):.1f}%"></rect>
<line class="threshold" x1="0" x2="100%" y1="{100 * (1 - high):.1f}%" y2="{100 * (1 - high):.1f}%"></line>
<line class="threshold" x1="0" x2="100%" y1="{100 * (1 - low):.1f}%" y2="{100 * (1 - low):.1f}%"></line>
<line class="median" x1="0" x2="100%" y1="{median:.1f}%" y2="{median:.1f}%"></line>
{points}</svg>
<div class="t-axis" aria-hidden="true"><span>0 s</span><span>time</span><span>{duration_s:.1f} s</span></div>
</div>
<p class="fine">Each mark is a frame, the dashed line their median; shaded: {band_in_words(used)}. {MARKED}</p>"""


def _point(sight: Sight, duration_s: float, used: Calibration, *, ringed: bool) -> str:
    tone = TONES[outcome_of(sight.face.p_fake, used)]
    x, y = 100 * min(1.0, sight.time_s / max(duration_s, 1e-6)), 100 * (1 - sight.face.p_fake)
    counts = sight.face.novelty is None or sight.face.novelty <= 1
    look = f'fill="{tone.colour}"' if counts else f'fill="none" stroke="{tone.colour}" stroke-width="2"'
    ring = f'<circle class="ring" cx="{x:.2f}%" cy="{y:.2f}%" r="9"></circle>' if ringed else ""
    symbol = f'<text x="{x:.2f}%" y="{y:.2f}%" fill="{tone.ink}">{tone.symbol}</text>' if counts else ""
    return (
        f'<g class="point" data-frame="{sight.frame}">{ring}'
        f'<circle cx="{x:.2f}%" cy="{y:.2f}%" r="6" {look}></circle>{symbol}</g>'
    )


def _in_words(person: PersonReport, judged: Sequence[Sight], used: Calibration) -> str:
    """What the plot shows, for those who do not see it."""
    least, most = (find(judged, key=lambda sight: sight.face.p_fake) for find in (min, max))
    counted = Counter(outcome_of(sight.face.p_fake, used) for sight in judged)
    outcomes = ", ".join(f"{counted[one]} {one}" for one in (Outcome.REAL, Outcome.INCONCLUSIVE, Outcome.FAKE))
    return (
        f"p of fake over time in {len(judged)} frames: {outcomes}. Median {person.p_fake:.2f}, "
        f"least {least.face.p_fake:.2f} at {least.time_s:.1f} s, most {most.face.p_fake:.2f} at {most.time_s:.1f} s; "
        f"{band_in_words(used)}."
    )


def _shot(at: int, frame: StripFrame, sight: Sight | None, chosen: bool) -> str:
    """A button with the frame, its time, and what it says in symbol and number."""
    said, mark = _said(frame, sight), ""
    if sight is not None:
        tone = TONES[sight.face.outcome]
        p_fake = "" if sight.face.p_fake is None else f" {sight.face.p_fake:.2f}"
        mark = f'<span class="mark" style="--tone: {tone.colour}; --ink: {tone.ink}">{tone.symbol}{p_fake}</span>'
    return (
        f'<button type="button" class="shot{"" if sight else " unseen-person"}" data-frame="{at}" '
        f'data-said="{escape(said)}" aria-label="{escape(said)}" aria-pressed="{str(chosen).lower()}">'
        f'{_picture(frame, sight)}<span class="when">{frame.time_s:.1f} s</span>{mark}</button>'
    )


def _large(frame: StripFrame, sight: Sight) -> str:
    return (
        f'<figure class="large"><div class="stage">{_picture(frame, sight)}</div>'
        f'<figcaption aria-live="polite">{escape(_said(frame, sight))}</figcaption></figure>'
    )


def _picture(frame: StripFrame, sight: Sight | None) -> str:
    return f'<span class="picture"><img src="{frame.uri}" alt="">{_box(frame, sight) if sight else ""}</span>'


def _box(frame: StripFrame, sight: Sight) -> str:
    width, height = frame.box_side
    x0, y0, x1, y1 = sight.face.box_xyxy
    place = f"left: {100 * x0 / width:.1f}%; top: {100 * y0 / height:.1f}%; "
    place += f"width: {100 * (x1 - x0) / width:.1f}%; height: {100 * (y1 - y0) / height:.1f}%"
    return f'<span class="face-box" style="{place}; --tone: {TONES[sight.face.outcome].colour}"></span>'


def _said(frame: StripFrame, sight: Sight | None) -> str:
    """ "At 5.2 s: Inconclusive, p of fake 0.421"."""
    when = f"At {frame.time_s:.1f} s"
    if sight is None:
        return f"{when}: {NOT_SEEN}"
    p_fake = "" if sight.face.p_fake is None else f", p of fake {sight.face.p_fake:.3f}"
    return f"{when}: {TONES[sight.face.outcome].word}{p_fake}"
