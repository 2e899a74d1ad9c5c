"""What happens in the tab `Compare`: verdicts side by side first, then maps. What is asked again is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr

from virtus.app.compare import view
from virtus.app.maps import MapRequest
from virtus.app.visitors import AskedCheckpoint, ComparedPhoto, Detectors, compare_checkpoints, uploaded
from virtus.app.widgets import write_picture
from virtus.drawing import annotate_faces, overlay_crop
from virtus.errors import InputError, VirtusError
from virtus.html import message_panel, not_judged
from virtus.judging import Comparison, place_in


@dataclass(frozen=True)
class CompareInputs:
    """What a visitor asks of a photo: the values of the tab's components for that, in their order."""

    photo: dict | None
    models: list[str]
    whole: bool
    stability: bool
    prior: float


class CompareOutputs(NamedTuple):
    """What is shown: headline, a card for each checkpoint, the photo and the choice where there are several faces."""

    headline: str
    cards: str
    annotated: Any
    face: Any
    maps: Any

    @property
    def is_as_clicked(self) -> bool:
        """For `leaving_list`: the photo stays then."""
        return self.annotated == gr.skip()


class CompareCallbacks:
    """The callbacks, with the detectors that they share. A face is chosen by its index, counted from 0."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def show_comparison(self, inputs: CompareInputs, chosen: int | None = None) -> CompareOutputs:
        """What the checkpoints say of the chosen face; of the largest judged one, where there is none of that number.

        Without a photo, all as at first.
        """
        try:
            if not inputs.photo:
                return _no_photo(view.empty_panel(), "")
            return _show(self._compare(inputs), chosen)
        except VirtusError as exc:
            return _no_photo(_error(exc), "")

    def choose_face(self, inputs: CompareInputs, index: int) -> Iterator[CompareOutputs]:
        """The same of another face, in one step. It may be a face of a photo that another one took the place of."""
        yield self.show_comparison(inputs, index)

    def draw_maps(self, inputs: CompareInputs, index: int | None, method: str) -> Iterator[tuple[str, str]]:
        """The cards with their maps, each when it is ready, and the caption of these.

        Of the first face that was judged, if none is chosen, or there is none of that number. Where there is nothing to
        draw, the cards are said anew all the same: those of an earlier photo may have come after this one's headline.
        """
        try:
            if not inputs.photo:
                yield "", ""
                return
            yield from _draw(self._compare(inputs), index, method)
        except VirtusError:  # the headline says why
            yield "", ""

    def _compare(self, inputs: CompareInputs) -> ComparedPhoto:
        if not inputs.models:
            raise InputError("No checkpoint is chosen. Choose two or more to compare.")
        return compare_checkpoints(
            self._detectors,
            [name.strip() for name in inputs.models],
            uploaded(inputs.photo),
            prior=inputs.prior,
            whole=inputs.whole,
            stability=inputs.stability,
        )


def _draw(compared: ComparedPhoto, index: int | None, method: str) -> Iterator[tuple[str, str]]:
    if index not in range(len(compared.comparison.by_face)):
        index = _first_judged(compared.comparison)
    if index is None:
        yield view.cards(compared, 0, {}), ""
        return
    maps: dict[str, view.DrawnMap] = {}
    for answer in compared.answers:
        if answer.judged:
            maps[answer.name] = _draw_map(answer, index, method)
            yield view.cards(compared, index, maps), view.map_caption(maps)


def _draw_map(answer: AskedCheckpoint, index: int, method: str) -> view.DrawnMap:
    if answer.detector is None or answer.judged is None:
        return answer.error
    place = place_in(answer.judged.report, index)
    if place is None or (crop := answer.judged.report.faces[place].crop) is None:
        return ""
    try:
        explanation = MapRequest(method).draw(answer.judged.state_of(answer.detector, place))
    except VirtusError as exc:
        return str(exc)
    seen = replace(crop, image=answer.detector.checkpoint.transform.resize(crop.image))
    return explanation, overlay_crop(seen, explanation.heatmap, signed=explanation.signed)


def _error(exc: VirtusError) -> str:
    return message_panel("This did not work", str(exc), "error")


def _show(compared: ComparedPhoto, chosen: int | None) -> CompareOutputs:
    comparison, index = compared.comparison, _first_judged(compared.comparison)
    if chosen is not None and chosen < len(comparison.by_face):
        return _show_chosen(compared, chosen)
    if index is None:
        return _no_photo(_not_judged(comparison), view.cards(compared, 0, {}))
    shown = _no_photo(view.headline(comparison, index), view.cards(compared, index, {}))
    shown = shown._replace(maps=gr.Column(visible=True))
    return _with_choice(shown, compared, index) if len(comparison.by_face) > 1 else shown


def _show_chosen(compared: ComparedPhoto, index: int) -> CompareOutputs:
    """The photo stays. The list is told the face: the answer to another question may have moved it meanwhile."""
    headline, cards = view.headline(compared.comparison, index), view.cards(compared, index, {})
    return CompareOutputs(headline, cards, gr.skip(), gr.Radio(value=index), gr.skip())


def _first_judged(comparison: Comparison) -> int | None:
    numbers = range(len(comparison.by_face))
    return next((index for index in numbers if any(one.judged for one in comparison.outcomes(index))), None)


def _with_choice(shown: CompareOutputs, compared: ComparedPhoto, index: int) -> CompareOutputs:
    """With the photo, its faces numbered, and their list."""
    comparison, numbers = compared.comparison, range(len(compared.comparison.by_face))
    if compared.photo is None:
        return shown
    tones = [view.tone_of(comparison, number) for number in numbers]
    with_faces = max(comparison.reports, key=lambda report: len(report.faces))
    picture = write_picture(annotate_faces(compared.photo, with_faces, tones), "compared-faces")
    annotated = gr.Image(picture, visible=True, alt_text=view.in_words(comparison))
    choices = [(f"{number + 1}  {view.title(comparison, number)}", number) for number in numbers]
    return shown._replace(annotated=annotated, face=gr.Radio(choices, value=index, visible=True))


def _not_judged(comparison: Comparison) -> str:
    if comparison.reports:
        return not_judged(comparison.reports[0])
    return message_panel("Nobody judged", "None of the chosen checkpoints can be asked. Choose others.", "error")


def _no_photo(headline: str, cards: str) -> CompareOutputs:
    nothing = gr.Image(None, visible=False), gr.Radio([], value=None, visible=False), gr.Column(visible=False)
    return CompareOutputs(headline, cards, *nothing)
