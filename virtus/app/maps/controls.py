"""The maps of the chosen face: what is shown, what can be set, and what happens then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from virtus.app.maps.callbacks import MapCallbacks, MapInputs
from virtus.app.maps.request import TARGETS
from virtus.app.visitors import KEEP_S, on_gpu
from virtus.app.widgets import map_slider, taking
from virtus.drawing import DEFAULT_OPACITY
from virtus.explain import DEFAULT_METHOD, EXPLAINERS, HEAD_FUSIONS
from virtus.html import render_part

DISCARD_INFO = "Share of the smallest attention left out of each block."
LAYER_INFO = "Whose tokens are looked at; the last one is nearest to the verdict."
NUM_BLOCKS = 12  # of the controls until a checkpoint says how many it has
PRIVATE: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class MapControls:
    """Components of the maps.

    Attributes:
        mapped: the face whose map is shown (`MappedFace`), for this visitor alone.
        method, target, opacity, layer, head, head_fusion, discard_ratio: what can be set.
        face, photo: sliders. `caption` and `trust` are said under them.
        draw_all, all_maps: every method side by side.
    """

    mapped: gr.State
    method: gr.Dropdown
    target: gr.Radio
    opacity: gr.Slider
    layer: gr.Slider
    head: gr.Dropdown
    head_fusion: gr.Radio
    discard_ratio: gr.Slider
    face: gr.ImageSlider
    photo: gr.ImageSlider
    caption: gr.HTML
    trust: gr.HTML
    draw_all: gr.Button
    all_maps: gr.HTML

    def wire(self, callbacks: MapCallbacks, face: list[Any], after: dict[str, Callable]) -> None:
        """Draw after each event in `after`, and whenever a setting changes; then test what was drawn.

        Args:
            face: components that say which face is looked at: photo, checkpoint, whole image, index of the face.
            after: by name, what chains an event to another one.
        """
        inputs = [*face, self.method, self.target, self.opacity, *self._options]

        def on(event: Callable, callback: Callable, outputs: list[Any], name: str, **show: Any) -> Any:
            """Answer the event by the callback, which gets the inputs and the face whose map is shown."""
            answer = on_gpu(taking(MapInputs, callback))
            return event(answer, [*inputs, self.mapped], outputs, api_name=name, **show, **PRIVATE)

        def draw(event: Callable, name: str) -> Any:
            outputs = [self.mapped, self.face, self.photo, self.caption, self.all_maps]
            return on(event, callbacks.show_map, outputs, f"draw_{name}", show_progress_on=[self.face, self.photo])

        def draw_and_test(event: Callable, name: str) -> None:
            controls, hidden = [self.target, *self._options, self.trust], {"show_progress": "hidden"}
            fitted = on(draw(event, name).then, callbacks.show_controls, controls, f"controls_{name}", **hidden)
            on(fitted.then, callbacks.test_map, [self.trust], f"test_{name}", **hidden)

        for name, then in after.items():
            draw_and_test(then, name)
        draw_and_test(partial(gr.on, self._changes), "changed")
        draw(self.opacity.release, "opacity")
        show_all = on_gpu(taking(MapInputs, callbacks.show_all))
        self.draw_all.click(show_all, inputs, self.all_maps, api_name="draw_all", **PRIVATE)

    @property
    def _options(self) -> list[Any]:
        return [self.layer, self.head, self.head_fusion, self.discard_ratio]

    @property
    def _changes(self) -> list[Any]:
        chosen = [setting.input for setting in (self.method, self.target, self.head, self.head_fusion)]
        return [*chosen, self.layer.release, self.discard_ratio.release]


def add_map_controls() -> MapControls:
    """Add the components to the Blocks that are being built."""
    mapped = gr.State(time_to_live=KEEP_S)
    gr.HTML(render_part("map.html", "heading"), elem_classes="maps-heading")
    with gr.Row(elem_classes="method-row"):
        method = gr.Dropdown(
            list(EXPLAINERS), value=DEFAULT_METHOD, label="Method", scale=2, min_width=140, elem_id="method"
        )
        target = gr.Radio(
            list(TARGETS), value="predicted", label="Target class", scale=3, min_width=260, elem_id="target"
        )
    with gr.Row(elem_classes="sliders"):
        face, photo = map_slider("Face", elem_id="map-face"), map_slider("Photo", elem_id="map-photo")
    trust = gr.HTML(elem_id="map-trust")
    caption = gr.HTML(elem_id="map-caption")
    opacity = gr.Slider(0, 1, DEFAULT_OPACITY, step=0.05, label="Opacity of the map", elem_id="opacity")
    options = _add_options()
    with gr.Accordion("All methods side by side", open=False, elem_id="all"):
        gr.HTML(render_part("map.html", "all_methods"), elem_classes="maps-heading")
        draw_all = gr.Button("Draw and test all", elem_id="draw-all")
        all_maps = gr.HTML(elem_id="all-maps")
    return MapControls(mapped, method, target, opacity, *options, face, photo, caption, trust, draw_all, all_maps)


def _add_options() -> tuple[gr.Slider, gr.Dropdown, gr.Radio, gr.Slider]:
    with gr.Accordion("Layer, heads and other options", open=False, elem_id="options"):
        layer = gr.Slider(1, NUM_BLOCKS, NUM_BLOCKS, step=1, label="Layer", info=LAYER_INFO, elem_id="layer")
        heads: list[Any] = [("all", None)]
        head = gr.Dropdown(heads, value=None, label="Attention head", elem_id="head")
        fusion = gr.Radio(list(HEAD_FUSIONS), value="mean", label="head_fusion", info="How the heads become one.")
        discard = gr.Slider(0, 0.95, 0, step=0.05, label="discard_ratio", info=DISCARD_INFO)
    return layer, head, fusion, discard
