"""What all endpoints do with errors and pictures."""

import functools
from collections.abc import Callable

from gradio import FileData

from virtus.errors import VirtusError
from virtus.ui.pictures import write_png
from virtus.ui.uploads import as_gradio_error


def answering(function: Callable) -> Callable:
    """Our errors as answers: their sentence, without a traceback."""

    @functools.wraps(function)
    def answer(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except VirtusError as exc:
            raise as_gradio_error(exc) from exc

    return answer


def png(image, name: str) -> FileData:
    """A picture as an answer."""
    return FileData(path=write_png(image, name), orig_name=f"{name}.png", mime_type="image/png")
