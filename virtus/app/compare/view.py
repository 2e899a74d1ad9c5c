"""What the tab `Compare` says, as HTML: whether the checkpoints agree, and a card for each. All texts are escaped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape

from PIL import Image

from virtus.app.compare.kept_comparison import KeptAnswer, KeptComparison
from virtus.app.widgets import panels
from virtus.drawing import TONES, Tone, data_uri
from virtus.explain import EXPLAINERS
from virtus.html import NO_PROOF, about, colours, empty
from virtus.judging import MAX_COMPARED, Agreement, Comparison
from virtus.results import Explanation, Outcome

DrawnMap = tuple[Explanation, Image.Image] | str
"""A map and its picture; or why there is none."""

EMPTY = f"""<section class="panel empty" aria-label="Result">
<h2>Your comparison appears here</h2>
<ol>
<li>Choose checkpoints, up to {MAX_COMPARED}.</li>
<li>Give a photo.</li>
<li>Each judges the same faces in its own way. Where they disagree, that is said.</li>
</ol>
</section>"""

# Set apart from the outcomes' colours; on the photo as everywhere.
DISAGREE = Tone("Disagree", "#8e2c6e", "#ffffff", "≠")
UNDECIDED = replace(TONES[Outcome.INCONCLUSIVE], word="Undecided")
TONES_OF = {Agreement.DISAGREE: DISAGREE, Agreement.UNDECIDED: UNDECIDED}
MEANINGS = {
    Agreement.AGREE: "That is no proof: checkpoints that learned from the same pictures err on the same ones.",
    Agreement.DISAGREE: "At least one of them is wrong, and nothing here says which. The numbers of different "
    "checkpoints cannot be weighed against each other; cautions, and what each was calibrated on, can be.",
    Agreement.UNDECIDED: "Who cannot tell neither confirms nor contradicts the others.",
    None: "One checkpoint alone is compared with nothing: choose another one beside it.",
}
NOT_TESTED = "These maps are not tested against chance here: look at one in the tab Analyze for that."
BEING_DRAWN = "Its map is being drawn…"


def tone_of(comparison: Comparison, index: int) -> Tone:
    """How a face looks on the photo: that of its outcome where all agree on it."""
    return TONES_OF.get(comparison.by_face[index]) or TONES[comparison.reports[0].faces[index].outcome]


def title(comparison: Comparison, index: int) -> str:
    """A face in a few words: "= Fake" where all say so, "≠ Disagree", "? Undecided", "– Too small"."""
    tone = tone_of(comparison, index)
    symbol = "=" if comparison.by_face[index] is Agreement.AGREE else tone.symbol
    return f"{symbol} {tone.word}"


def in_words(comparison: Comparison) -> str:
    """What the annotated photo shows, for those who do not see it."""
    faces = (f"{number} {title(comparison, number - 1)}" for number in range(1, len(comparison.by_face) + 1))
    return f"The photo. Faces in it: {', '.join(faces) or 'none'}"


def headline(comparison: Comparison, index: int) -> str:
    """Above the cards: whether they agree on the face, who says what, and what that is worth."""
    agreement, face = comparison.by_face[index], comparison.reports[0].faces[index]
    if not face.outcome.judged:
        return panels.verdict_html(comparison.reports[0], index)
    tone, number = tone_of(comparison, index), len(comparison.by_face)
    several = f"Face {index + 1} of {number}" if number > 1 else "The face"
    return f"""<section class="panel agreement" aria-label="Comparison" data-agreement="{agreement or "alone"}">
<p class="which">{several if face.face else "The whole image"}</p>
<h2><span class="chip" style="--tone: {tone.colour}; --ink: {tone.ink}">{title(comparison, index)}</span></h2>
<p class="who">{escape(comparison.in_words(index))}</p>
<p class="fine">{MEANINGS[agreement]}</p>
</section>"""


def cards(kept: KeptComparison, maps: Mapping[str, DrawnMap]) -> str:
    """One for each checkpoint: its verdict, what it sees and its map, or why it cannot be asked.

    Args:
        maps: by name of the checkpoint; what is not there is still being drawn.
    """
    shown = [_card(answer, kept.index, maps.get(answer.name)) for answer in kept.answers]
    return f'<div class="compared">{"".join(shown)}</div>'


def map_caption(maps: Mapping[str, DrawnMap]) -> str:
    """What the maps are, how they are read, and what they are not."""
    drawn = [one[0] for one in maps.values() if not isinstance(one, str)]
    if not drawn:
        return ""
    method = EXPLAINERS[drawn[0].method]
    return f"""<div class="caption"><p><strong>{escape(drawn[0].method)}</strong>: {escape(method.description)}.
{escape(method.finding)}</p><p>{colours(drawn[0])} {NO_PROOF} {NOT_TESTED}</p></div>"""


def _card(answer: KeptAnswer, index: int, drawn: DrawnMap | None) -> str:
    name = escape(answer.name)
    if answer.report is None:
        return _frame(name, panels.message("It cannot be asked", answer.error, "error"), "error")
    if answer.crop is None:
        return ""  # nobody judged: the headline says why
    info = answer.report.checkpoint
    which = f"revision {escape(info.revision[:12])} · sha256 <code>{escape(info.sha256[:12])}</code>"
    body = f'<p class="fine">{which}</p>{panels.verdict_html(answer.report, index)}{_figures(answer, drawn)}'
    return _frame(escape(info.name), body, answer.report.faces[index].outcome)


def _frame(name: str, body: str, outcome: str) -> str:
    return f'<article class="card" aria-label="{name}" data-outcome="{outcome}"><h3>{name}</h3>{body}</article>'


def _figures(answer: KeptAnswer, drawn: DrawnMap | None) -> str:
    name = escape(answer.report.checkpoint.name)
    seen = f'<img src="{data_uri(answer.seen)}" alt="The face as {name} sees it">'
    return f'<div class="pair"><figure>{seen}<figcaption>{_cut(answer)}</figcaption></figure>{_map(name, drawn)}</div>'


def _cut(answer: KeptAnswer) -> str:
    margin = answer.crop.margin
    what = "the whole picture" if margin is None else f"{margin:.2f} × the face"
    return f"It sees {what}, at {answer.seen.width} × {answer.seen.height} pixels"


def _map(name: str, drawn: DrawnMap | None) -> str:
    if drawn is None or isinstance(drawn, str):
        said = drawn or BEING_DRAWN
        return f'<figure><p class="no-map" role="status">{escape(said)}</p></figure>'
    explanation, picture = drawn
    image = f'<img src="{data_uri(picture)}" alt="Map of {name}">'
    return f"<figure>{image}<figcaption>Its map, {about(explanation)}.{empty(explanation)}</figcaption></figure>"
