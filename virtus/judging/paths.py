"""Many files to reports, whatever is wrong with some of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from virtus.errors import VirtusError
from virtus.judging.photo import DetectedFaces, analyze_photo, detect_faces, report_on
from virtus.media import ImageSource, load_image
from virtus.parallel import in_chunks, in_order
from virtus.results import ImageReport, Outcome

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

READ_AHEAD = 8  # pictures whose crops are judged together: on a CPU more at once are no faster
UNEXPECTED = "This file could not be read ({cause}). Open it elsewhere and save it again."


class Readable(Protocol):
    """A picture that lies elsewhere than in a file of its own, such as one in an archive. `str()` is its path."""

    def read(self) -> bytes: ...


Item = str | Path | Readable


def analyze_paths(
    detector: Detector, items: Iterable[Item], *, whole: bool = False, stability: bool = False, jobs: int = 1
) -> Iterator[ImageReport]:
    """Judge many files, in their order, however many: nothing is held but a few of them at a time.

    One that cannot be read, whatever the reason, is a report with the outcome `unreadable`. The faces of the reports
    have no `crop`.

    Args:
        items: taken as they are needed; see `read_item`.
        jobs: threads that read, find faces and judge, each `READ_AHEAD` pictures at a time, with its
            share of the cores.
    """
    analyze = partial(_analyze_chunk, detector, whole=whole, stability=stability)
    for reports in in_order(analyze, in_chunks(items, READ_AHEAD), jobs=jobs):
        yield from reports


def read_item(item: Item) -> ImageSource:
    """What `load_image` takes: a path as it is, the bytes of anything else.

    Raises:
        Exception: whatever reading it raises.
    """
    return item if isinstance(item, (str, Path)) else item.read()


def _analyze_chunk(detector: Detector, items: Sequence[Item], *, whole: bool, stability: bool) -> list[ImageReport]:
    """The crops of several pictures in one batch."""
    pictures = [_detect_or_report(detector, item, whole, stability) for item in items]
    crops = [crop for picture in pictures if isinstance(picture, DetectedFaces) for crop in picture.crops]
    predictions = iter(detector.predict(crops))

    def report(picture: DetectedFaces | ImageReport) -> ImageReport:
        if isinstance(picture, ImageReport):
            return picture
        return report_on(detector, picture, list(islice(predictions, len(picture.crops))))

    return [listed(report(picture), item) for picture, item in zip(pictures, items, strict=True)]


def _detect_or_report(detector: Detector, item: Item, whole: bool, stability: bool) -> DetectedFaces | ImageReport:
    """What is still to be judged; a report where nothing is, or where a picture needs a batch of its own."""
    try:
        photo = load_image(read_item(item))
        if stability:  # its changed crops fill a batch, and are cut from the picture
            return analyze_photo(detector, photo, whole=whole, stability=True)
        return detect_faces(photo, detector.checkpoint, whole=whole).scaled(detector.checkpoint.transform)
    except Exception as exc:  # of thousands of files from anywhere, none may end the scan
        return unreadable(detector, reason_of(exc))


def reason_of(exc: Exception) -> str:
    """Why a file could not be read, in a sentence, whatever was raised by it."""
    if isinstance(exc, VirtusError):
        return str(exc)
    return UNEXPECTED.format(cause=f"{type(exc).__name__}: {exc}".rstrip(": "))


def listed(report: ImageReport, item: Item) -> ImageReport:
    """As one of many: under the name of its file, and without pictures."""
    faces = tuple(replace(face, crop=None) for face in report.faces)
    return replace(report, path=str(item), faces=faces)


def unreadable(detector: Detector, reason: str, path: str | Path | None = None) -> ImageReport:
    """The report of a source that is no picture."""
    path = None if path is None else str(path)
    return ImageReport(Outcome.UNREADABLE, detector.checkpoint.info, path=path, reason=reason, prior=detector.prior)
