"""Files that visitors hand over: only what they uploaded, never an address and never another file of the server."""

from __future__ import annotations

import html
import mimetypes
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import FileData
from pydantic import ValidationError

from virtus.app.visitors.files import answer_folder, upload_folder
from virtus.app.visitors.gradio_internals import CheckedBlocks
from virtus.app.visitors.sessions import GONE
from virtus.errors import InputError, VirtusError

SEE = "The parameters are listed under Use via API, and at /gradio_api/info."


class GuardedBlocks(CheckedBlocks):
    """Blocks that refuse files which were not uploaded, whatever component they are given to; and other wrong inputs.

    Gradio itself would download an address before any callback sees it, and print a traceback for the rest.
    """

    def check_inputs(self, name: str, num_expected: int, values: list) -> None:
        try:
            if len(values) != num_expected:
                counted = f"{num_expected} values, one for each parameter, and got {len(values)}"
                raise InputError(f"/{name} takes {counted}. {SEE}")
            for description in _descriptions(values):
                _check_description(description)
        except InputError as exc:
            raise as_gradio_error(exc) from exc


def uploaded(file: Any) -> Path:
    """The uploaded file that Gradio's description of a file stands for.

    Raises:
        InputError: if it is none, lies elsewhere, or was deleted meanwhile.
    """
    path = file.get("path") if isinstance(file, dict) else None
    if not path or not isinstance(path, str):
        raise InputError("No photo was handed over. Upload the file, and hand over what the upload returned.")
    own = _own_path(path)
    if not own.is_file():
        raise InputError(GONE)
    return own


def keep_data_uri(uri: str) -> str:
    """Write the content of a data URI where uploads are, for as long as these are kept; returns the path.

    Raises:
        InputError: if it has none, or is not base64.
    """
    head, _, data = uri.partition(",")
    try:
        content = b64decode(data, validate=True) if head.endswith(";base64") else b""
    except ValueError as exc:
        raise InputError("The file is no valid base64. Upload it instead.") from exc
    if not content:
        raise InputError("The file is empty: give data:TYPE;base64,DATA, or upload it.")
    kind = head.removeprefix("data:").partition(";")[0]
    path = answer_folder() / f"file{mimetypes.guess_extension(kind) or ''}"
    path.write_bytes(content)
    return str(path)


def _descriptions(data: Any) -> Iterator[dict]:
    """Whatever in it, at any depth, has a path: Gradio looks for files there too."""
    if isinstance(data, dict):
        if isinstance(data.get("path"), str):
            yield data
        data = list(data.values())
    if isinstance(data, (list, tuple)):
        for value in data:
            yield from _descriptions(value)


def _check_description(file: dict) -> None:
    """Where it lies; and, of one that Gradio reads as a file's by its `meta`, whether it can be read so."""
    _own_path(file["path"])
    if "meta" in file:
        try:
            FileData(**file)
        except ValidationError as exc:
            raise InputError("A file is not described as its upload returned it. Hand over that.") from exc


def _own_path(path: str) -> Path:
    if "://" in path or path.startswith("data:"):
        raise InputError("Addresses are not fetched. Download the picture and upload the file.")
    try:
        own = Path(path).resolve()
    except (OSError, ValueError) as exc:  # too long, or with a null byte
        raise InputError("Only uploaded files are read. Upload the photo.") from exc
    if not own.is_relative_to(upload_folder()):
        raise InputError("Only uploaded files are read. Upload the photo.")
    return own


def as_gradio_error(error: VirtusError) -> gr.Error:
    """Our sentence, as Gradio hands it to clients: it would show HTML in it, and print a traceback."""
    return gr.Error(html.escape(str(error), quote=False), print_exception=False)
