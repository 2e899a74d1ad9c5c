"""The tab `Batch`: many photos or a zip of them in, a row for each out.

The table is our own: Gradio's sorts by a menu that the keyboard does not reach, does not tell screen readers the order,
and draws all rows anew with each that comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from virtus.app.batch.callbacks import JUDGE, BatchCallbacks
from virtus.app.batch.view import BatchInputs, batch_board
from virtus.app.visitors import KEEP_S, MAX_BATCH_BYTES, MAX_PHOTOS, QUEUE, Detectors, on_gpu, until_stopped
from virtus.app.widgets import (
    PHOTO,
    Taken,
    add_drop_zone,
    add_verdict_settings,
    boxed_photo,
    checkpoint_chooser,
    faster_button,
    map_slider,
    taking,
)
from virtus.media import SUPPORTED

PHOTOS = Taken(
    f"Drop up to {MAX_PHOTOS} photos here, a folder or a zip",
    f"{SUPPORTED}, or ZIP",
    f"{PHOTO.accept},.zip,application/zip",
    max_files=MAX_PHOTOS,
    max_bytes=MAX_BATCH_BYTES,
)
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}  # the board says how far it is
# The analysis lies below the table.
COME_INTO_VIEW = """const come = () => {
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth";
  if (element.getBoundingClientRect().top > innerHeight * 0.75) element.scrollIntoView({ behavior });
};
watch("value", come);
come();"""

# Not by the event's data: one that waits for another is sent with the data of that other.
CHOSEN = """(batch) => {
  const row = document.querySelector("#batch-board [aria-current]");
  return [batch, row ? Number(row.dataset.number) : null];
}"""


@dataclass(frozen=True)
class BatchControls:
    """What is asked: photos, of whom, and how (the values of these are `BatchInputs`); and what begins or stops."""

    photos: gr.HTML
    model: gr.Dropdown
    whole: gr.Checkbox
    stability: gr.Checkbox
    prior: gr.Slider
    again: gr.Button
    stop: gr.Button
    faster: gr.Button

    @property
    def components(self) -> list[Any]:
        return [self.photos, self.model, self.whole, self.stability, self.prior]


def add_batch_tab(detectors: Detectors, *, whole: bool, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            controls = _add_controls(detectors, whole, prior)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            board = batch_board()
    analysis = _add_analysis()
    downloads = gr.HTML(elem_id="batch-downloads")
    _wire(BatchCallbacks(detectors), controls, board, analysis, downloads)


def _add_controls(detectors: Detectors, whole: bool, prior: float) -> BatchControls:
    photos = add_drop_zone(PHOTOS, elem_id="batch-photos", result="batch-board")
    again = gr.Button("Judge these again", visible=False, elem_id="batch-again")
    stop = gr.Button("Stop", visible=False, elem_id="batch-stop")
    faster = faster_button(elem_id="batch-faster")
    model = checkpoint_chooser(detectors, elem_id="batch-model")
    return BatchControls(photos, model, *add_verdict_settings(whole, prior, prefix="batch-"), again, stop, faster)


def _add_analysis() -> list[Any]:
    """What is shown of a row: all of it, verdicts, boxed photo, map and caption."""
    with gr.Column(visible=False, elem_id="batch-analysis") as group, gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300):
            verdicts = gr.HTML(elem_id="batch-verdicts", js_on_load=COME_INTO_VIEW)
        with gr.Column(scale=3, min_width=300):
            boxed = boxed_photo(elem_id="batch-boxed")
            slider = map_slider("Photo and map", elem_id="batch-map")
            caption = gr.HTML(elem_id="batch-caption")
    return [group, verdicts, boxed, slider, caption]


def _wire(
    callbacks: BatchCallbacks, controls: BatchControls, board: gr.HTML, analysis: list[Any], downloads: gr.HTML
) -> None:
    """Begin, judge, finish; a stop ends the second. Meanwhile the board keeps the drop zone closed.

    Who takes the fast checkpoint has it chosen first; then judging is ended, and where that finishes all begins anew.
    """
    kept, anew, ended = gr.State(time_to_live=KEEP_S), gr.State(False), gr.State()
    inputs, shown = controls.components, [board, controls.again, controls.stop]
    given: Any = [controls.photos.upload, controls.photos.clear, controls.again.click, ended.change]
    begin, judge = (taking(BatchInputs, callback) for callback in (callbacks.begin, callbacks.judge))
    begun = gr.on(given, begin, inputs, [kept, *shown, analysis[0], downloads, anew], api_name="begin_batch", **PRIVATE)
    judging = [kept, board, controls.faster]
    judge = until_stopped(on_gpu(judge))
    judged = begun.then(judge, inputs, judging, api_name=JUDGE, **QUEUE, **PRIVATE)
    finished = [*shown, controls.faster, downloads, ended]
    judged.then(callbacks.finish, [kept, anew], finished, api_name="finish_batch", **PRIVATE)
    judged.failure(callbacks.finish, [kept, anew], finished, api_name="give_up_batch", **PRIVATE)  # a full queue
    controls.stop.click(callbacks.stop, kept, controls.stop, api_name="stop_batch", **PRIVATE)
    other = [controls.model, controls.faster, anew]
    taken = controls.faster.click(callbacks.take_fast, controls.model, other, api_name="take_fast_batch", **PRIVATE)
    taken.then(callbacks.stop, kept, controls.stop, api_name="stop_for_fast", **PRIVATE)
    look: dict[str, Any] = {"trigger_mode": "always_last", "api_visibility": "private"}
    look |= {"show_progress_on": analysis[1], "js": CHOSEN, "api_name": "choose_row"}
    number = gr.Number(precision=0, visible=False)
    board.choose(on_gpu(callbacks.choose), [kept, number], analysis, **look)
