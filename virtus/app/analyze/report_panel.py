"""The written report of the photo in the tab `Analyze`: asked for by a button, then downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from virtus.app.visitors import KEEP_S, MAX_MAPPED, Detectors, on_gpu, write_report
from virtus.errors import VirtusError
from virtus.html import message_panel, render_part
from virtus.reports import ReportSettings

MAPS_INFO = "Each map is held against chance: about half a minute more for each face."
READY, BUSY = "Make a report", "Making the report…"


@dataclass(frozen=True)
class Made:
    """A report that was made, and of what: the question may have changed meanwhile."""

    question: tuple
    page: str
    json: str


@dataclass(frozen=True)
class ReportPanel:
    """Components. `page` and `json` are seen when there is something to download, which `made` knows."""

    group: gr.Column
    make: gr.Button
    with_maps: gr.Checkbox
    status: gr.HTML
    page: gr.DownloadButton
    json: gr.DownloadButton
    made: gr.State

    def wire(self, detectors: Detectors, asked: list, changes: list) -> None:
        """Make a report at the button; a made one goes when what was asked changes.

        Args:
            asked: components for photo, checkpoint, whole image and prior.
            changes: events of these.
        """

        def make(maps: bool, file: dict, model: str, whole: bool, prior: float) -> Iterator[tuple]:
            settings = ReportSettings(whole=whole, prior=prior, num_mapped=MAX_MAPPED)
            settings = settings if maps else replace(settings, methods=())
            yield _busy(maps)
            try:
                files = map(str, write_report(detectors, file, model, settings))
                report = Made(_question(file, model, whole, prior), *files)
                yield render_part("report-panel.html", "done"), gr.Button(READY, interactive=True), report
            except VirtusError as exc:
                said = message_panel("No report could be made", str(exc), "error")
                yield said, gr.Button(READY, interactive=True), None

        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        making = [self.with_maps, *asked], [self.status, self.make, self.made]
        made = self.make.click(on_gpu(make), *making, api_name="make_report", trigger_mode="once", **quiet)
        shown = [self.status, self.page, self.json]
        made.then(_offer, [self.made, *asked], shown, api_name="offer_report", **quiet)
        gr.on(changes, _start_anew, asked[0], [self.group, *shown], api_name="withdraw_report", **quiet)


def add_report_panel() -> ReportPanel:
    """Add the components to the Blocks that are being built."""
    with gr.Column(visible=False, elem_id="report") as group:
        gr.HTML(render_part("report-panel.html", "heading"), elem_classes="maps-heading")
        with gr.Row(equal_height=False):
            make = gr.Button(READY, elem_id="make-report", min_width=160)
            maps = gr.Checkbox(value=True, label="With maps", info=MAPS_INFO, elem_id="report-maps", min_width=240)
        status = gr.HTML(elem_id="report-status")
        with gr.Row():
            page = gr.DownloadButton(
                "Download the page", variant="primary", visible=False, elem_id="report-page", min_width=160
            )
            json = gr.DownloadButton("Download its JSON", visible=False, elem_id="report-json", min_width=160)
        made = gr.State(time_to_live=KEEP_S)
    return ReportPanel(group, make, maps, status, page, json, made)


def _question(file: dict | None, *others) -> tuple:
    return (file and file.get("path"), *others)


def _busy(maps: bool) -> tuple:
    return (
        render_part("report-panel.html", "busy", maps=maps),
        gr.Button(BUSY, interactive=False),
        None,
    )


def _offer(made: Made | None, *asked) -> tuple:
    """The files, unless they are of what was asked before."""
    if made is None:
        return gr.skip(), *_hidden()
    if made.question != _question(*asked):
        return "", *_hidden()
    return gr.skip(), gr.DownloadButton(value=made.page, visible=True), gr.DownloadButton(value=made.json, visible=True)


def _start_anew(file: dict | None) -> tuple:
    return gr.Column(visible=bool(file)), "", *_hidden()  # Gradio makes "" of a value that was taken away


def _hidden() -> tuple:
    return gr.DownloadButton(visible=False), gr.DownloadButton(visible=False)
