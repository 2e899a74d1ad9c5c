"""What the tab `Batch` shows: a board with a row for each photo, and what can be downloaded."""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import gradio as gr
from PIL import Image, ImageOps

from virtus.app.visitors import BatchFiles, Detectors, JudgedPhoto
from virtus.bundled import ASSETS
from virtus.drawing import TONES, jpeg_uri
from virtus.html import render_page, render_part
from virtus.results import ORDER, FaceReport, ImageReport
from virtus.scans import CsvRows, JsonRows, settings_of

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

ROW_SIDE = 96  # px of a row's thumbnail, shown at half of it
EMPTY = {"batch": "", "state": "empty", "said": "", "done": 0, "total": 0, "rows": []}


@dataclass(frozen=True)
class BatchInputs:
    """What a visitor asks of a batch: the values of the tab's components for that, in their order."""

    photos: list[dict] | None
    model: str
    whole: bool
    stability: bool
    prior: float

    def detector(self, detectors: Detectors) -> Detector:
        """Who judges."""
        return detectors.get(self.model).at_prior(self.prior)


@dataclass(frozen=True)
class Batch:
    """A batch under way or done: what is asked, and what came out so far.

    Attributes:
        reports: without the crops of their faces, so that hundreds can be kept; `path` is the photo's name.
        rows: the same as the board has them, each with a small face.
        settings: what every row of `scan` says of how it was made.
        started: by `time.monotonic`.
    """

    files: BatchFiles
    inputs: BatchInputs
    reports: tuple[ImageReport, ...] = ()
    rows: tuple[dict, ...] = ()
    settings: tuple[str, ...] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    started: float = field(default_factory=time.monotonic)

    def by(self, detector: Detector) -> Batch:
        """The same, when it is known who judges."""
        settings = settings_of(detector, whole=self.inputs.whole, stability=self.inputs.stability)
        return replace(self, settings=settings)

    def plus(self, judged: JudgedPhoto) -> Batch:
        """The same with one photo more; the photo itself is not kept."""
        faces = tuple(replace(face, crop=None) for face in judged.report.faces)
        small = replace(judged.report, faces=faces)
        return replace(self, reports=(*self.reports, small), rows=(*self.rows, _row(judged)))

    @property
    def is_done(self) -> bool:
        return len(self.reports) == len(self.files.photos)


def batch_board() -> gr.HTML:
    """A component whose value is a board; it triggers `choose` with the `number` of a row."""
    script = (ASSETS / "scripts" / "batch-board.js").read_text(encoding="utf-8")
    looks = [{"outcome": str(outcome), **vars(TONES[outcome])} for outcome in ORDER]
    component = gr.HTML(EMPTY, elem_id="batch-board", js_on_load=script, apply_default_css=False)
    component.html_template = render_page("batch-board.html", looks=json.dumps(looks))
    return component


def board(batch: Batch, state: str) -> dict:
    """The value of `batch_board`: `state` is waiting, busy, done or stopped."""
    done, total = len(batch.reports), len(batch.files.photos)
    return {
        "batch": batch.key,
        "state": state,
        "said": ". ".join([_progress(batch, state), " ".join(batch.files.left_out_in_words())]).removesuffix(". "),
        "done": done,
        "total": total,
        "rows": list(batch.rows),
    }


def failure(sentence: str) -> dict:
    """The board of a batch that could not begin."""
    return EMPTY | {"state": "error", "said": sentence}


def downloads(batch: Batch) -> str:
    """Links to table and lines, which lie in the page itself: nothing is left on the server."""
    if not batch.reports:
        return ""
    name = f"virtus-batch-{datetime.now(UTC):%Y%m%d-%H%M}"
    csv, lines = _text_uri(_lines(CsvRows, batch), "text/csv"), _text_uri(_lines(JsonRows, batch), "application/jsonl")
    return render_part("batch.html", "downloads", name=name, csv=csv, lines=lines)


def _row(judged: JudgedPhoto) -> dict:
    report, face = judged.report, judged.report.decisive_face
    return {
        "name": report.path,
        "outcome": str(report.outcome),
        "p": None if face is None or face.p_fake is None else round(face.p_fake, 3),
        "faces": len(report.faces),
        "note": _note(report, face),
        "thumbnail": "" if judged.photo is None else _thumbnail(judged.photo, face),
    }


def _thumbnail(photo: Image.Image, face: FaceReport | None) -> str:
    """Of the face that decided, else of the photo."""
    shown = face.crop.image if face and face.crop else photo
    small = ImageOps.fit(shown, (ROW_SIDE, ROW_SIDE), Image.Resampling.BILINEAR)
    small.info.clear()  # EXIF may tell a place
    return jpeg_uri(small)


def _note(report: ImageReport, face: FaceReport | None) -> str:
    if face is None or report.decided_by is None:
        return report.reason or ""
    which = f"face {report.decided_by + 1} of {len(report.faces)} decided" if len(report.faces) > 1 else ""
    doubts = face.reason or ", ".join(caution.name.replace("_", " ") for caution in face.cautions)
    return ": ".join(filter(None, (which, doubts)))


def _progress(batch: Batch, state: str) -> str:
    done, total = len(batch.reports), len(batch.files.photos)
    if state == "waiting":
        return f"{_photos(total)}, waiting for a place"
    rate = done / max(time.monotonic() - batch.started, 0.001)
    if state == "busy":
        return f"{done} of {_photos(total)}" + (f", {rate:.1f} a second" if done else "")
    return f"{_photos(total)} looked at" if batch.is_done else f"Stopped: {done} of {_photos(total)} looked at"


def _photos(number: int) -> str:
    return f"{number} photo" if number == 1 else f"{number} photos"


def _lines(kind: type[CsvRows] | type[JsonRows], batch: Batch) -> str:
    stream = io.StringIO()
    rows = kind(stream, settings=batch.settings)
    for report in batch.reports:
        rows.write(report)
    return stream.getvalue()


def _text_uri(text: str, mime_type: str) -> str:
    return f"data:{mime_type};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"
