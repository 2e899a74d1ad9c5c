"""Files that are there whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from virtus.errors import InputError


@contextlib.contextmanager
def written_in(folder: Path) -> Iterator[None]:
    """Around what writes files into a folder.

    Raises:
        InputError: if one cannot be written.
    """
    try:
        yield
    except OSError as exc:
        raise InputError(f"{folder} cannot be written to: {exc.strerror or exc}.") from exc


def write_whole(file: Path, content: str | bytes) -> None:
    """Write a file (text as UTF-8) in the place of an older one, and the folders above it where there are none.

    Whenever the process is killed or the power fails, the older file or the new one is there, whole.

    Raises:
        InputError: if it cannot be written.
    """
    part = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(content.encode() if isinstance(content, str) else content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(file)
    except OSError as exc:
        raise InputError(f"{file} cannot be written ({exc.strerror}).") from exc
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
