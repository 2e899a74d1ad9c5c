"""From an upload to a report: what the tab and the API share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors.slots import judging_slot
from virtus.errors import ImageError, InputError
from virtus.judging import analyze_photo, read_item, unreadable
from virtus.media import ArchivedFile, load_image
from virtus.results import FaceReport, ImageReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_AT_ONCE = 8  # calls of each endpoint that are taken


@dataclass(frozen=True)
class Judged:
    """A photo (None where it could not be read) and its report."""

    photo: Image.Image | None
    report: ImageReport


def judge(detector: Detector, source: Path | ArchivedFile, *, whole: bool, stability: bool = False) -> Judged:
    """The report of an uploaded file, or of one in an uploaded zip; one that is no picture is `unreadable`.

    It is without the path: that is the server's, and Gradio's client would try to fetch any object with a path.
    """
    with judging_slot():
        try:
            photo = load_image(read_item(source))
        except ImageError as exc:
            return Judged(None, unreadable(detector, str(exc)))
        return Judged(photo, analyze_photo(detector, photo, whole=whole, stability=stability))


def face_of(report: ImageReport, index: int) -> FaceReport:
    """One face of a report, counted from 0.

    Raises:
        InputError: if there is none with that number.
    """
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(report.faces):
        raise InputError(f"There is no face {index!r}: the photo has {len(report.faces)}, counted from 0.")
    return report.faces[index]
