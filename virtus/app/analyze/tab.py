"""The tab `Analyze`: a photo in, a verdict for every face, and maps of what the model used."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from virtus.app.analyze.callbacks import TabCallbacks
from virtus.app.analyze.provenance_panel import add_provenance_panel
from virtus.app.analyze.report_panel import ReportPanel, add_report_panel
from virtus.app.maps import MapCallbacks, MapControls, add_map_controls
from virtus.app.visitors import KEEP_S, Detectors, on_gpu
from virtus.app.widgets import PHOTO, add_drop_zone, add_verdict_settings, boxed_photo, checkpoint_chooser, panels

PRIVATE = {"api_visibility": "private", "trigger_mode": "always_last"}  # of several quick changes, the last one counts
QUIET = {"api_visibility": "private", "trigger_mode": "multiple", "show_progress": "hidden"}


@dataclass(frozen=True)
class _Question:
    """What is asked: a photo, of whom, and how."""

    photo: gr.HTML
    model: gr.Dropdown
    whole: gr.Checkbox
    stability: gr.Checkbox
    prior: gr.Slider

    @property
    def components(self) -> list:
        return [self.photo, self.model, self.whole, self.stability, self.prior]

    @property
    def changes(self) -> list:
        """Events after which another verdict is due."""
        changed = [one.input for one in (self.model, self.whole, self.stability, self.prior)]
        return [self.photo.upload, self.photo.clear, *changed]


@dataclass(frozen=True)
class _Answer:
    """What is shown for a photo."""

    verdict: gr.HTML
    checkpoint: gr.HTML
    annotated: gr.Image
    face: gr.Radio
    maps: gr.Column
    report: ReportPanel


def add_analyze_tab(detectors: Detectors, *, whole: bool, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    callbacks = TabCallbacks(detectors)
    with gr.Row(elem_classes=["columns", "with-aside"]):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            question = _add_question(detectors, whole, prior)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            answer, maps = _add_answer(callbacks)
        with gr.Column(scale=2, min_width=300, elem_classes="aside"):
            add_provenance_panel(question.photo)
    _wire(callbacks, MapCallbacks(detectors), question, answer, maps)
    asked = [question.photo, question.model, question.whole, question.prior]
    answer.report.wire(detectors, asked, question.changes)


def _add_question(detectors: Detectors, whole: bool, prior: float) -> _Question:
    photo = add_drop_zone(PHOTO, elem_id="photo", result="verdict")
    model = checkpoint_chooser(detectors, elem_id="model")
    return _Question(photo, model, *add_verdict_settings(whole, prior))


def _add_answer(callbacks: TabCallbacks) -> tuple[_Answer, MapControls]:
    checkpoint = gr.HTML(callbacks.checkpoint_line(), elem_id="checkpoint")
    verdict = gr.HTML(panels.EMPTY, elem_id="verdict", js_on_load=panels.FADE_IN)
    face = gr.Radio([], label="Face", info="Or click a face in the photo.", visible=False, elem_id="face")
    annotated = boxed_photo(elem_id="annotated", visible=False)
    with gr.Column(visible=False, elem_id="maps") as group:
        maps = add_map_controls()
    report = add_report_panel()
    return _Answer(verdict, checkpoint, annotated, face, group, report), maps


def _wire(
    callbacks: TabCallbacks, drawing: MapCallbacks, question: _Question, answer: _Answer, maps: MapControls
) -> None:
    """The verdict comes first, then the map, then its test. These serve the page; those of `endpoints.py`, programs."""
    asked = question.components
    shown = [answer.verdict, answer.checkpoint, answer.annotated, answer.face, answer.maps]
    chosen = ([*asked, answer.face], answer.verdict)
    own = {"show_progress_on": answer.verdict, **PRIVATE}
    first = gr.on(question.changes, on_gpu(callbacks.show_verdict), asked, shown, api_name="show_verdict", **own)
    other = gr.on(answer.face.input, on_gpu(callbacks.choose_face), *chosen, api_name="choose_face", **own)
    # An event that waits for another is sent with the data of that other: they are noted at once, and read in its turn.
    point = gr.State(time_to_live=KEEP_S)
    note = answer.annotated.select(callbacks.note_point, None, point, queue=False, api_name="note_point", **QUIET)
    clicked = ([*asked, point], [answer.face, answer.verdict])
    click = note.then(on_gpu(callbacks.click_face), *clicked, api_name="click_face", **own)
    face = [question.photo, question.model, question.whole, answer.face]
    maps.wire(drawing, face, {"first": first.then, "other": other.then, "clicked": click.then})
