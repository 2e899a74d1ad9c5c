"""The tab `Analyze`: a photo in, a verdict for every face, and maps of what the model used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from virtus.app.analyze.callbacks import AnalyzeCallbacks, AnalyzeInputs
from virtus.app.analyze.provenance_panel import add_provenance_panel
from virtus.app.analyze.report_panel import ReportPanel, add_report_panel
from virtus.app.maps import MapCallbacks, MapControls, add_map_controls
from virtus.app.visitors import Detectors, ending, on_gpu, until_stopped
from virtus.app.widgets import (
    FADE_IN,
    PHOTO,
    add_drop_zone,
    add_verdict_settings,
    checkpoint_chooser,
    leaving_list,
    taking,
)
from virtus.html import render_part

SHOW, CHOOSE = "show_verdict", "choose_face"  # the events
# Of several quick changes, the last one counts.
PRIVATE: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class AnalyzeControls:
    """What is asked: a photo, of whom, and how. Their values are `AnalyzeInputs`."""

    photo: gr.HTML
    model: gr.Dropdown
    whole: gr.Checkbox
    stability: gr.Checkbox
    prior: gr.Slider

    @property
    def components(self) -> list[Any]:
        return [self.photo, self.model, self.whole, self.stability, self.prior]

    @property
    def changes(self) -> list[Any]:
        """Events after which another verdict is due."""
        changed = [setting.input for setting in (self.whole, self.stability, self.prior)]
        return [self.photo.upload, self.photo.clear, self.model.change, *changed]


@dataclass(frozen=True)
class AnalyzePanels:
    """What is shown for a photo: beside the report, what `AnalyzeOutputs` are the values of."""

    verdict: gr.HTML
    checkpoint: gr.HTML
    face: gr.Radio
    maps: MapControls
    report: ReportPanel


def add_analyze_tab(detectors: Detectors, *, whole: bool, prior: float) -> list[Any]:
    """Add the tab's components and events to the Blocks that are being built.

    Returns:
        The components that say which face is looked at: photo, checkpoint, whole image, prior, index of the face.
    """
    callbacks = AnalyzeCallbacks(detectors)
    with gr.Row(elem_classes=["columns", "with-aside"]):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            controls = _add_controls(detectors, whole, prior)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            shown = _add_panels(callbacks)
        with gr.Column(scale=2, min_width=300, elem_classes="aside"):
            add_provenance_panel(controls.photo)
    _wire(callbacks, MapCallbacks(detectors), controls, shown)
    asked = [controls.photo, controls.model, controls.whole, controls.prior]
    shown.report.wire(detectors, asked, controls.changes)
    return [*asked, shown.face]


def _add_controls(detectors: Detectors, whole: bool, prior: float) -> AnalyzeControls:
    photo = add_drop_zone(PHOTO, elem_id="photo", result="verdict")
    model = checkpoint_chooser(detectors, elem_id="model")
    return AnalyzeControls(photo, model, *add_verdict_settings(whole, prior))


def _add_panels(callbacks: AnalyzeCallbacks) -> AnalyzePanels:
    checkpoint = gr.HTML(callbacks.checkpoint_line(), elem_id="checkpoint")
    verdict = gr.HTML(render_part("empty.html", "photo"), elem_id="verdict", js_on_load=FADE_IN)
    face = gr.Radio([], label="Face", info="Or click one in the photo.", visible=False, elem_id="face")
    maps = add_map_controls()
    return AnalyzePanels(verdict, checkpoint, face, maps, add_report_panel())


def _wire(
    callbacks: AnalyzeCallbacks,
    drawing: MapCallbacks,
    controls: AnalyzeControls,
    shown: AnalyzePanels,
) -> None:
    """The verdict comes first, then the map, then its test. These serve the page; those of `api`, programs."""
    maps, asked = shown.maps, controls.components
    outputs = [shown.verdict, shown.checkpoint, shown.face, maps.frame, maps.group]
    progress: dict[str, Any] = {"show_progress_on": shown.verdict, **PRIVATE}
    show = ending([CHOOSE], on_gpu(taking(AnalyzeInputs, callbacks.show_verdict)))
    first = gr.on(controls.changes, show, asked, outputs, api_name=SHOW, **progress)
    choose = leaving_list(on_gpu(taking(AnalyzeInputs, callbacks.choose_face)), [SHOW])
    choose = until_stopped(choose, instead=gr.skip())
    other = shown.face.input(choose, [*asked, shown.face], outputs, api_name=CHOOSE, **progress)
    face = [controls.photo, controls.model, controls.whole, shown.face]
    maps.wire(drawing, face, {"first": first.then, "other": other.then})
