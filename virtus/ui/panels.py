"""What the app says, as HTML: verdict, reason, error, checkpoint. Every text from outside is escaped."""

from __future__ import annotations

from html import escape

from virtus.annotate import TONES
from virtus.calibration import UNCALIBRATED
from virtus.results import Calibration, CheckpointInfo, Explanation, FaceReport, ImageReport, Outcome

EMPTY = """<section class="panel empty" aria-label="Result">
<h2>Your result appears here</h2>
<ol>
<li>Give a photo: drop it, paste it, take one, or try an example.</li>
<li>Every face in it gets a verdict, real or fake, with a probability.</li>
<li>Maps show where the model looked.</li>
</ol>
</section>"""

NO_CHECKPOINT = '<p class="checkpoint">No checkpoint judges now: choose another one.</p>'

# Gradio keeps the elements of a panel and changes their text, so CSS alone would fade in the first result only.
FADE_IN = """watch("value", () => {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ opacity: 0, transform: "translateY(8px)" }, { opacity: 1, transform: "none" }], 350);
});"""

NO_PROOF = "A map shows where the model looked. It is no proof that these places are real or fake."
NO_EVIDENCE = "The number assumes as many fakes as real photos. It is the model's opinion, not evidence."


def words(face: FaceReport) -> str:
    """A face's verdict in a few words: "Fake: 87 %", "Too small"."""
    tone = TONES[face.outcome]
    if face.p_fake is None or face.outcome is Outcome.INCONCLUSIVE:
        return tone.word
    p_outcome = 1 - face.p_fake if face.outcome is Outcome.REAL else face.p_fake
    return f"{tone.word}: {percent(p_outcome)}"


def percent(share: float) -> str:
    """Whole per cent; never the 0 or 100 that would claim certainty."""
    if share > 0.99:
        return "over 99 %"
    return "under 1 %" if share < 0.01 else f"{share * 100:.0f} %"


def in_words(report: ImageReport) -> str:
    """What the annotated photo shows, for those who do not see it."""
    faces = (f"{number} {words(face)}" for number, face in enumerate(report.faces, start=1))
    return f"The photo. Faces in it: {', '.join(faces) or 'none'}"


def verdict(report: ImageReport, index: int) -> str:
    """The chosen face of a judged photo: its verdict and its probability bar."""
    face, tone = report.faces[index], TONES[report.faces[index].outcome]
    several = f"Face {index + 1} of {len(report.faces)}" if len(report.faces) > 1 else "The face"
    if face.p_fake is None:
        return message("This face is too small to be judged", "Choose another face, or a larger photo.", face.outcome)
    return f"""<section class="panel verdict" aria-label="Verdict" data-outcome="{face.outcome}">
<p class="which">{several if face.face else "The whole image"}</p>
<h2><span class="chip" style="--tone: {tone.colour}; --ink: {tone.ink}">{words(face)}</span></h2>
{_bar(face.p_fake, tone.colour, report.checkpoint.calibration or UNCALIBRATED)}
<p class="fine">{_how_sure(face, report.checkpoint.calibration)} {NO_EVIDENCE}</p>
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


def map_captions(lines: list[str]) -> str:
    """What is said under the maps: a line for each, and what none of them shows."""
    return f'<div class="caption">{"".join(lines)}<p>Bright is more, dark is less. {NO_PROOF}</p></div>'


def map_caption(explanation: Explanation, description: str) -> str:
    """The line about one map: what it speaks of."""
    about = f"for the class “{explanation.target}”" if explanation.target else "for no class"
    flat = "" if explanation.heatmap.max() > explanation.heatmap.min() else " Nothing speaks for it: the map is empty."
    return f"<p><strong>{escape(explanation.method)}</strong>, {about}: {escape(description)}.{flat}</p>"


def _how_sure(face: FaceReport, calibration: Calibration | None) -> str:
    """What the thresholds promise, and on what."""
    if calibration is None:
        return "Uncalibrated: the threshold is 0.5 for want of a better one."
    unlike = "On other kinds of photos it errs more often."
    if face.outcome is Outcome.INCONCLUSIVE:
        band = f"between {calibration.real_below:.2f} and {calibration.fake_above:.2f}"
        return f"This model cannot tell: {band} it would err more often than one time in twenty."
    return f"Calibrated: beyond its thresholds it erred at most one time in twenty on photos like its own. {unlike}"


def _bar(p_fake: float, colour: str, calibration: Calibration) -> str:
    """From 0 to 1, with the thresholds marked; also in words for those who do not see it."""
    low, high = calibration.real_below, calibration.fake_above
    said = f"threshold {low:.2f}" if low == high else f"inconclusive from {low:.2f} to {high:.2f}"
    return f"""<div class="bar" role="img" aria-label="Probability of fake: {p_fake:.2f}; {said}">
<div class="fill" style="width: {p_fake * 100:.1f}%; background: {colour}"></div>
<div class="band" style="left: {low * 100:.1f}%; width: {(high - low) * 100:.1f}%"></div>
</div>
<div class="scale" aria-hidden="true"><span>0 real</span><span>{said}</span><span>1 fake</span></div>
<p class="p-fake">Probability of fake: <strong>{p_fake:.3f}</strong></p>"""
