"""What all endpoints do with errors and pictures."""

import contextlib
import functools
import inspect
from collections.abc import Callable

from gradio import FileData

from virtus.errors import VirtusError
from virtus.ui.pictures import write_png
from virtus.ui.uploads import as_gradio_error


def answering(function: Callable) -> Callable:
    """Our errors as answers: their sentence, without a traceback. Functions that answer several times stay such."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        with _said():
            return function(*args, **kwargs)

    @functools.wraps(function)
    def answers(*args, **kwargs):
        with _said():
            yield from function(*args, **kwargs)

    return answers if inspect.isgeneratorfunction(function) else answer


@contextlib.contextmanager
def _said():
    try:
        yield
    except VirtusError as exc:
        raise as_gradio_error(exc) from exc


def png(image, name: str) -> FileData:
    """A picture as an answer."""
    return FileData(path=write_png(image, name), orig_name=f"{name}.png", mime_type="image/png")
