"""A verdict as HTML, for the app and for written reports. Every text from outside is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from virtus.checkpoints import EVEN, at_prior
from virtus.drawing import TONES
from virtus.results import Calibration, CheckpointInfo, FaceReport, ImageReport, Outcome, Stability


def words(face: FaceReport) -> str:
    """A face's verdict in a few words: "Fake: 87 %", "Too small"."""
    tone = TONES[face.outcome]
    if face.p_fake is None or face.outcome is Outcome.INCONCLUSIVE:
        return tone.word
    p_outcome = 1 - face.p_fake if face.outcome is Outcome.REAL else face.p_fake
    return f"{tone.word}: {percent(p_outcome)}"


def chip(outcome: Outcome, text: str | None = None) -> str:
    """An outcome in its colour, behind its symbol; its word where there is no text."""
    tone = TONES[outcome]
    return (
        f'<span class="chip" style="--tone: {tone.colour}; --ink: {tone.ink}">'
        f'<span class="symbol" aria-hidden="true">{tone.symbol}</span> {escape(text or tone.word)}</span>'
    )


def percent(share: float) -> str:
    """Whole per cent; never the 0 or 100 that would claim certainty."""
    if share > 0.99:
        return "over 99 %"
    return "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def in_words(report: ImageReport) -> str:
    """What the annotated photo shows, for those who do not see it."""
    faces = (f"{number} {words(face)}" for number, face in enumerate(report.faces, start=1))
    return f"The photo. Faces in it: {', '.join(faces) or 'none'}"


def verdict_html(report: ImageReport, index: int) -> str:
    """The chosen face of a judged photo: its verdict and its probability bar."""
    face, tone = report.faces[index], TONES[report.faces[index].outcome]
    several = f"Face {index + 1} of {len(report.faces)}" if len(report.faces) > 1 else "The face"
    if face.p_fake is None:
        return message("This face is too small to be judged", "Choose another face, or a larger photo.", face.outcome)
    return f"""<section class="panel verdict" aria-label="Verdict" data-outcome="{face.outcome}">
<p class="which">{several if face.face else "The whole image"}</p>
<h2>{chip(face.outcome, words(face))}</h2>
{_bar_of(face, tone.colour, at_prior(report.checkpoint.calibration, report.prior))}
{listed(caution.sentence for caution in face.cautions)}
<p class="fine trust">{escape(_how_sure(report, face))}</p>
</section>"""


def message(title: str, sentence: str, outcome: Outcome | str) -> str:
    """A panel without a number: why nothing was judged."""
    return f"""<section class="panel message" role="status" data-outcome="{outcome}">
<h2>{escape(title)}</h2>
<p>{escape(sentence)}</p>
</section>"""


def not_judged(report: ImageReport) -> str:
    """The panel for a photo without a verdict: unreadable, no face, or too small a face."""
    return message(TONES[report.outcome].word, report.reason or "", report.outcome)


def checkpoint(info: CheckpointInfo) -> str:
    """The line that says which weights judge."""
    name, revision, sha256 = (escape(value) for value in (info.name, info.revision, info.sha256))
    return (
        f'<p class="checkpoint">Judged by <strong>{name}</strong> · revision {revision[:12]} · '
        f'sha256 <code title="{sha256}">{sha256[:12]}</code></p>'
    )


def _how_sure(report: ImageReport, face: FaceReport) -> str:
    """The trust line: what the outcome rests on, what the thresholds promise, and what the number assumes."""
    calibration, prior = report.checkpoint.calibration, report.prior
    said = face.reason or promise(face.outcome, calibration, prior)
    return f"{said} {assumed(prior)} It is the model's opinion, not evidence."


def assumed(prior: float, what: str = "photos") -> str:
    """What every number takes for granted."""
    others = "." if prior != EVEN else ", as many as are real."
    return f"The number assumes that {percent(prior)} of {what} like this are fake{others}"


def promise(outcome: Outcome, calibration: Calibration | None, prior: float) -> str:
    """What the thresholds say of an outcome."""
    if calibration is None:
        return "Uncalibrated: the threshold is 0.5 for want of a better one."
    if outcome is Outcome.INCONCLUSIVE:
        own = at_prior(calibration, prior)
        band = f"between {own.real_below:.2f} and {own.fake_above:.2f}"
        return f"This model cannot tell: {band} it would err more often than one time in twenty."
    unlike = "On other kinds of photos it errs more often."
    return f"Calibrated: beyond its thresholds it erred at most one time in twenty on photos like its own. {unlike}"


def listed(doubts: Iterable[str]) -> str:
    """What makes a verdict less sure."""
    lines = "".join(f"<li>{escape(sentence)}</li>" for sentence in doubts)
    return f'<ul class="cautions" aria-label="What makes this verdict less sure">{lines}</ul>' if lines else ""


def band_in_words(used: Calibration) -> str:
    """Where nothing can be told, or the one threshold."""
    low, high = used.real_below, used.fake_above
    return f"threshold {low:.2f}" if low == high else f"inconclusive from {low:.2f} to {high:.2f}"


def bar(
    p_fake: float, colour: str, used: Calibration, *, interval: tuple[float, float] | None = None, under: str = ""
) -> str:
    """p from 0 to 1, with the thresholds and an interval marked; `under` says in words what the interval is."""
    low, high, said = used.real_below, used.fake_above, band_in_words(used)
    return f"""<div class="bar" role="img" aria-label="Probability of fake: {p_fake:.2f}{under}; {said}">
<div class="fill" style="width: {p_fake * 100:.1f}%; background: {colour}"></div>
<div class="band" style="left: {low * 100:.1f}%; width: {(high - low) * 100:.1f}%"></div>
{_interval(interval)}</div>
<div class="scale" aria-hidden="true"><span>0 real</span><span>{said}</span><span>1 fake</span></div>
<p class="p-fake">Probability of fake: <strong>{p_fake:.3f}</strong>{under}</p>"""


def _bar_of(face: FaceReport, colour: str, used: Calibration) -> str:
    steady = face.stability
    interval = (steady.low, steady.high) if steady else None
    return bar(face.p_fake, colour, used, interval=interval, under=_under_changes(steady))


def _interval(interval: tuple[float, float] | None) -> str:
    if interval is None:
        return ""
    low, high = interval
    place = f"left: {low * 100:.1f}%; width: {(high - low) * 100:.1f}%"
    return f'<div class="interval" style="{place}"></div>\n'


def _under_changes(stability: Stability | None) -> str:
    if stability is None:
        return ""
    return f", from {stability.low:.3f} to {stability.high:.3f} under small harmless changes"
