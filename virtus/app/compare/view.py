"""What the tab `Compare` says, as HTML: whether the checkpoints agree, and a card for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors import AskedCheckpoint, ComparedPhoto
from virtus.drawing import TONES, Tone
from virtus.explain import EXPLAINERS
from virtus.html import face_verdict, full_colour, message_panel, render_part
from virtus.judging import MAX_COMPARED, Agreement, Comparison
from virtus.results import Explanation, Outcome

if TYPE_CHECKING:
    from markupsafe import Markup

DrawnMap = tuple[Explanation, Image.Image] | str
"""A map and its picture; or why there is none."""

# Set apart from the outcomes' colours; on the photo as everywhere.
DISAGREE = Tone("Disagree", "#8e2c6e", "#ffffff", "≠")
UNDECIDED = replace(TONES[Outcome.INCONCLUSIVE], word="Undecided")
TONES_OF: dict[Agreement | None, Tone] = {Agreement.DISAGREE: DISAGREE, Agreement.UNDECIDED: UNDECIDED}
MEANINGS = {
    Agreement.AGREE: "That is no proof: checkpoints that learned from the same pictures err on the same ones.",
    Agreement.DISAGREE: "At least one of them is wrong, and nothing here says which. The numbers of different "
    "checkpoints cannot be weighed against each other; cautions, and what each was calibrated on, can be.",
    Agreement.UNDECIDED: "Who cannot tell neither confirms nor contradicts the others.",
    None: "One checkpoint alone is compared with nothing: choose another one beside it.",
}


def empty_panel() -> Markup:
    """What stands in the place of the comparison until there is one."""
    return render_part("empty.html", "comparison", max_compared=MAX_COMPARED)


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


def headline(comparison: Comparison, index: int) -> Markup:
    """Above the cards: whether they agree on the face, who says what, and what that is worth."""
    agreement, face = comparison.by_face[index], comparison.reports[0].faces[index]
    if not face.outcome.judged:
        return face_verdict(comparison.reports[0], index)
    number = len(comparison.by_face)
    several = f"Face {index + 1} of {number}" if number > 1 else "The face"
    return render_part(
        "comparison.html",
        "headline",
        agreement=agreement,
        which=several if face.face else "The whole image",
        title=title(comparison, index),
        tone=tone_of(comparison, index),
        who=comparison.in_words(index),
        meaning=MEANINGS[agreement],
    )


def cards(compared: ComparedPhoto, index: int, maps: Mapping[str, DrawnMap]) -> Markup:
    """One for each checkpoint: its verdict, what it sees and its map, or why it cannot be asked.

    Args:
        index: of the face, counted from 0.
        maps: by name of the checkpoint; what is not there is still being drawn.
    """
    shown = [_card(answer, index, maps.get(answer.name)) for answer in compared.answers]
    return render_part("comparison.html", "cards", cards=[card for card in shown if card])


def map_caption(maps: Mapping[str, DrawnMap]) -> Markup | str:
    """What the maps are, how they are read, and what they are not; nothing where none is drawn."""
    explanation = next((drawn[0] for drawn in maps.values() if not isinstance(drawn, str)), None)
    if explanation is None:
        return ""
    method = EXPLAINERS[explanation.method]
    values = {"explanation": explanation, "method": method, "full_colour": full_colour()}
    return render_part("comparison.html", "map_caption", **values)


def _card(answer: AskedCheckpoint, index: int, drawn: DrawnMap | None) -> tuple[str, str, Markup] | None:
    """Name, outcome and body; None where nobody judged: the headline says why."""
    if answer.judged is None or answer.detector is None:
        return answer.name, "error", message_panel("It cannot be asked", answer.error, "error")
    report = answer.judged.report
    crop = report.faces[index].crop if report.faces else None
    if crop is None:
        return None
    body = render_part(
        "comparison.html",
        "answer",
        info=report.checkpoint,
        verdict=face_verdict(report, index),
        seen=answer.detector.checkpoint.transform.resize(crop.image),
        margin=crop.margin,
        drawn=drawn,
    )
    return report.checkpoint.name, report.faces[index].outcome, body
