"""The photos of a batch judged one after the other: what the tab and the API share."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from virtus.app.visitors.batches import BatchFile, BatchFiles
from virtus.app.visitors.photos import Judged, judge
from virtus.judging import UNEXPECTED, unreadable

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

QUEUE = {"concurrency_id": "batch", "concurrency_limit": 2}  # batches at a time; others wait for their turn
GONE = "The photo was waited for until it was no longer kept here. Give fewer photos at a time."
# Batches together have one of the slots of `slots.py`, photo by photo: the other is left to who gave a single photo.
_place = threading.BoundedSemaphore(1)


def judge_batch(detector: Detector, files: BatchFiles, *, whole: bool, stability: bool = False) -> Iterator[Judged]:
    """Each photo and its report, with the name that the visitor knows as its path.

    Whatever a file holds, it has a report. Who closes the iterator stops the work.
    """
    for photo in files.photos:
        judged = _judge(detector, photo, whole, stability)
        yield replace(judged, report=replace(judged.report, path=photo.name))


def _judge(detector: Detector, photo: BatchFile, whole: bool, stability: bool) -> Judged:
    with _place:
        if not photo.is_kept:
            return Judged(None, unreadable(detector, GONE))
        try:
            return judge(detector, photo.source, whole=whole, stability=stability)
        except Exception as exc:  # of hundreds of files from anywhere, none may end the batch; its text may hold a path
            return Judged(None, unreadable(detector, UNEXPECTED.format(cause=type(exc).__name__)))
