"""What happens in the tab `Analyze` around the verdict. The photo is read and judged again at each of these events."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from virtus.app.visitors import Detectors, Judged, judge, uploaded
from virtus.app.widgets import panels, write_png
from virtus.drawing import annotate_faces, display_size, face_at
from virtus.errors import VirtusError
from virtus.results import ImageReport


@dataclass(frozen=True)
class Asked:
    """What a visitor asks of a photo, as the components hand it over."""

    file: dict | None
    model: str
    whole: bool
    stability: bool
    prior: float

    def judge(self, detectors: Detectors) -> Judged:
        """The photo's report."""
        detector = detectors.get(self.model).at_prior(self.prior)
        return judge(detector, uploaded(self.file), whole=self.whole, stability=self.stability)


class TabCallbacks:
    """The callbacks, with the detectors that they share. `asked` are the fields of `Asked`."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def checkpoint_line(self, model: str = "auto") -> str:
        """The line that says who judges."""
        return panels.checkpoint(self._detectors.info(model))

    def show_verdict(self, *asked) -> tuple:
        """Verdict, checkpoint line, annotated photo, choice of faces, and whether there are maps."""
        question = Asked(*asked)
        try:
            if not question.file:  # Gradio makes "" of a value that was taken away
                return panels.EMPTY, self.checkpoint_line(question.model), *_no_photo()
            return _verdict(question.judge(self._detectors))
        except VirtusError as exc:
            return _error(exc), panels.NO_CHECKPOINT, *_no_photo()

    def choose_face(self, *asked_and_index) -> str:
        """The verdict on another face."""
        *asked, index = asked_and_index
        try:
            return panels.verdict_html(Asked(*asked).judge(self._detectors).report, index)
        except VirtusError as exc:
            return _error(exc)

    def note_point(self, event: gr.SelectData) -> tuple[int, int]:
        """Where the annotated photo was clicked: (x, y) in px as it is shown."""
        return event.index

    def click_face(self, *asked_and_point) -> tuple:
        """The face at a point (x, y) of the annotated photo, and its verdict."""
        *asked, point = asked_and_point
        try:
            report = Asked(*asked).judge(self._detectors).report
        except VirtusError as exc:
            return gr.skip(), _error(exc)
        index = face_at(report, point, display_size(report.image_size))
        return (gr.skip(), gr.skip()) if index is None else (index, panels.verdict_html(report, index))


def _error(exc: VirtusError) -> str:
    return panels.message("This did not work", str(exc), "error")


def _verdict(judged: Judged) -> tuple:
    report = judged.report
    line = panels.checkpoint(report.checkpoint)
    if judged.photo is None:
        return panels.not_judged(report), line, *_no_photo()
    picture = write_png(annotate_faces(judged.photo, report), "faces")
    annotated = gr.Image(picture, visible=True, alt_text=panels.in_words(report))
    if not report.outcome.judged:
        return panels.not_judged(report), line, annotated, _face_choice(report, None), gr.Column(visible=False)
    first = next(index for index, face in enumerate(report.faces) if face.outcome.judged)
    return panels.verdict_html(report, first), line, annotated, _face_choice(report, first), gr.Column(visible=True)


def _no_photo() -> tuple:
    return gr.Image(None, visible=False), gr.Radio([], value=None, visible=False), gr.Column(visible=False)


def _face_choice(report: ImageReport, index: int | None) -> gr.Radio:
    choices = [(f"{number}  {panels.words(face)}", number - 1) for number, face in enumerate(report.faces, start=1)]
    return gr.Radio(choices, value=index, visible=index is not None and len(choices) > 1)
