"""The tab `Compare`: a photo in, and what several checkpoints say of the same faces, side by side."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from virtus.app.compare import view as compare_panels
from virtus.app.compare.callbacks import CompareCallbacks, CompareInputs
from virtus.app.visitors import KEEP_S, Detectors, on_gpu
from virtus.app.widgets import PHOTO, add_drop_zone, add_verdict_settings, boxed_photo, panels, taking
from virtus.explain import DEFAULT_METHOD, EXPLAINERS
from virtus.judging import MAX_COMPARED

MODELS_INFO = f"Up to {MAX_COMPARED}. Others than those of the list by their Hub id owner/name: they are fetched first."
PRIVATE = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class _Answer:
    """What is shown, and what is kept for the maps (`virtus.app.compare.kept_comparison.KeptComparison`)."""

    kept: gr.State
    headline: gr.HTML
    face: gr.Radio
    annotated: gr.Image
    cards: gr.HTML
    maps: gr.Column
    method: gr.Dropdown
    caption: gr.HTML


def add_compare_tab(detectors: Detectors, *, whole: bool, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            photo = add_drop_zone(PHOTO, elem_id="compare-photo", result="compare-headline")
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            asked = [photo, _add_models(detectors), *add_verdict_settings(whole, prior, prefix="compare-")]
            headline, face, annotated = _add_headline()
    answer = _Answer(gr.State(time_to_live=KEEP_S), headline, face, annotated, *_add_cards())
    _wire(CompareCallbacks(detectors), asked, answer)


def _add_models(detectors: Detectors) -> gr.Dropdown:
    return gr.Dropdown(
        detectors.names,
        value=detectors.preselected,
        label="Checkpoints",
        info=MODELS_INFO,
        multiselect=True,
        max_choices=MAX_COMPARED,
        allow_custom_value=True,
        elem_id="compare-models",
    )


def _add_headline() -> tuple[gr.HTML, gr.Radio, gr.Image]:
    headline = gr.HTML(compare_panels.empty_panel(), elem_id="compare-headline", js_on_load=panels.FADE_IN)
    face = gr.Radio([], label="Face", visible=False, elem_id="compare-face")
    annotated = boxed_photo(elem_id="compare-annotated", visible=False)
    return headline, face, annotated


def _add_cards() -> tuple[gr.HTML, gr.Column, gr.Dropdown, gr.HTML]:
    cards = gr.HTML(elem_id="compare-cards")
    with gr.Column(visible=False, elem_id="compare-maps") as maps:
        method = gr.Dropdown(
            list(EXPLAINERS), value=DEFAULT_METHOD, label="Method of the maps", elem_id="compare-method"
        )
        caption = gr.HTML(elem_id="compare-caption")
    return cards, maps, method, caption


def _wire(callbacks: CompareCallbacks, asked: list, answer: _Answer) -> None:
    """Verdicts come first, then the maps. These events serve the page; the endpoint `compare`, programs."""
    show, choose = (taking(CompareInputs, callback) for callback in (callbacks.show_comparison, callbacks.choose_face))
    photo, *settings = asked
    asking = [photo.upload, photo.clear, *(one.input for one in settings)]
    shown = [answer.kept, answer.headline, answer.cards, answer.annotated, answer.face, answer.maps]
    own = {"show_progress_on": answer.headline, **PRIVATE}
    first = gr.on(asking, on_gpu(show), asked, shown, api_name="show_comparison", **own)
    chosen = ([*asked, answer.face], shown[:3])
    other = gr.on(answer.face.input, on_gpu(choose), *chosen, api_name="choose_compared", **own)
    draw = {"fn": on_gpu(callbacks.draw_maps), "inputs": [answer.kept, answer.method], **PRIVATE}
    draw |= {"outputs": [answer.cards, answer.caption], "show_progress": "hidden"}
    first.then(**draw, api_name="map_compared")
    other.then(**draw, api_name="map_chosen")
    answer.method.input(**draw, api_name="map_method")
