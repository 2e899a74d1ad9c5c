"""Written reports for visitors: made on demand, one at a time, and kept in Gradio's own folder only."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

from virtus.app.visitors.detectors import Detectors
from virtus.app.visitors.files import answer_folder
from virtus.app.visitors.photos import judge_photo
from virtus.app.visitors.slots import hold_against_chance
from virtus.app.visitors.uploads import uploaded
from virtus.media import read_file
from virtus.reports import ReportSettings, WrittenReport, set_down, with_tested_maps

MAX_MAPPED = 3  # faces: the test of each takes some 20 s on two cores, and other visitors wait for it

_writing = threading.BoundedSemaphore(1)  # a report holds its photo in memory while its maps are tested


def write_report(detectors: Detectors, file: Any, model: str, settings: ReportSettings) -> tuple[Path, Path]:
    """The page and its JSON, once no other visitor's is being written.

    Args:
        file: what Gradio says of the upload.

    Raises:
        InputError: if it was not uploaded, or a setting is wrong.
        CheckpointError: if the checkpoint cannot be loaded.
    """
    detector = detectors.get(model).at_prior(settings.prior)
    with _writing:
        path = uploaded(file)  # not before: while others are served, it may have become too old to be kept
        judged = judge_photo(detector, path, whole=settings.whole, stability=settings.stability)
        judged = judged.explained(detector, settings.methods, num_mapped=settings.num_mapped)
        name = _name(file, path)
        document = set_down(detector, read_file(path), judged.photo, judged.report, name=name, settings=settings)
        return _save(with_tested_maps(detector, document, measure=hold_against_chance))


def _name(file: dict, path: Path) -> str:
    """As the visitor's file was called; Gradio's own name for it is a changed one."""
    name = file.get("orig_name")
    return name if isinstance(name, str) and name.strip() else path.name


def _save(document: WrittenReport) -> tuple[Path, Path]:
    stem = re.sub(r"[^\w-]+", "-", Path(document.record.photo.name).stem).strip("-")[:60] or "photo"
    return document.save(answer_folder() / f"{stem}-virtus.html")
