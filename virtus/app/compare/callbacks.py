"""What happens in the tab `Compare`: the photo is judged anew for each face; its maps are drawn from what was kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import gradio as gr

from virtus.app.compare import view as compare_panels
from virtus.app.compare.kept_comparison import KeptAnswer, KeptComparison, keep_comparison
from virtus.app.compare.view import DrawnMap
from virtus.app.maps import MapRequest
from virtus.app.visitors import Compared, Detectors, compare, uploaded
from virtus.app.widgets import panels, write_png
from virtus.drawing import annotate_faces, overlay_crop
from virtus.errors import InputError, VirtusError
from virtus.judging import Comparison
from virtus.results import FaceReport


@dataclass(frozen=True)
class CompareInputs:
    """What a visitor asks of a photo: the values of the tab's components for that, in their order."""

    photo: dict | None
    models: list[str]
    whole: bool
    stability: bool
    prior: float


class CompareOutputs(NamedTuple):
    """What is shown: what is kept for the maps, headline, cards, and, at first, photo, choice of faces and the maps."""

    kept: KeptComparison | None
    headline: str
    cards: str
    annotated: gr.Image
    face: gr.Radio
    maps: gr.Column


class CompareCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def show_comparison(self, inputs: CompareInputs) -> CompareOutputs:
        """What the checkpoints say of the largest face that was judged; without a photo, all as at first."""
        try:
            if not inputs.photo:
                return CompareOutputs(None, compare_panels.empty_panel(), "", *_no_photo())
            return _show(self._compare(inputs))
        except VirtusError as exc:
            return CompareOutputs(None, _error(exc), "", *_no_photo())

    def choose_face(self, inputs: CompareInputs, index: int) -> tuple[KeptComparison | None, str, str]:
        """What is kept of another face, its headline and its cards."""
        try:
            compared = self._compare(inputs)
            kept = keep_comparison(compared, index)
            return kept, compare_panels.headline(compared.comparison, index), compare_panels.cards(kept, {})
        except VirtusError as exc:
            return None, _error(exc), ""

    def _compare(self, inputs: CompareInputs) -> Compared:
        if not inputs.models:
            raise InputError("No checkpoint is chosen. Choose two or more to compare.")
        names, path = [name.strip() for name in inputs.models], uploaded(inputs.photo)
        asked = {"whole": inputs.whole, "stability": inputs.stability, "prior": inputs.prior}
        return compare(self._detectors, names, path, **asked)

    def draw_maps(self, kept: KeptComparison | None, method: str) -> tuple:
        """The cards with their maps, and the caption of these."""
        if kept is None:
            return gr.skip(), ""
        maps = {answer.name: self._draw(answer, method) for answer in kept.answers if answer.crop}
        return compare_panels.cards(kept, maps), compare_panels.map_caption(maps)

    def _draw(self, answer: KeptAnswer, method: str) -> DrawnMap:
        try:
            one = MapRequest(method).draw(self._detectors.get(answer.name).encode([answer.crop]))
        except VirtusError as exc:
            return str(exc)
        return one, overlay_crop(replace(answer.crop, image=answer.seen), one.heatmap, signed=one.signed)


def _error(exc: VirtusError) -> str:
    return panels.message("This did not work", str(exc), "error")


def _show(compared: Compared) -> CompareOutputs:
    comparison = compared.comparison
    judged = [at for at, face in enumerate(_faces(comparison)) if face.outcome.judged]
    kept = keep_comparison(compared, judged[0] if judged else 0)
    cards = compare_panels.cards(kept, {})
    if not judged:
        return CompareOutputs(kept, _not_judged(comparison), cards, *_no_photo())
    choice = _face_choice(compared, kept.index) if len(comparison.by_face) > 1 else _no_photo()[:2]
    headline = compare_panels.headline(comparison, kept.index)
    return CompareOutputs(kept, headline, cards, *choice, gr.Column(visible=True))


def _faces(comparison: Comparison) -> tuple[FaceReport, ...]:
    return comparison.reports[0].faces if comparison.reports else ()


def _face_choice(compared: Compared, index: int) -> tuple:
    """The photo with its faces numbered, and their list."""
    comparison, numbers = compared.comparison, range(len(compared.comparison.by_face))
    tones = [compare_panels.tone_of(comparison, at) for at in numbers]
    picture = write_png(annotate_faces(compared.photo, comparison.reports[0], tones), "compared-faces")
    annotated = gr.Image(picture, visible=True, alt_text=compare_panels.in_words(comparison))
    choices = [(f"{at + 1}  {compare_panels.title(comparison, at)}", at) for at in numbers]
    return annotated, gr.Radio(choices, value=index, visible=True)


def _not_judged(comparison: Comparison) -> str:
    if comparison.reports:
        return panels.not_judged(comparison.reports[0])
    return panels.message("Nobody judged", "None of the chosen checkpoints can be asked. Choose others.", "error")


def _no_photo() -> tuple:
    return gr.Image(None, visible=False), gr.Radio([], value=None, visible=False), gr.Column(visible=False)
