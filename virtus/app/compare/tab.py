"""The tab `Compare`: a photo in, and what several checkpoints say of the same faces, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from virtus.app.compare.callbacks import CompareCallbacks, CompareInputs
from virtus.app.compare.view import empty_panel
from virtus.app.visitors import Detectors, ending, on_gpu, until_stopped
from virtus.app.widgets import FADE_IN, PHOTO, add_drop_zone, add_verdict_settings, boxed_photo, leaving_list, taking
from virtus.explain import DEFAULT_METHOD, EXPLAINERS
from virtus.judging import MAX_COMPARED

MODELS_INFO = (
    f"Up to {MAX_COMPARED}. Others than those of the list by their Hub id owner/name: they are fetched first. "
    "Where labels do not say which is fake, owner/name#LABEL does."
)
PRIVATE: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last"}
SHOW, CHOOSE = "show_comparison", "choose_compared"  # the events
DRAWINGS = ("map_compared", "map_chosen", "map_method")  # the events that fill the cards with maps


@dataclass(frozen=True)
class ComparePanels:
    """What is shown. The values of the first five are `CompareOutputs`."""

    headline: gr.HTML
    cards: gr.HTML
    annotated: gr.Image
    face: gr.Radio
    maps: gr.Column
    method: gr.Dropdown
    caption: gr.HTML


def add_compare_tab(detectors: Detectors, *, whole: bool, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            photo = add_drop_zone(PHOTO, elem_id="compare-photo", result="compare-headline")
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            controls = [photo, _add_models(detectors), *add_verdict_settings(whole, prior, prefix="compare-")]
            headline = gr.HTML(empty_panel(), elem_id="compare-headline", js_on_load=FADE_IN)
            face = gr.Radio([], label="Face", visible=False, elem_id="compare-face")
            annotated = boxed_photo(elem_id="compare-annotated", visible=False)
    cards = gr.HTML(elem_id="compare-cards")
    with gr.Column(visible=False, elem_id="compare-maps") as maps:
        method = gr.Dropdown(
            list(EXPLAINERS), value=DEFAULT_METHOD, label="Method of the maps", elem_id="compare-method"
        )
        caption = gr.HTML(elem_id="compare-caption")
    shown = ComparePanels(headline, cards, annotated, face, maps, method, caption)
    _wire(CompareCallbacks(detectors), controls, shown)


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


def _wire(callbacks: CompareCallbacks, controls: list[Any], shown: ComparePanels) -> None:
    """Verdicts come first, then the maps. These events serve the page; the endpoint `compare`, programs.

    Args:
        controls: in the order of `CompareInputs`.
    """

    def on(event: Callable, answer: Callable, others: list[Any], outputs: list[Any], name: str, **show: Any) -> Any:
        """Answer the event by what gets the inputs, then the values of others; it ends the drawings under way."""
        drawings = [drawing for drawing in DRAWINGS if drawing != name]
        answer = ending((), answer, rivals=drawings) if name in DRAWINGS else ending(drawings, answer)
        return event(answer, [*controls, *others], outputs, api_name=name, **show, **PRIVATE)

    def working(callback: Callable) -> Callable:
        return on_gpu(taking(CompareInputs, callback))

    def stoppable(answer: Callable) -> Callable:
        return until_stopped(answer, instead=gr.skip())

    def draw(event: Callable, name: str) -> None:
        others, outputs = [shown.face, shown.method], [shown.cards, shown.caption]
        on(event, stoppable(working(callbacks.draw_maps)), others, outputs, name, show_progress="hidden")

    photo, *settings = controls
    asking = partial(gr.on, [photo.upload, photo.clear, *(setting.input for setting in settings)])
    outputs = [shown.headline, shown.cards, shown.annotated, shown.face, shown.maps]
    progress = {"show_progress_on": shown.headline}
    show = ending([CHOOSE], working(callbacks.show_comparison))
    choose = stoppable(leaving_list(working(callbacks.choose_face), [SHOW]))
    first = on(asking, show, [], outputs, SHOW, **progress)
    other = on(shown.face.input, choose, [shown.face], outputs, CHOOSE, **progress)
    draw(first.then, "map_compared")
    draw(other.then, "map_chosen")
    draw(shown.method.input, "map_method")
