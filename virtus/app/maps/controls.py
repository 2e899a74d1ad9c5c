"""The maps of the chosen face: what is shown, what can be set, and what happens then."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from virtus.app.maps.callbacks import MapCallbacks, MapInputs
from virtus.app.maps.frame import map_frame
from virtus.app.maps.request import TARGETS
from virtus.app.visitors import ending, on_gpu, until_stopped
from virtus.app.widgets import taking
from virtus.explain import HEAD_FUSIONS

DISCARD_INFO = "Share of the smallest attention left out of each block."
LAYER_INFO = "Whose tokens are looked at; the last one is nearest to the verdict."
NUM_BLOCKS = 12  # of the controls until a checkpoint says how many it has
TEST_MAP, CHOOSE_METHOD = "test_map", "choose_method"  # the events
TEST = "Is this map better than chance on this photo?"
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


@dataclass(frozen=True)
class MapControls:
    """Components of the maps.

    Attributes:
        frame: photo, faces and maps; its value is the method.
        group: all below, seen where there is something to be mapped.
        caption: what the shown map speaks of, and how it is read.
        test, trust: the button that holds the shown map against chance, and what comes of it.
        target, layer, head, head_fusion, discard_ratio: what can be set.
    """

    frame: gr.HTML
    group: gr.Column
    caption: gr.HTML
    test: gr.Button
    trust: gr.HTML
    target: gr.Radio
    layer: gr.Slider
    head: gr.Dropdown
    head_fusion: gr.Radio
    discard_ratio: gr.Slider

    def wire(self, callbacks: MapCallbacks, face: list[Any], after: dict[str, Callable]) -> None:
        """Draw after each event in `after`, when another method is taken, and when a setting changes.

        Args:
            face: components that say which face is looked at: photo, checkpoint, whole image, index of the face.
            after: by name, what chains an event to another one.
        """
        inputs = [*face, self.frame, *self._settings]
        test = on_gpu(taking(MapInputs, callbacks.test_map))
        test = until_stopped(test, instead="")  # it would stand beside the new map
        self.test.click(test, inputs, self.trust, api_name=TEST_MAP, trigger_mode="always_last", **QUIET)

        def draw(
            event: Callable, callback: Callable, name: str, ended: Collection[str], rivals: Collection[str]
        ) -> None:
            outputs = [self.frame, self.caption, self.trust, *self._settings]
            drawing = until_stopped(on_gpu(taking(MapInputs, callback)), instead=gr.skip())
            drawing = ending([TEST_MAP, *ended], drawing, rivals=rivals)
            event(drawing, inputs, outputs, api_name=name, trigger_mode="always_last", **QUIET)

        events = {f"draw_{name}": then for name, then in after.items()}
        events["draw_changed"] = partial(gr.on, self._changes)
        for name, event in events.items():  # each draws all anew: a late map of another face would take its place
            draw(event, callbacks.show_maps, name, [CHOOSE_METHOD], {*events} - {name})
        draw(self.frame.choose, callbacks.choose_method, CHOOSE_METHOD, (), ())

    @property
    def _settings(self) -> list[Any]:
        return [self.target, self.layer, self.head, self.head_fusion, self.discard_ratio]

    @property
    def _changes(self) -> list[Any]:
        chosen = [setting.input for setting in (self.target, self.head, self.head_fusion)]
        return [*chosen, self.layer.release, self.discard_ratio.release]


def add_map_controls() -> MapControls:
    """Add the components to the Blocks that are being built."""
    frame = map_frame()
    with gr.Column(visible=False, elem_id="maps") as group:
        caption = gr.HTML(elem_id="map-caption")
        test = gr.Button(TEST, elem_id="test-map")
        trust = gr.HTML(elem_id="map-trust")
        target = gr.Radio(list(TARGETS), value="predicted", label="Target class", elem_id="target")
        options = _add_options()
    return MapControls(frame, group, caption, test, trust, target, *options)


def _add_options() -> tuple[gr.Slider, gr.Dropdown, gr.Radio, gr.Slider]:
    with gr.Accordion("Layer, heads and other options", open=False, elem_id="options"):
        layer = gr.Slider(1, NUM_BLOCKS, NUM_BLOCKS, step=1, label="Layer", info=LAYER_INFO, elem_id="layer")
        heads: list[Any] = [("all", None)]
        head = gr.Dropdown(heads, value=None, label="Attention head", elem_id="head")
        fusion = gr.Radio(list(HEAD_FUSIONS), value="mean", label="head_fusion", info="How the heads become one.")
        discard = gr.Slider(0, 0.95, 0, step=0.05, label="discard_ratio", info=DISCARD_INFO)
    return layer, head, fusion, discard
