"""The written report of the photo in the tab `Analyze`: asked for by a button, then downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from virtus.errors import VirtusError
from virtus.record import Settings
from virtus.ui import panels
from virtus.ui.detectors import Detectors
from virtus.ui.gpu import on_gpu
from virtus.ui.written_reports import MAX_MAPPED, write_report

HEADING = """<h2>A report to keep</h2><p>One page with photo, verdicts, hashes, versions and settings, and a JSON file
with which others can run it again. Nothing of it stays here for longer than ten minutes.</p>"""
MAPS_INFO = "Each map is held against chance: about half a minute more for each face."
JUDGING = "Judging the photo again, under small changes too…"
TESTING = (
    f"{JUDGING} Then its maps are held against chance, one visitor's after the other: half a minute a face or more."
)
DONE = '<p class="report-done" role="status">The report is ready.</p>'


@dataclass(frozen=True)
class ReportPanel:
    """Components. `page` and `json` are seen when there is something to download."""

    group: gr.Column
    make: gr.Button
    with_maps: gr.Checkbox
    status: gr.HTML
    page: gr.DownloadButton
    json: gr.DownloadButton

    def wire(self, detectors: Detectors, asked: list, changes: list) -> None:
        """Make a report at the button; a made one goes when what was asked changes.

        Args:
            asked: components for photo, checkpoint, whole image and prior.
            changes: events of these.
        """

        def make(file: dict, model: str, whole: bool, prior: float, maps: bool) -> Iterator[tuple]:
            methods = Settings().methods if maps else ()
            settings = Settings(methods=methods, whole=whole, prior=prior, num_mapped=MAX_MAPPED)
            yield _busy(maps)
            try:
                yield _ready(*map(str, write_report(detectors, file, model, settings)))
            except VirtusError as exc:
                yield panels.message("No report could be made", str(exc), "error"), *_hidden(), _button(busy=False)

        shown = [self.status, self.page, self.json, self.make]
        making = gr.on(
            self.make.click,
            on_gpu(make),
            [*asked, self.with_maps],
            shown,
            api_name="make_report",
            api_visibility="private",
            trigger_mode="once",
            show_progress="hidden",
        )
        gr.on(
            changes,
            _start_anew,
            asked[0],
            [self.group, *shown],
            cancels=making,
            api_name="forget_report",
            api_visibility="private",
            show_progress="hidden",
        )


def add_report_panel() -> ReportPanel:
    """Add the components to the Blocks that are being built."""
    with gr.Column(visible=False, elem_id="report") as group:
        gr.HTML(HEADING, elem_classes="maps-heading")
        with gr.Row(equal_height=False):
            make = gr.Button("Make a report", elem_id="make-report", min_width=160)
            maps = gr.Checkbox(value=True, label="With maps", info=MAPS_INFO, elem_id="report-maps", min_width=240)
        status = gr.HTML(elem_id="report-status")
        with gr.Row():
            page = gr.DownloadButton(
                "Download the page", variant="primary", visible=False, elem_id="report-page", min_width=160
            )
            json = gr.DownloadButton("Download its JSON", visible=False, elem_id="report-json", min_width=160)
    return ReportPanel(group, make, maps, status, page, json)


def _start_anew(file: dict | None) -> tuple:
    return gr.Column(visible=file is not None), "", *_hidden(), _button(busy=False)


def _busy(maps: bool) -> tuple:
    return f'<p class="report-busy" role="status">{TESTING if maps else JUDGING}</p>', *_hidden(), _button(busy=True)


def _ready(page: str, json: str) -> tuple:
    shown = gr.DownloadButton(value=page, visible=True), gr.DownloadButton(value=json, visible=True)
    return DONE, *shown, _button(busy=False)


def _hidden() -> tuple:
    return gr.DownloadButton(visible=False), gr.DownloadButton(visible=False)


def _button(*, busy: bool) -> gr.Button:
    return gr.Button("Making the report…" if busy else "Make a report", interactive=not busy)
