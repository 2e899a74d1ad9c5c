"""Files, folders and globs from a command line to the files they stand for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from virtus.errors import InputError
from virtus.media.archives import ArchivedFile, RefusedArchive, is_archive_path, open_archive
from virtus.media.images import is_image_path

VIDEO_SUFFIXES = frozenset(".mp4 .m4v .mov .3gp .avi .mkv .webm .mpg .mpeg .mts .m2ts .flv .wmv .ogv".split())


def is_video_path(path: Path) -> bool:
    """Whether the file's name says that it is a clip."""
    return path.suffix.lower() in VIDEO_SUFFIXES


def list_files(arguments: Iterable[str]) -> Iterator[str | ArchivedFile | RefusedArchive]:
    """The files that are meant, in the order of the arguments, sorted within a folder or glob.

    Of a folder, the pictures below it, by their names: see `walk_pictures`. A zip that is named or found by a glob is
    the pictures in it. Another file is taken whatever its name; so is an argument that matches nothing, to be reported.
    """
    for argument in arguments:
        if _is_folder(argument):
            yield from _or_itself(walk_pictures(argument), argument)
        elif not _is_there(argument) and glob.has_magic(argument):
            for path in _or_itself(_matches(argument), argument):
                yield from _within(path)
        else:
            yield from _within(argument)


def read_list(file: Path) -> list[str]:
    """The lines of a text file, each a path as it is: no folder, no glob. Empty lines are skipped.

    Raises:
        InputError: if it cannot be read.
    """
    try:
        lines = os.fsdecode(file.read_bytes()).removeprefix("\ufeff").split("\n")
    except OSError as exc:
        raise InputError(f"The list {file} cannot be read ({exc.strerror}). Check its path.") from exc
    return [path for line in lines if (path := line.rstrip("\r"))]


def count_files(arguments: Iterable[str]) -> int:
    """How many `list_files` gives."""
    return sum(1 for _ in list_files(arguments))


def walk_pictures(folder: str | Path) -> Iterator[str]:
    """The files below a folder whose names say that they are pictures, sorted as paths are: part by part.

    Found as they are asked for: only the names in one folder and in those above it are held. Links to folders are not
    followed. A folder that cannot be read stands for what is in it, so that it can be reported.
    """
    ahead = [iter([(str(Path(folder)), True)])]
    while ahead:
        path, is_folder = next(ahead[-1], (None, False))
        if path is None:
            ahead.pop()
        elif not is_folder or (within := _read_folder(path)) is None:
            yield path
        else:
            ahead.append(within)


def find_pictures(folder: Path) -> list[Path]:
    """The files below a folder whose names say that they are pictures, sorted."""
    return [path for path in map(Path, walk_pictures(folder)) if is_image_path(path)]


def _read_folder(folder: str) -> Iterator[tuple[str, bool]] | None:
    """Paths of pictures and folders in it, sorted, with whether each is a folder; None if it cannot be read.

    Strings, for of each `Path` Python keeps something.
    """
    try:
        with os.scandir(folder) as entries:
            kinds = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries if _counts(entry)]
    except OSError:
        return None
    folders = {name for name, is_folder in kinds if is_folder}
    names = sorted(name for name, _ in kinds)
    before = "" if folder == os.curdir else os.path.join(folder, "")  # noqa: PTH118
    return ((before + name, name in folders) for name in names)


def _counts(entry: os.DirEntry) -> bool:
    if entry.is_dir(follow_symlinks=False):
        return True
    return is_image_path(entry.name) and (entry.is_file(follow_symlinks=False) or os.path.isfile(entry.path))  # noqa: PTH113 (says no to a link in a circle)


def _within(path: str) -> Iterable[str | ArchivedFile | RefusedArchive]:
    if not is_archive_path(path) or not _is_there(path):
        return [path]
    try:
        return open_archive(path).files
    except InputError as exc:
        return [RefusedArchive(path, str(exc))]


# `Path` raises for a name that is longer than the system takes; these say no.
def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _or_itself(paths: Iterable[str], argument: str) -> Iterator[str]:
    remaining = iter(paths)
    yield next(remaining, argument)
    yield from remaining


def _matches(pattern: str) -> list[str]:
    return sorted(path for path in glob.glob(pattern, recursive=True) if not _is_folder(path))
