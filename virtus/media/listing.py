"""Files, folders and globs from a command line to the files they stand for."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from virtus.errors import InputError
from virtus.media.archives import ArchivedFile, RefusedArchive, open_archive
from virtus.media.kinds import (
    NUM_NAMED,
    FileKind,
    LeftOut,
    is_archive_path,
    is_image_path,
    kind_of,
    read_first_bytes,
)


def list_files(
    arguments: Iterable[str], left_out: LeftOut | None = None
) -> Iterator[str | ArchivedFile | RefusedArchive]:
    """The files that are meant, in the order of the arguments, sorted within a folder or glob.

    Of a folder that is named or found by a glob, the pictures below it: see `walk_pictures`; so of a zip, those in it.
    Another file is taken whatever its name; so is an argument that matches nothing, to be reported.

    Args:
        left_out: gets what else lies in the folders and zips, as far as the files were asked for.
    """
    left_out = LeftOut() if left_out is None else left_out
    for argument in arguments:
        is_pattern = not _is_there(argument) and glob.has_magic(argument)
        for path in _or_itself(_matches(argument), argument) if is_pattern else [argument]:
            if _is_folder(path):
                yield from _or_itself(walk_pictures(path, left_out), path)
            else:
                yield from _within(path, left_out)


def check_there(arguments: Sequence[str]) -> None:
    """Whether any of them leads to a file to be judged; looks no further than to the first.

    Raises:
        InputError: if all of them are mistyped, or folders without a picture.
    """
    left_out = LeftOut()
    if any(not isinstance(file, str) or _is_file(file) for file in list_files(arguments, left_out)):
        return
    named = ", ".join(arguments[:NUM_NAMED])
    nothing = (
        f"There is nothing to judge by the name {named}. Check the path, or give a folder that has pictures in it."
    )
    raise InputError(" ".join([nothing, *left_out.in_words()]))


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


def walk_pictures(folder: str | Path, left_out: LeftOut | None = None) -> Iterator[str]:
    """The pictures below a folder, by `kind_of`, sorted as paths are: part by part.

    Found as they are asked for: only the names in one folder and in those above it are held. Links to folders are not
    followed. A folder that cannot be read stands for what is in it, so that it can be reported.

    Args:
        left_out: gets the other files.
    """
    left_out = LeftOut() if left_out is None else left_out
    ahead = [iter([(str(Path(folder)), True)])]
    while ahead:
        path, is_folder = next(ahead[-1], (None, False))
        if path is None:
            ahead.pop()
        elif not is_folder or (within := _read_folder(path, left_out)) is None:
            yield path
        else:
            ahead.append(within)


def find_pictures(folder: Path, left_out: LeftOut | None = None) -> list[Path]:
    """The pictures below a folder, by `kind_of`, sorted. What else lies there is told to `left_out`.

    Raises:
        InputError: for a folder in it that cannot be read: figures without it would be of something else.
    """
    found = []
    for path in walk_pictures(folder, left_out):
        if is_image_path(path) or _is_file(path):
            found.append(Path(path))
        elif _is_folder(path) and path != str(folder):
            raise InputError(f"The folder {path} cannot be read. Allow it to be read, or move it elsewhere.")
    return found


def _read_folder(folder: str, left_out: LeftOut) -> Iterator[tuple[str, bool]] | None:
    """Paths of pictures and folders in it, sorted, with whether each is a folder; None if it cannot be read.

    Strings, for of each `Path` Python keeps something.
    """
    before = "" if folder == os.curdir else os.path.join(folder, "")  # noqa: PTH118
    folders, names = set(), []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    folders.add(entry.name)
                elif (kind := _kind_of(entry)) is not FileKind.PICTURE:
                    left_out.add(kind, before + entry.name)
                    continue
                names.append(entry.name)
    except OSError:
        return None
    return ((before + name, name in folders) for name in sorted(names))


def _kind_of(entry: os.DirEntry) -> FileKind:
    """Of what is no folder. A link is what it leads to."""
    if entry.is_symlink() and _is_folder(entry.path):
        return FileKind.FOLDER_LINK
    if entry.is_symlink() and not _is_there(entry.path):
        return FileKind.DEAD_LINK
    if not entry.is_file(follow_symlinks=False) and not _is_file(entry.path):
        return FileKind.NO_FILE
    return kind_of(entry.name, partial(read_first_bytes, entry.path))


def _within(path: str, left_out: LeftOut) -> Iterable[str | ArchivedFile | RefusedArchive]:
    if not is_archive_path(path) or not _is_there(path):
        return [path]
    try:
        archive = open_archive(path)
    except InputError as exc:
        return [RefusedArchive(path, str(exc))]
    left_out.merge(archive.left_out, path)
    return archive.files


# `Path` raises for a name that is longer than the system takes; these say no.
def _is_folder(path: str) -> bool:
    return os.path.isdir(path)  # noqa: PTH112


def _is_file(path: str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113


def _is_there(path: str) -> bool:
    return os.path.exists(path)  # noqa: PTH110


def _or_itself(paths: Iterable[str], argument: str) -> Iterator[str]:
    remaining = iter(paths)
    yield next(remaining, argument)
    yield from remaining


def _matches(pattern: str) -> list[str]:
    """With `**` without folders: what is in them is found by itself."""
    found = glob.glob(pattern, recursive=True)
    return sorted(path for path in found if "**" not in pattern or not _is_folder(path))
