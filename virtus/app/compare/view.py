"""What the tab `Compare` says, as HTML: whether the checkpoints agree, and a card for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors import AskedCheckpoint, ComparedPhoto
from virtus.drawing import TONES, Tone
from virtus.explain import EXPLAINERS
from virtus.html import face_verdict, full_colour, message_panel, not_judged, render_part
from virtus.judging import MAX_COMPARED, Agreement, Comparison, place_in
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
    outcomes = comparison.outcomes(index)
    return TONES_OF.get(comparison.by_face[index]) or TONES[next(filter(lambda one: one.judged, outcomes), outcomes[0])]


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
    agreement, number = comparison.by_face[index], len(comparison.by_face)
    if not any(outcome.judged for outcome in comparison.outcomes(index)):
        return face_verdict(comparison.reports[0], index)
    return render_part(
        "comparison.html",
        "headline",
        agreement=agreement,
        which=_which(comparison, f"Face {index + 1} of {number}" if number > 1 else "The face"),
        title=title(comparison, index),
        tone=tone_of(comparison, index),
        who=comparison.in_words(index),
        meaning=MEANINGS[agreement],
    )


def _which(comparison: Comparison, face: str) -> str:
    """What was judged: the face, the whole image, or by one checkpoint the one and by another the other."""
    whole = [report.faces[0].whole_image for report in comparison.reports if report.faces]
    return "The whole image" if all(whole) else f"{face}, and the whole image" if any(whole) else face


def cards(compared: ComparedPhoto, index: int, maps: Mapping[str, DrawnMap]) -> Markup:
    """One for each checkpoint: its verdict, what it sees and its map, or why it cannot be asked.

    Args:
        index: of the face, counted from 0.
        maps: by name of the checkpoint; what is not there is still being drawn.
    """
    comparison = compared.comparison
    judged = bool(comparison.by_face) and any(outcome.judged for outcome in comparison.outcomes(index))
    shown = [_card(answer, index, maps.get(answer.name), judged) for answer in compared.answers]
    return render_part("comparison.html", "cards", cards=[card for card in shown if card])


def map_caption(maps: Mapping[str, DrawnMap]) -> Markup | str:
    """What the maps are, how they are read, and what they are not; nothing where none is drawn."""
    explanation = next((drawn[0] for drawn in maps.values() if not isinstance(drawn, str)), None)
    if explanation is None:
        return ""
    method = EXPLAINERS[explanation.method]
    values = {"explanation": explanation, "method": method, "full_colour": full_colour()}
    return render_part("comparison.html", "map_caption", **values)


def _card(
    answer: AskedCheckpoint, index: int, drawn: DrawnMap | None, somebody_judged: bool
) -> tuple[str, str, Markup] | None:
    """Name, outcome and body; None where no card is needed: the headline says why nobody judged."""
    if answer.judged is None or answer.detector is None:
        return answer.name, "error", message_panel("It cannot be asked", answer.error, "error")
    report = answer.judged.report
    place = place_in(report, index)
    crop = None if place is None else report.faces[place].crop
    if place is None or crop is None:
        said = not_judged(report) if place is None else face_verdict(report, place)
        return (report.checkpoint.name, report.outcome, said) if somebody_judged else None
    body = render_part(
        "comparison.html",
        "answer",
        info=report.checkpoint,
        verdict=face_verdict(report, place),
        seen=answer.detector.checkpoint.transform.resize(crop.image),
        margin=crop.margin,
        drawn=drawn,
    )
    return report.checkpoint.name, report.faces[place].outcome, body
