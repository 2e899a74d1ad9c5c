"""What happens in the tab `Batch`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from virtus.app.batch.view import EMPTY, Asked, Batch, board, downloads, failure
from virtus.app.maps import MapRequest
from virtus.app.visitors import BatchFile, Detectors, JudgedPhoto, judge_batch, judge_photo, open_batch
from virtus.app.widgets import CROP_SIDE, map_pair, panels, write_png
from virtus.drawing import annotate_faces, fit_display, overlay_crop
from virtus.errors import InputError, VirtusError
from virtus.html import map_caption, render_part
from virtus.results import FaceReport, ImageReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NOT_KEPT = "The photos of this batch are no longer kept here. Give them again."
NO_MAP = (gr.ImageSlider(visible=False), "")


class BatchCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def begin(self, files: list | None, *settings) -> tuple:
        """Batch, a board that waits, the buttons, nothing of an earlier batch; without files all as at first."""
        nothing = (gr.Column(visible=False), "")
        try:
            if not files:
                return None, EMPTY, *_buttons(running=False, again=False), *nothing
            batch = _batch(files, *settings)
            return batch, board(batch, "waiting"), *_buttons(running=True), *nothing
        except VirtusError as exc:
            return None, failure(str(exc)), *_buttons(running=False), *nothing

    def judge(self, files: list | None, *settings) -> Iterator[tuple]:
        """Batch and board, after each photo. Closed where the visitor stops it or leaves."""
        if not files:
            yield gr.skip(), gr.skip()
            return
        try:
            batch = _batch(files, *settings)
            detector = batch.asked.detector(self._detectors)
            batch = batch.by(detector)
            yield batch, board(batch, "busy")
            for judged in judge_batch(detector, batch.files, **batch.asked.how):
                batch = batch.plus(judged)
                yield batch, board(batch, "busy")
        except VirtusError as exc:
            yield None, failure(str(exc))

    def stop(self, batch: Batch | None) -> gr.Button:  # noqa: ARG002 - each event has inputs
        """The button itself. What was judged until then is shown by `finish`, which Gradio calls after a stop too."""
        return gr.Button(visible=False)

    def finish(self, batch: Batch | None) -> tuple:
        """Board, buttons and downloads: of all photos, or of those before the visitor stopped."""
        if batch is None:
            return gr.skip(), gr.skip(), gr.Button(visible=False), ""
        shown = board(batch, "done" if batch.is_done else "stopped")
        return shown, *_buttons(running=False), downloads(batch)

    def choose(self, batch: Batch | None, number: int | None) -> Iterator[tuple]:
        """The analysis of a row: verdicts and boxed photo first, then the map. It is judged once more, and kept.

        The outputs are the analysis as a whole, verdicts, boxed photo, map and caption.
        """
        try:
            photo = _photo_of(batch, number)
            detector = batch.asked.detector(self._detectors)
            judged = judge_photo(detector, photo.source, **batch.asked.how)
            yield gr.Column(visible=True), _verdicts(photo.name, judged.report), _boxed(judged), *NO_MAP
            if judged.report.decisive_face:
                yield gr.skip(), gr.skip(), gr.skip(), *_map(detector, judged, judged.report.decisive_face)
        except VirtusError as exc:
            said = panels.message("This photo cannot be shown", str(exc), "error")
            yield gr.Column(visible=True), said, gr.Image(visible=False), *NO_MAP


def _batch(files: list, model: str, whole: bool, stability: bool, prior: float) -> Batch:
    return Batch(open_batch(files), Asked(model, prior, {"whole": whole, "stability": stability}))


def _photo_of(batch: Batch | None, number: Any) -> BatchFile:
    if batch is None or not isinstance(number, int) or not 0 <= number < len(batch.files.photos):
        raise InputError(NOT_KEPT)
    if not batch.files.photos[number].is_kept:
        raise InputError(NOT_KEPT)
    return batch.files.photos[number]


def _buttons(*, running: bool, again: bool = True) -> tuple[gr.Button, gr.Button]:
    """To judge again, and to stop."""
    return gr.Button(visible=again and not running), gr.Button(visible=running)


def _verdicts(name: str, report: ImageReport) -> str:
    shown = [panels.verdict_html(report, index) for index in range(len(report.faces))]
    if not report.outcome.judged:
        shown = [panels.not_judged(report)]
    return render_part("batch.html", "chosen", name=name, verdicts=shown)


def _boxed(judged: JudgedPhoto) -> gr.Image:
    if judged.photo is None:
        return gr.Image(visible=False)
    picture = write_png(annotate_faces(judged.photo, judged.report), "faces")
    return gr.Image(picture, visible=True, alt_text=panels.in_words(judged.report))


def _map(detector: Detector, judged: JudgedPhoto, face: FaceReport) -> tuple[gr.ImageSlider, str]:
    """Of the face that decided, by the usual method."""
    wanted = MapRequest()
    found = wanted.draw(judged.state_of(detector, judged.report.faces.index(face)))
    shown = replace(face.crop, image=fit_display(face.crop.image, side=CROP_SIDE))
    overlay = overlay_crop(shown, found.heatmap, opacity=wanted.opacity, signed=found.signed)
    pair = map_pair(shown.image, overlay, f"{found.method}-face")
    return gr.ImageSlider(pair, visible=True), render_part("batch.html", "map_caption", caption=map_caption(found))
