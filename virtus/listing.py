"""Files, folders and globs from a command line to the files they stand for."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from pathlib import Path

from virtus.images import is_image_path


def list_files(arguments: Iterable[str]) -> Iterator[str]:
    """The files that are meant, in the order of the arguments, sorted within a folder or glob.

    Of a folder, the pictures below it, by their names. A file is taken whatever its name; so is an argument that
    matches nothing, so that it can be reported.
    """
    for argument in arguments:
        if Path(argument).is_dir():
            yield from [str(path) for path in find_pictures(Path(argument))] or [argument]
        elif not Path(argument).exists() and glob.has_magic(argument):
            yield from _matches(argument) or [argument]
        else:
            yield argument


def find_pictures(folder: Path) -> list[Path]:
    """The files below a folder whose names say that they are pictures, sorted."""
    return sorted(path for path in folder.rglob("*") if is_image_path(path) and path.is_file())


def _matches(pattern: str) -> list[str]:
    return sorted(path for path in glob.glob(pattern, recursive=True) if not Path(path).is_dir())
