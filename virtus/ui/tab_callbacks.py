"""What happens in the tab `Analyze`. Nothing is kept between two events: the photo is read and judged again."""

from __future__ import annotations

import gradio as gr

from virtus.annotate import annotate, display_size, face_at
from virtus.errors import VirtusError
from virtus.explain import EXPLAINERS
from virtus.results import FaceReport, ImageReport
from virtus.ui import panels
from virtus.ui.detectors import Detectors
from virtus.ui.judging import SIDE_BY_SIDE, Judged, MapRequest, face_of, judge
from virtus.ui.pictures import crop_pair, photo_pair, write_png
from virtus.ui.uploads import uploaded

_NO_MAPS = (None,) * (len(SIDE_BY_SIDE) + 1)


class TabCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def checkpoint_line(self, model: str = "auto") -> str:
        """The line that says who judges."""
        return panels.checkpoint(self._detectors.get(model).checkpoint.info)

    def show_verdict(self, file: dict | None, model: str, whole: bool) -> tuple:
        """Verdict, checkpoint line, annotated photo, choice of faces, and whether there are maps."""
        try:
            if file is None:
                return panels.EMPTY, self.checkpoint_line(model), *_no_photo()
            return _verdict(self._judge(file, model, whole))
        except VirtusError as exc:
            return panels.message("This did not work", str(exc), "error"), panels.NO_CHECKPOINT, *_no_photo()

    def choose_face(self, file: dict, model: str, whole: bool, index: int) -> str:
        """The verdict on another face."""
        try:
            return panels.verdict(self._judge(file, model, whole).report, index)
        except VirtusError as exc:
            return panels.message("This did not work", str(exc), "error")

    def click_face(self, file: dict, model: str, whole: bool, event: gr.SelectData) -> tuple:
        """The face at a place of the annotated photo, and its verdict."""
        try:
            report = self._judge(file, model, whole).report
        except VirtusError as exc:
            return gr.skip(), panels.message("This did not work", str(exc), "error")
        index = face_at(report, event.index, display_size(report.image_size))
        return (gr.skip(), gr.skip()) if index is None else (index, panels.verdict(report, index))

    def show_maps(self, file: dict | None, model: str, whole: bool, index: int | None, *settings) -> tuple:
        """Before and after for each method's slider and for the photo's, and the lines about them."""
        if file is None or index is None:
            return *_NO_MAPS, ""
        try:
            wanted = MapRequest(*settings, beside=SIDE_BY_SIDE)
            judged = self._judge(file, model, whole, wanted)
            return _maps(judged, face_of(judged.report, index), wanted)
        except VirtusError as exc:
            return *_NO_MAPS, panels.message("No map could be drawn", str(exc), "error")

    def _judge(self, file: dict, model: str, whole: bool, wanted: MapRequest | None = None) -> Judged:
        return judge(self._detectors.get(model), uploaded(file), whole=whole, wanted=wanted)


def _verdict(judged: Judged) -> tuple:
    report = judged.report
    line = panels.checkpoint(report.checkpoint)
    if judged.photo is None:
        return panels.not_judged(report), line, *_no_photo()
    picture = write_png(annotate(judged.photo, report), "faces")
    annotated = gr.Image(picture, visible=True, alt_text=panels.in_words(report))
    if not report.outcome.judged:
        return panels.not_judged(report), line, annotated, _face_choice(report, None), gr.Column(visible=False)
    first = next(index for index, face in enumerate(report.faces) if face.outcome.judged)
    return panels.verdict(report, first), line, annotated, _face_choice(report, first), gr.Column(visible=True)


def _no_photo() -> tuple:
    return gr.Image(None, visible=False), gr.Radio([], value=None, visible=False), gr.Column(visible=False)


def _face_choice(report: ImageReport, index: int | None) -> gr.Radio:
    choices = [(f"{number}  {panels.words(face)}", number - 1) for number, face in enumerate(report.faces, start=1)]
    return gr.Radio(choices, value=index, visible=index is not None and len(choices) > 1)


def _maps(judged: Judged, face: FaceReport, wanted: MapRequest) -> tuple:
    if not face.explanations:
        return *_NO_MAPS, ""
    found = {one.method: one for one in face.explanations}
    crops = [crop_pair(face.crop, found[method], wanted.opacity) for method in SIDE_BY_SIDE]
    photos = photo_pair(judged.photo, face.crop, found[wanted.method], wanted.opacity)
    lines = [panels.map_caption(one, EXPLAINERS[method].description) for method, one in found.items()]
    return *crops, photos, panels.map_captions(lines)
