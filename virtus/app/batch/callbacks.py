"""What happens in the tab `Batch`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from virtus.app.batch.view import EMPTY, Batch, BatchInputs, board, downloads, failure
from virtus.app.maps import MapRequest
from virtus.app.visitors import BatchFile, Detectors, JudgedPhoto, judge_batch, judge_photo, open_batch, stop_event
from virtus.app.widgets import CROP_SIDE, map_pair, no_offer, offer_faster, show_boxed
from virtus.checkpoints import FAST
from virtus.drawing import fit_display, overlay_crop
from virtus.errors import InputError, VirtusError
from virtus.html import face_verdict, map_caption, message_panel, not_judged, render_part
from virtus.results import FaceReport, ImageReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NOT_KEPT = "The photos of this batch are no longer kept here. Give them again."
JUDGE = "judge_batch"  # the event that judges
NO_MAP = (gr.ImageSlider(visible=False), "")


class BatchCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def begin(self, inputs: BatchInputs) -> tuple:
        """Batch, a board that waits, the buttons, nothing of an earlier batch; without files all as at first.

        The last output: that nothing is to begin anew.
        """
        nothing = (gr.Column(visible=False), "", False)
        try:
            if not inputs.photos:
                return None, EMPTY, *_buttons(running=False, again=False), *nothing
            batch = Batch(open_batch(inputs.photos), inputs)
            return batch, board(batch, "waiting"), *_buttons(running=True), *nothing
        except VirtusError as exc:
            return None, failure(str(exc)), *_buttons(running=False), *nothing

    def judge(self, inputs: BatchInputs) -> Iterator[tuple]:
        """Batch, board and an offer to go faster, after each photo. Closed where the visitor stops it or leaves."""
        if not inputs.photos:  # maybe taken away since the batch began
            yield None, EMPTY, no_offer()
            return
        try:
            files, detector = open_batch(inputs.photos), inputs.detector(self._detectors)
            batch = Batch(files, inputs).by(detector)
            yield batch, board(batch, "busy"), no_offer()
            for judged in judge_batch(detector, files, whole=inputs.whole, stability=inputs.stability):
                batch = batch.plus(judged)
                yield batch, board(batch, "busy"), _offer(detector, batch)
        except VirtusError as exc:
            yield None, failure(str(exc)), no_offer()

    async def stop(self, batch: Batch | None, request: gr.Request) -> gr.Button:  # noqa: ARG002 - each event has inputs
        """The button itself. What was judged until then is shown by `finish`, which follows where judging ends."""
        await stop_event(request.session_hash, JUDGE)
        return gr.Button(visible=False)

    def take_fast(self, model: str) -> tuple[str, gr.Button, bool]:  # noqa: ARG002 - each event has inputs
        """The fast checkpoint, no offer of it any more, and that the batch is to begin anew where `finish` comes."""
        return FAST, no_offer(), True

    def finish(self, batch: Batch | None, anew: bool) -> tuple:
        """Board, buttons, none to go faster, and downloads: of all photos, or of those before the visitor stopped.

        The last output: the batch that is to begin anew, by its key, where one is.
        """
        if batch is None:
            return gr.skip(), gr.skip(), gr.Button(visible=False), gr.skip(), "", gr.skip()
        shown = board(batch, "done" if batch.is_done else "stopped")
        return shown, *_buttons(running=False), no_offer(), downloads(batch), batch.key if anew else gr.skip()

    def choose(self, batch: Batch | None, number: int | None) -> Iterator[tuple]:
        """The analysis of a row: verdicts and boxed photo first, then the map. It is judged once more, and kept.

        The outputs are the analysis as a whole, verdicts, boxed photo, map and caption.
        """
        try:
            photo, inputs = _row_of(batch, number)
            detector = inputs.detector(self._detectors)
            judged = judge_photo(detector, photo.source, whole=inputs.whole, stability=inputs.stability)
            yield gr.Column(visible=True), _verdicts(photo.name, judged.report), _boxed(judged), *NO_MAP
            if face := judged.report.decisive_face:
                yield gr.skip(), gr.skip(), gr.skip(), *_map(detector, judged, face)
        except VirtusError as exc:
            failed = message_panel("This photo cannot be shown", str(exc), "error")
            yield gr.Column(visible=True), failed, gr.Image(visible=False), *NO_MAP


def _row_of(batch: Batch | None, number: Any) -> tuple[BatchFile, BatchInputs]:
    """The photo of a row, and how it was judged."""
    if batch is None or not isinstance(number, int) or not 0 <= number < len(batch.files.photos):
        raise InputError(NOT_KEPT)
    photo = batch.files.photos[number]
    if not photo.is_kept:
        raise InputError(NOT_KEPT)
    return photo, batch.inputs


def _buttons(*, running: bool, again: bool = True) -> tuple[gr.Button, gr.Button]:
    """To judge again, and to stop."""
    return gr.Button(visible=again and not running), gr.Button(visible=running)


def _offer(detector: Detector, batch: Batch) -> gr.Button:
    done, total = len(batch.reports), len(batch.files.photos)
    return offer_faster(detector, done=done, total=total, seconds=time.monotonic() - batch.started)


def _verdicts(name: str, report: ImageReport) -> str:
    shown = [face_verdict(report, index) for index in range(len(report.faces))]
    if not report.outcome.judged:
        shown = [not_judged(report)]
    return render_part("batch.html", "chosen", name=name, verdicts=shown)


def _boxed(judged: JudgedPhoto) -> gr.Image:
    return gr.Image(visible=False) if judged.photo is None else show_boxed(judged.photo, judged.report)


def _map(detector: Detector, judged: JudgedPhoto, face: FaceReport) -> tuple[gr.ImageSlider, str]:
    """Of the face that decided, by the usual method."""
    if face.crop is None:
        return NO_MAP
    wanted = MapRequest()
    explanation = wanted.draw(judged.state_of(detector, judged.report.faces.index(face)))
    shown = fit_display(face.crop.image, side=CROP_SIDE)
    crop = replace(face.crop, image=shown)
    overlay = overlay_crop(crop, explanation.heatmap, opacity=wanted.opacity, signed=explanation.signed)
    caption = render_part("batch.html", "map_caption", caption=map_caption(explanation))
    return gr.ImageSlider(map_pair(shown, overlay, f"{explanation.method}-face"), visible=True), caption
