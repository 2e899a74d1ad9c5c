"""What the tab `Batch` shows: a board with a row for each photo, and what can be downloaded."""

from __future__ import annotations

import base64
import io
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from PIL import Image

from virtus.annotate import TONES, fit_display
from virtus.data_uris import data_uri, jpeg_uri
from virtus.results import FaceReport, ImageReport
from virtus.rows import CsvRows, JsonRows
from virtus.scanning import settings_of
from virtus.summary_picture import ORDER, Entry, draw_summary, make_entry, summary_in_words
from virtus.ui.batch_files import BatchFiles
from virtus.ui.detectors import Detectors
from virtus.ui.judging import Judged

if TYPE_CHECKING:
    from virtus.detector import Detector

ASSETS = Path(__file__).parents[1] / "assets"
ROW_SIDE = 96  # px of a row's thumbnail, shown at half of it
EMPTY = {"batch": "", "state": "empty", "said": "", "done": 0, "total": 0, "rows": []}


@dataclass(frozen=True)
class Asked:
    """Who judges a batch, and how: `how` is handed on to `judge`."""

    model: str
    prior: float
    how: dict[str, bool]

    def detector(self, detectors: Detectors) -> Detector:
        return detectors.get(self.model).at_prior(self.prior)


@dataclass(frozen=True)
class Batch:
    """A batch under way or done: what is asked, and what came out so far.

    Attributes:
        rows: the entries as the board has them.
        settings: what every row of `scan` says of how it was made.
        started: by `time.monotonic`.
    """

    files: BatchFiles
    asked: Asked
    entries: tuple[Entry, ...] = ()
    rows: tuple[dict, ...] = ()
    settings: tuple[str, ...] = ()
    key: str = field(default_factory=lambda: secrets.token_hex(8))
    started: float = field(default_factory=time.monotonic)

    def by(self, detector: Detector) -> Batch:
        """The same, when it is known who judges."""
        return replace(self, settings=settings_of(detector, **self.asked.how))

    def plus(self, judged: Judged) -> Batch:
        """The same with one photo more; the photo itself is not kept."""
        entry = make_entry(judged.report, judged.photo)
        return replace(self, entries=(*self.entries, entry), rows=(*self.rows, _row(entry)))

    @property
    def is_done(self) -> bool:
        return len(self.entries) == len(self.files.photos)


def batch_board() -> gr.HTML:
    """A component whose value is a board; it triggers `choose` with the `number` of a row."""
    script, template = ((ASSETS / name).read_text(encoding="utf-8") for name in ("batch-board.js", "batch-board.html"))
    looks = [{"outcome": str(outcome), **vars(TONES[outcome])} for outcome in ORDER]
    component = gr.HTML(EMPTY, elem_id="batch-board", js_on_load=script, apply_default_css=False)
    component.html_template = template.replace("LOOKS", escape(json.dumps(looks)))
    return component


def board(batch: Batch, state: str) -> dict:
    """The value of `batch_board`: `state` is waiting, busy, done or stopped."""
    done, total = len(batch.entries), len(batch.files.photos)
    return {
        "batch": batch.key,
        "state": state,
        "said": _progress(batch, state) + _left_out(batch.files.num_left_out),
        "done": done,
        "total": total,
        "rows": list(batch.rows),
    }


def failure(sentence: str) -> dict:
    """The board of a batch that could not begin."""
    return EMPTY | {"state": "error", "said": sentence}


def downloads(batch: Batch) -> str:
    """Links to table, lines and picture, which lie in the page itself: nothing is left on the server."""
    entries = batch.entries
    if not entries:
        return ""
    now = datetime.now(UTC)
    picture, words = data_uri(draw_summary(entries, made_on=now.date())), escape(summary_in_words(entries))
    name = f"virtus-batch-{now:%Y%m%d-%H%M}"
    links = [
        _link(_text_uri(_lines(CsvRows, batch), "text/csv"), f"{name}.csv", "CSV", "a line a face"),
        _link(_text_uri(_lines(JsonRows, batch), "application/jsonl"), f"{name}.jsonl", "JSON Lines", "all there is"),
        _link(picture, f"{name}.png", "Summary", "as a picture"),
    ]
    return f"""<section class="downloads" aria-label="Download">
<h2>Take it with you</h2><div class="links">{"".join(links)}</div>
<img src="{picture}" alt="{words}"></section>"""


def _row(entry: Entry) -> dict:
    report, face = entry.report, entry.report.decisive_face
    return {
        "name": report.path,
        "outcome": str(report.outcome),
        "p": None if face is None else round(face.p_fake, 3),
        "faces": len(report.faces),
        "note": _note(report, face),
        "thumbnail": _small(entry.thumbnail) if entry.thumbnail else "",
    }


def _small(thumbnail: bytes) -> str:
    return jpeg_uri(fit_display(Image.open(io.BytesIO(thumbnail)), side=ROW_SIDE))


def _note(report: ImageReport, face: FaceReport | None) -> str:
    if face is None:
        return report.reason or ""
    return face.reason or ", ".join(caution.name.replace("_", " ") for caution in face.cautions)


def _progress(batch: Batch, state: str) -> str:
    done, total = len(batch.entries), len(batch.files.photos)
    if state == "waiting":
        return f"{_photos(total)}, waiting for a place"
    rate = done / max(time.monotonic() - batch.started, 0.001)
    if state == "busy":
        return f"{done} of {_photos(total)}" + (f", {rate:.1f} a second" if done else "")
    return f"{_photos(total)} looked at" if batch.is_done else f"Stopped: {done} of {_photos(total)} looked at"


def _left_out(number: int) -> str:
    if not number:
        return ""
    return f". {number} {'file' if number == 1 else 'files'} in the zip left out, no photos by their names"


def _photos(number: int) -> str:
    return f"{number} photo" if number == 1 else f"{number} photos"


def _lines(kind: type[CsvRows] | type[JsonRows], batch: Batch) -> str:
    stream = io.StringIO()
    rows = kind(stream, settings=batch.settings)
    for entry in batch.entries:
        rows.write(entry.report)
    return stream.getvalue()


def _text_uri(text: str, mime_type: str) -> str:
    return f"data:{mime_type};charset=utf-8;base64,{base64.b64encode(text.encode()).decode()}"


def _link(uri: str, name: str, word: str, what: str) -> str:
    return f'<a href="{uri}" download="{name}"><strong>{word}</strong> <span>{what}</span></a>'
