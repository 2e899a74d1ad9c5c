"""What all endpoints do with errors and pictures."""

import contextlib
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args, get_origin

from gradio import FileData

from virtus.app.visitors import as_gradio_error
from virtus.app.widgets import write_picture
from virtus.errors import InputError, VirtusError
from virtus.schema import Row, plain_type


def as_json(function: Callable) -> Callable:
    """The same endpoint, answering JSON for rows; its types, which Gradio and assistants are shown, say so."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def answer(*args, **kwargs):
        return _as_json(function(*args, **kwargs))

    @functools.wraps(function)
    def answers(*args, **kwargs):
        yield from map(_as_json, function(*args, **kwargs))

    chosen: Any = answers if inspect.isgeneratorfunction(function) else answer
    chosen.__signature__ = signature.replace(return_annotation=_json_type(signature.return_annotation))
    return chosen


def _as_json(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(map(_as_json, value))
    return value.to_json() if isinstance(value, Row) else value


def _json_type(hint: Any) -> Any:
    return tuple[tuple(map(plain_type, get_args(hint)))] if get_origin(hint) is tuple else plain_type(hint)


def answering(function: Callable) -> Callable:
    """Our errors as answers: their sentence, without a traceback. Functions that answer several times stay such."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def answer(*args, **kwargs):
        with _said():
            _check_switches(signature.bind(*args, **kwargs))
            return function(*args, **kwargs)

    @functools.wraps(function)
    def answers(*args, **kwargs):
        with _said():
            _check_switches(signature.bind(*args, **kwargs))
            yield from function(*args, **kwargs)

    return answers if inspect.isgeneratorfunction(function) else answer


def _check_switches(given: inspect.BoundArguments) -> None:
    """Other wrong values are found where they are used; but "false" would switch on what it shall leave off.

    Raises:
        InputError: where a switch is neither true, false nor null.
    """
    for name, value in given.arguments.items():
        if given.signature.parameters[name].annotation is bool and not isinstance(value, bool | None):
            raise InputError(f"{name} must be true or false, not {value!r:.100}.")


@contextlib.contextmanager
def _said():
    try:
        yield
    except VirtusError as exc:
        raise as_gradio_error(exc) from exc


def png(image, name: str) -> FileData:
    """A picture as an answer."""
    return FileData(path=write_picture(image, name, "PNG"), orig_name=f"{name}.png", mime_type="image/png")


def file_answer(path: Path, kind: str) -> FileData:
    """A file that was written to be handed out as an answer; `kind` is its media type."""
    return FileData(path=str(path), orig_name=path.name, mime_type=kind)
