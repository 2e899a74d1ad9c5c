"""The tab `Analyze`: a photo in, a verdict for every face, and maps of where the model looked."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from virtus.explain import EXPLAINERS
from virtus.explain.heads import HEAD_FUSIONS
from virtus.overlay import DEFAULT_OPACITY
from virtus.ui import panels
from virtus.ui.detectors import Detectors
from virtus.ui.gpu import on_gpu
from virtus.ui.judging import SIDE_BY_SIDE, TARGETS
from virtus.ui.photo_input import photo_input
from virtus.ui.tab_callbacks import TabCallbacks

CHOOSER_INFO = "The first is loaded. Others, and any Hub id owner/name, are fetched from the Hugging Face Hub."
MAPS_HEADING = "<h2>Where did the model look?</h2><p>Drag each handle: photo to its left, map to its right.</p>"
METHOD_INFO = "Whose map lies over the whole photo."
PRIVATE = {"api_visibility": "private", "trigger_mode": "always_last"}  # of several quick changes, the last one counts
TARGET_INFO = "Rollout knows no class: it draws the same map for each."


@dataclass(frozen=True)
class _Question:
    """What is asked: a photo, and of whom."""

    photo: gr.HTML
    model: gr.Dropdown
    whole: gr.Checkbox


@dataclass(frozen=True)
class _Answer:
    """What is shown for a photo."""

    verdict: gr.HTML
    checkpoint: gr.HTML
    annotated: gr.Image
    face: gr.Radio
    maps: gr.Column


@dataclass(frozen=True)
class _Maps:
    """The maps of the chosen face, and what can be set about them."""

    settings: tuple[gr.Radio | gr.Slider, ...]
    faces: tuple[gr.ImageSlider, ...]
    photo: gr.ImageSlider
    caption: gr.HTML


def add_analyze_tab(detectors: Detectors, *, whole: bool) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    callbacks = TabCallbacks(detectors)
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            question = _add_question(detectors, whole)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            answer, maps = _add_answer(callbacks)
    _wire(callbacks, question, answer, maps)


def _add_question(detectors: Detectors, whole: bool) -> _Question:
    photo = photo_input()
    model = gr.Dropdown(
        detectors.names,
        value=detectors.default,
        label="Checkpoint",
        info=CHOOSER_INFO,
        allow_custom_value=True,
        elem_id="model",
    )
    switch = gr.Checkbox(
        value=whole,
        label="Whole image",
        info="For ready-made face crops: judge the picture as it is, without looking for faces.",
        elem_id="whole",
    )
    return _Question(photo, model, switch)


def _add_answer(callbacks: TabCallbacks) -> tuple[_Answer, _Maps]:
    checkpoint = gr.HTML(callbacks.checkpoint_line(), elem_id="checkpoint")
    verdict = gr.HTML(panels.EMPTY, elem_id="verdict", js_on_load=panels.FADE_IN)
    face = gr.Radio([], label="Face", info="Or click a face in the photo.", visible=False, elem_id="face")
    annotated = gr.Image(
        format="png",
        label="Faces",
        show_label=False,
        interactive=False,
        visible=False,
        buttons=["fullscreen"],
        alt_text="The photo with its faces boxed",
        elem_id="annotated",
    )
    with gr.Column(visible=False, elem_id="maps") as group:
        maps = _add_maps()
    return _Answer(verdict, checkpoint, annotated, face, group), maps


def _add_maps() -> _Maps:
    gr.HTML(MAPS_HEADING, elem_classes="maps-heading")
    with gr.Row(elem_classes="sliders"):
        faces = tuple(_add_slider(f"Face, {method}", f"map-{method}") for method in SIDE_BY_SIDE)
    caption = gr.HTML(elem_id="map-caption")
    photo = _add_slider("Photo", "map-photo")
    with gr.Row():
        method = gr.Radio(list(EXPLAINERS), value="rollout", label="Method", info=METHOD_INFO, elem_id="method")
        target = gr.Radio(list(TARGETS), value="predicted", label="Target class", info=TARGET_INFO, elem_id="target")
    opacity = gr.Slider(0, 1, DEFAULT_OPACITY, step=0.05, label="Opacity of the map", elem_id="opacity")
    with gr.Accordion("Options of rollout", open=False):
        fusion = gr.Radio(list(HEAD_FUSIONS), value="mean", label="head_fusion", info="How the heads become one.")
        discard = gr.Slider(
            0, 0.95, 0, step=0.05, label="discard_ratio", info="Share of the smallest attention left out of each block."
        )
    return _Maps((method, target, opacity, fusion, discard), faces, photo, caption)


def _add_slider(label: str, name: str) -> gr.ImageSlider:
    return gr.ImageSlider(
        format="png", label=label, interactive=False, max_height=420, buttons=["fullscreen"], elem_id=name
    )


def _wire(callbacks: TabCallbacks, question: _Question, answer: _Answer, maps: _Maps) -> None:
    """The verdict comes first, the maps after it. These events serve the page; those of `endpoints.py`, programs."""
    asked = [question.photo, question.model, question.whole]
    asking = (question.photo.upload, question.photo.clear, question.model.input, question.whole.input)
    shown = [answer.verdict, answer.checkpoint, answer.annotated, answer.face, answer.maps]
    chosen = ([*asked, answer.face], answer.verdict)
    clicked = (asked, [answer.face, answer.verdict])
    own = {"show_progress_on": answer.verdict, **PRIVATE}
    first = gr.on(asking, on_gpu(callbacks.show_verdict), asked, shown, api_name="show_verdict", **own)
    other = gr.on(answer.face.input, on_gpu(callbacks.choose_face), *chosen, api_name="choose_face", **own)
    click = gr.on(answer.annotated.select, on_gpu(callbacks.click_face), *clicked, api_name="click_face", **own)

    draw = _draw_event(callbacks, [*asked, answer.face], maps)
    for event, name in ((first, "show_first_maps"), (other, "show_other_maps"), (click, "show_clicked_maps")):
        event.then(**draw, api_name=name)
    method, target, opacity, fusion, discard = maps.settings
    changed = (method.input, target.input, opacity.release, fusion.input, discard.release)
    gr.on(changed, **draw, api_name="show_maps")


def _draw_event(callbacks: TabCallbacks, asked: list, maps: _Maps) -> dict:
    return {
        "fn": on_gpu(callbacks.show_maps),
        "inputs": [*asked, *maps.settings],
        "outputs": [*maps.faces, maps.photo, maps.caption],
        "show_progress_on": [*maps.faces, maps.photo],
        **PRIVATE,
    }
