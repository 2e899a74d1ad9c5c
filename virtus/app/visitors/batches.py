"""Many uploads, or zips of them, as the photos of a batch: counted and measured, then judged one after the other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtus.app.visitors.photos import JudgedPhoto, judge_photo_once
from virtus.app.visitors.uploads import uploaded
from virtus.errors import InputError
from virtus.judging import UNEXPECTED, unreadable
from virtus.media import (
    Archive,
    ArchivedFile,
    FileKind,
    LeftOut,
    kind_of,
    open_archive,
    read_first_bytes,
)

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

MAX_PHOTOS = 200  # some minutes on two cores; an upload is kept for ten
MAX_BATCH_BYTES = 512 * 2**20  # of all files, and of all photos in them unpacked
QUEUE = {"concurrency_id": "batch", "concurrency_limit": 2}  # batches at a time; others wait for their turn
GONE = "The photo was waited for until it was no longer kept here. Give fewer photos at a time."
# Batches together have one of the slots of `slots.py`, photo by photo: the other is left to who gave a single photo.
_batch_slot = threading.BoundedSemaphore(1)


@dataclass(frozen=True)
class BatchFile:
    """One photo of a batch.

    Attributes:
        name: as the visitor knows it; "photos.zip/inner.jpg" for one in a zip.
        source: where its bytes are.
    """

    name: str
    source: Path | ArchivedFile

    @property
    def is_kept(self) -> bool:
        """Whether its upload is still there."""
        return Path(self.source.archive if isinstance(self.source, ArchivedFile) else self.source).is_file()


@dataclass(frozen=True)
class BatchFiles:
    """The photos of a batch, in the order in which they were given.

    Attributes:
        left_out: the other files, by the names that the visitor knows.
    """

    photos: tuple[BatchFile, ...]
    left_out: LeftOut = field(default_factory=LeftOut)

    def left_out_in_words(self) -> list[str]:
        """A sentence for each kind of file that is not judged, as `scan` says it."""
        return self.left_out.in_words(clips="Give a clip by itself, under Video.")


def open_batch(files: Any) -> BatchFiles:
    """What Gradio's descriptions of files stand for.

    Raises:
        InputError: if there are none, too many or too large ones, none is a photo, or a zip is refused.
    """
    if not isinstance(files, list) or not files:
        raise InputError("No photos were handed over. Upload some, and hand over a list of what the uploads returned.")
    _check_count(len(files))
    paths = [(uploaded(file), _name(file)) for file in files]
    _check_bytes(sum(path.stat().st_size for path, _ in paths))
    photos, left_out = [], LeftOut()
    for path, name in paths:
        kind = kind_of(name, partial(read_first_bytes, path))
        if kind is FileKind.ARCHIVE:
            archive = _open(path, name)
            photos += [BatchFile(f"{name}/{file.member}", file) for file in archive.files]
            left_out.merge(archive.left_out, name)
        elif kind is FileKind.PICTURE:
            photos.append(BatchFile(name, path))
        else:
            left_out.add(kind, name)
    _check_count(len(photos))
    _check_bytes(sum(_size(photo.source) for photo in photos))
    opened = BatchFiles(tuple(photos), left_out)
    if not photos:
        raise InputError(" ".join(["There is no photo among these files.", *opened.left_out_in_words()]))
    return opened


def judge_batch(
    detector: Detector, files: BatchFiles, *, whole: bool, stability: bool = False
) -> Iterator[JudgedPhoto]:
    """Each photo and its report, with the name that the visitor knows as its path.

    Whatever a file holds, it has a report. Who closes the iterator stops the work.
    """
    for photo in files.photos:
        judged = _judge(detector, photo, whole, stability)
        yield replace(judged, report=replace(judged.report, path=photo.name))


def _open(path: Path, name: str) -> Archive:
    try:
        return open_archive(path, max_bytes=MAX_BATCH_BYTES)
    except InputError as exc:
        raise InputError(f"{name}: {exc}") from exc


def _name(file: dict) -> str:
    """The last part of what the visitor's own machine calls it; Gradio's, if a program did not say."""
    said = file.get("orig_name")
    return Path(said if isinstance(said, str) and said else file["path"]).name


def _size(source: Path | ArchivedFile) -> int:
    return source.num_bytes if isinstance(source, ArchivedFile) else source.stat().st_size


def _check_count(number: int) -> None:
    if number > MAX_PHOTOS:
        raise InputError(f"These are {number} photos; at most {MAX_PHOTOS} are judged at once. Give fewer.")


def _check_bytes(size: int) -> None:
    if size > MAX_BATCH_BYTES:
        unpacked, most = f"{size / 2**20:.0f} MiB", f"{MAX_BATCH_BYTES // 2**20} MiB"
        raise InputError(f"The photos have {unpacked} together; at most {most} are read at once. Give fewer.")


def _judge(detector: Detector, photo: BatchFile, whole: bool, stability: bool) -> JudgedPhoto:
    with _batch_slot:
        if not photo.is_kept:
            return JudgedPhoto(None, unreadable(detector, GONE))
        try:
            return judge_photo_once(detector, photo.source, whole=whole, stability=stability)
        except Exception as exc:  # of hundreds of files from anywhere, none may end the batch; its text may hold a path
            return JudgedPhoto(None, unreadable(detector, UNEXPECTED.format(cause=type(exc).__name__)))
