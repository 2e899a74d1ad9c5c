"""The maps of the chosen face: what is shown, what can be set, and what happens then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import gradio as gr

from virtus.app.maps.callbacks import MapCallbacks
from virtus.app.maps.request import TARGETS
from virtus.app.visitors import KEEP_S, on_gpu
from virtus.drawing import DEFAULT_OPACITY
from virtus.explain import DEFAULT_METHOD, EXPLAINERS, HEAD_FUSIONS

ALL_INFO = "Draws every method's map, and holds each against chance. Takes a minute on two cores."
DISCARD_INFO = "Share of the smallest attention left out of each block."
HEADING = "<h2>What did the model use?</h2><p>Drag each handle: photo to its left, map to its right.</p>"
LAYER_INFO = "Whose tokens are looked at; the last one is nearest to the verdict."
NUM_BLOCKS = 12  # of the controls until a checkpoint says how many it has
PRIVATE = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class MapControls:
    """Components of the maps.

    Attributes:
        kept: the face that is looked at (`KeptFace`), for this visitor alone, and for ten minutes.
        method, target, opacity, options: what can be set; `options` are layer, head, head_fusion and discard_ratio.
        face, photo: sliders. `caption` and `trust` are said under them.
        draw_all, all_maps: every method side by side.
    """

    kept: gr.State
    method: gr.Dropdown
    target: gr.Radio
    opacity: gr.Slider
    options: tuple[gr.Slider | gr.Dropdown | gr.Radio, ...]
    face: gr.ImageSlider
    photo: gr.ImageSlider
    caption: gr.HTML
    trust: gr.HTML
    draw_all: gr.Button
    all_maps: gr.HTML

    @property
    def settings(self) -> list:
        return [self.method, self.target, self.opacity, *self.options]

    def wire(self, callbacks: MapCallbacks, face: list, after: dict[str, Callable]) -> None:
        """Draw after each event in `after`, and whenever a setting changes; then test what was drawn.

        Args:
            face: components that say which face is looked at: photo, checkpoint, whole image, index of the face.
            after: by name, what chains an event to another one.
        """
        draw = self._event(callbacks.show_map, [self.kept, *face, *self.settings], self._drawn, self._sliders)
        for name, then in after.items():
            self._follow(callbacks, face[1], then(**draw, api_name=f"draw_{name}"), name)
        layer, head, fusion, discard = self.options
        changed = (self.method.input, self.target.input, layer.release, head.input, fusion.input, discard.release)
        self._follow(callbacks, face[1], gr.on(changed, **draw, api_name="draw_changed"), "changed")
        gr.on(self.opacity.release, **draw, api_name="draw_opacity")
        wanted = [self.kept, *face, *self.settings]
        gr.on(self.draw_all.click, **self._event(callbacks.show_all, wanted, self.all_maps), api_name="draw_all")

    def _follow(self, callbacks: MapCallbacks, model: gr.Dropdown, drawn, name: str) -> None:
        """After a map was drawn: the options that its method takes, and whether it is better than chance."""
        layer, head, *_ = self.options
        controls = ([self.kept, model, self.method, layer, head], [self.target, *self.options, self.trust])
        quiet = {"show_progress": "hidden", **PRIVATE}
        fitted = drawn.then(callbacks.show_controls, *controls, api_name=f"controls_{name}", **quiet)
        test = self._event(callbacks.test_map, [self.kept, model, *self.settings], self.trust)
        fitted.then(**test, show_progress="hidden", api_name=f"test_{name}")

    @property
    def _sliders(self) -> list:
        return [self.face, self.photo]

    @property
    def _drawn(self) -> list:
        return [self.kept, self.face, self.photo, self.caption, self.all_maps]

    def _event(self, callback: Callable, inputs: list, outputs, progress_on=None) -> dict:
        event = {"fn": on_gpu(callback), "inputs": inputs, "outputs": outputs, **PRIVATE}
        return event | ({"show_progress_on": progress_on} if progress_on else {})


def add_map_controls() -> MapControls:
    """Add the components to the Blocks that are being built."""
    kept = gr.State(time_to_live=KEEP_S)
    gr.HTML(HEADING, elem_classes="maps-heading")
    with gr.Row(elem_classes="method-row"):
        method = gr.Dropdown(
            list(EXPLAINERS), value=DEFAULT_METHOD, label="Method", scale=2, min_width=140, elem_id="method"
        )
        target = gr.Radio(
            list(TARGETS), value="predicted", label="Target class", scale=3, min_width=260, elem_id="target"
        )
    with gr.Row(elem_classes="sliders"):
        face, photo = _add_slider("Face", "map-face"), _add_slider("Photo", "map-photo")
    trust = gr.HTML(elem_id="map-trust")
    caption = gr.HTML(elem_id="map-caption")
    opacity = gr.Slider(0, 1, DEFAULT_OPACITY, step=0.05, label="Opacity of the map", elem_id="opacity")
    options = _add_options()
    with gr.Accordion("All methods side by side", open=False, elem_id="all"):
        gr.HTML(f"<p>{ALL_INFO}</p>", elem_classes="maps-heading")
        draw_all = gr.Button("Draw and test all", elem_id="draw-all")
        all_maps = gr.HTML(elem_id="all-maps")
    return MapControls(kept, method, target, opacity, options, face, photo, caption, trust, draw_all, all_maps)


def _add_options() -> tuple:
    with gr.Accordion("Layer, heads and other options", open=False, elem_id="options"):
        layer = gr.Slider(1, NUM_BLOCKS, NUM_BLOCKS, step=1, label="Layer", info=LAYER_INFO, elem_id="layer")
        head = gr.Dropdown([("all", None)], value=None, label="Attention head", elem_id="head")
        fusion = gr.Radio(list(HEAD_FUSIONS), value="mean", label="head_fusion", info="How the heads become one.")
        discard = gr.Slider(0, 0.95, 0, step=0.05, label="discard_ratio", info=DISCARD_INFO)
    return layer, head, fusion, discard


def _add_slider(label: str, name: str) -> gr.ImageSlider:
    return gr.ImageSlider(
        format="png", label=label, interactive=False, max_height=420, buttons=["fullscreen"], elem_id=name
    )
