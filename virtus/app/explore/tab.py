"""The tab `Explore`: a face that was judged, looked into patch by patch and block by block."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from virtus.app.explore.callbacks import BESIDE, ExploreCallbacks
from virtus.app.explore.opened import OPENED, ExploreInputs
from virtus.app.explore.view import explorer
from virtus.app.visitors import KEEP_S, Detectors, ending, on_gpu, stop_event, until_stopped
from virtus.app.widgets import PHOTO, add_drop_zone, checkpoint_chooser, leaving_list, taking
from virtus.bundled import ASSETS
from virtus.html import render_part

PRIVATE: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last", "show_progress": "hidden"}
OPEN = {"opened": "open_face", "arrived": "open_arrived"}  # events that open a face; then those of the pane beside
OPEN_BESIDE = [f"beside_{name}" for name in (*OPEN, "chosen", "kind", "photo", "no_photo", "model")]
TWO = "Two side by side: another face, photo or checkpoint"
# The list of faces may be of the photo before, where the verdict on this one is on its way: then the one that decides.
# And the photo is the one before while another is being uploaded: then that one is waited for.
OF_THIS_PHOTO = """(...values) => {
  if (document.querySelector("#photo .giving.busy")) values[0] = {uploading: true};
  const judged = (window.virtusJudged ?? "").split(" ").slice(1).join(" ");
  if (judged !== values[0]?.path) values[4] = null;
  return values;
}"""
# Not by the event's data: one that waits for another is sent with the data of that other.
ASKED = """(opened) => [opened, document.querySelector("#%s .explorer")?.dataset.request ?? ""]"""


@dataclass(frozen=True)
class ExplorePane:
    """A place for a face: what is said instead of it, the choice of faces, the explorer, and what that has open.

    Their values are `ExploreOutputs`.
    """

    note: gr.HTML
    face: gr.Radio
    explorer: gr.HTML
    opened: gr.State

    @property
    def shown(self) -> list[Any]:
        return [self.note, self.face, self.explorer, self.opened]

    @property
    def choosing(self) -> str:
        """The event of a click on the list of faces."""
        return f"choose_{self.explorer.elem_id}"

    def wire(self, callbacks: ExploreCallbacks, moving: Collection[str]) -> Any:
        """Answer what the explorer asks; returns what chains an event to the choice of another face.

        Args:
            moving: the events that open a face here and end that choice.
        """
        name, question = self.explorer.elem_id, gr.Textbox(visible=False)
        asked, asking = [self.opened, question], {"js": ASKED % name, **PRIVATE}
        flip, flipping = until_stopped(on_gpu(callbacks.flip), instead=gr.skip()), f"flip_{name}"
        self.explorer.flip(flip, asked, self.explorer, api_name=flipping, **asking)

        async def halt(_: Any, request: gr.Request) -> None:
            await stop_event(request.session_hash, flipping)

        self.explorer.halt(halt, self.opened, None, api_name=f"halt_{name}", **PRIVATE)
        face = [self.opened, self.face]
        choose = leaving_list(OPENED.noting(on_gpu(callbacks.choose_face)), moving)
        choose = until_stopped(choose, instead=gr.skip())
        return self.face.input(choose, face, self.shown, api_name=self.choosing, **PRIVATE).then


def add_explore_tab(detectors: Detectors, selected: Callable, held: list[Any]) -> None:
    """Add the tab's components and events to the Blocks that are being built.

    Args:
        selected: what is done when the tab is opened is given to it.
        held: the tab Analyze's components for photo, checkpoint, whole image, prior and face.
    """
    callbacks = ExploreCallbacks(detectors)
    with gr.Row(elem_id="explore-panes"):
        with gr.Column(min_width=0):
            pane = _add_pane("explore", render_part("explore.html", "empty"))
        with gr.Column(min_width=0, visible=False) as place:
            beside = _add_pane("explore-beside", "")
    with gr.Accordion(TWO, open=False, visible=False, elem_id="explore-tools") as tools:
        kinds = [(words, name) for name, words in BESIDE.items()]
        kind = gr.Radio(kinds, value="nothing", label="Side by side with", elem_id="explore-kind")
        with gr.Column(visible=False) as other_photo:
            photo = add_drop_zone(PHOTO, elem_id="explore-photo", result="explore-beside")
        with gr.Column(visible=False) as other_model:
            model = checkpoint_chooser(detectors, elem_id="explore-model", value=callbacks.another(detectors.default))
    keep, offered = _add_files(callbacks, pane)
    controls = [tools, kind, other_photo, other_model, place, keep, *offered]
    beside.wire(callbacks, OPEN_BESIDE)

    def show_beside(then: Callable, name: str) -> None:
        fit = (callbacks.show_controls, [kind, pane.opened], controls)
        if name == "kind":  # with the chooser, before it is seen: no choice of the visitor's is lost
            fit = (callbacks.show_kind, [kind, pane.opened, model], [*controls, model])
        fitted = then(*fit, api_name=f"fit_{name}", **PRIVATE)
        asked = [kind, pane.opened, photo, model]
        open_beside = until_stopped(OPENED.noting(on_gpu(callbacks.open_beside)), instead=gr.skip())
        open_beside = ending([beside.choosing], open_beside, rivals={*OPEN_BESIDE} - {f"beside_{name}"})
        fitted.then(open_beside, asked, beside.shown, api_name=f"beside_{name}", **PRIVATE)

    open_face, asked = _opening(callbacks, pane), [*held, pane.opened]
    for name, event in {"opened": selected, "arrived": pane.note.arrived}.items():
        opening = event(open_face, asked, pane.shown, api_name=OPEN[name], js=OF_THIS_PHOTO, **PRIVATE)
        show_beside(opening.then, name)
    show_beside(pane.wire(callbacks, OPEN.values()), "chosen")
    events = {"kind": kind.input, "photo": photo.upload, "no_photo": photo.clear, "model": model.change}
    for name, event in events.items():
        show_beside(event, name)


def _opening(callbacks: ExploreCallbacks, pane: ExplorePane) -> Callable[..., Iterator]:
    """What opens the face that Analyze shows; where that is open, what is chosen of its photo meanwhile goes on."""
    open_face = OPENED.noting(on_gpu(taking(ExploreInputs, callbacks.open_face)))
    open_anew = ending([pane.choosing], open_face)

    def answers(*values: Any) -> Iterator:
        *asked, opened = values
        is_open = opened is not None and opened.inputs == ExploreInputs(*asked)
        yield from (open_face if is_open else open_anew)(*values)

    return answers


def _add_files(callbacks: ExploreCallbacks, pane: ExplorePane) -> tuple[gr.Column, list[Any]]:
    """The place where the open face can be kept as files, and what is offered in it: words and two files."""
    with gr.Column(visible=False, elem_id="explore-files") as keep:
        with gr.Row():
            make = gr.Button("Make files: arrays (.npz) and film (WebP)", elem_id="explore-make")
            names = "Download the arrays (.npz)", "Download the film (WebP)"
            files = [gr.DownloadButton(name, visible=False) for name in names]
        said = gr.HTML(elem_id="explore-files-said")
    made, offered = gr.State(time_to_live=KEEP_S), [said, *files]
    making: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last", "show_progress_on": said}
    asked = [pane.opened, made]
    making_done = make.click(on_gpu(callbacks.make_files), asked, made, api_name="make_explored", **making)
    making_done.then(callbacks.offer_files, [made, pane.opened], offered, api_name="offer_explored", **PRIVATE)
    return keep, offered


def _add_pane(name: str, said: Any) -> ExplorePane:
    script = (ASSETS / "scripts" / "explore-note.js").read_text(encoding="utf-8")
    note = gr.HTML(said, elem_id=f"{name}-note", js_on_load=f'const list = "#{name}-face";\n{script}')
    face = gr.Radio([], label="Face", visible=False, elem_id=f"{name}-face")
    return ExplorePane(note, face, explorer(name), gr.State(time_to_live=KEEP_S))
