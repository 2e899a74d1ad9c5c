"""What Gradio does not document and the app needs all the same: such names stand here alone.

Where a release of Gradio moves one, `tests/app/visitors/test_gradio_internals.py` says which, and what it is for.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.exceptions import ComponentProcessingError
from gradio.route_utils import FnIndexInferError
from gradio.utils import get_function_description, get_return_types, get_upload_folder

__all__ = [
    "UNKNOWN_EVENTS",
    "CheckedBlocks",
    "get_upload_folder",
    "knows_event",
    "knows_session",
    "read_function",
    "static_url",
    "visitor_left",
]

UNKNOWN_EVENTS = (KeyError, FnIndexInferError)
"""What Gradio raises for an event that there is not, by its number and by its name."""
IDLE_S, BETWEEN_STEPS_S = 0.02, 0.1
"""How often the queue looks for work, and for progress to tell. Gradio looks 1,100 times a second, which takes 7 % of a
core for as long as an app stands idle."""
NOT_OFFERED = "The page sent a value that it does not offer. Reload it."


class CheckedBlocks(gr.Blocks):
    """Blocks whose inputs are checked before Gradio reads them, that keep of a session its `gr.State` alone, and rest.

    Gradio also keeps how every component looked last, a quarter of a megabyte and the visitor's own values with it, for
    links that bring them back: those the app does not offer.
    """

    def check_inputs(self, name: str, num_expected: int, values: list) -> None:
        """To be overridden: look at the values for the event or endpoint `name`, as they came.

        Raises:
            gr.Error: for what is refused.
        """

    def queue(self, *args: Any, **kwargs: Any) -> gr.Blocks:
        super().queue(*args, **kwargs)
        self._queue.sleep_when_free, self._queue.progress_update_sleep_when_free = IDLE_S, BETWEEN_STEPS_S
        return self

    async def preprocess_data(self, block_fn: Any, inputs: list, *args: Any, **kwargs: Any) -> list:
        self.check_inputs(str(block_fn.api_name), len(block_fn.inputs), inputs)
        try:
            return await super().preprocess_data(block_fn, inputs, *args, **kwargs)
        except (gr.Error, ComponentProcessingError) as exc:
            raise gr.Error(NOT_OFFERED, print_exception=False) from exc

    async def process_api(self, *args: Any, state: Any = None, **kwargs: Any) -> dict[str, Any]:
        try:
            return await super().process_api(*args, state=state, **kwargs)
        finally:
            if state is not None:
                state.config_values.clear()


def visitor_left() -> bool:
    """Whether nobody waits any more for the call that this thread serves.

    Gradio itself stops generators of visitors who left, not plain functions.
    """
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    event = blocks and event_id and blocks._queue.event_ids_to_events.get(event_id)
    return bool(event) and not event.alive


def knows_event(app: Any, event_id: str) -> bool:
    """Whether Gradio's app has a call of that id, whose answer was not handed out yet. Of others it waits for ever."""
    return any(event_id in waiting for waiting in app.get_blocks()._queue.pending_event_ids_session.values())


def knows_session(app: Any, session: str) -> bool:
    """Whether Gradio's app has messages for the page or program of that name."""
    return session in app.get_blocks()._queue.pending_messages_per_session


def lacks_login(app: Any, request: Any) -> bool:
    """Whether Gradio's app asks for a login that a request does not show: its own refusal then goes first."""
    return app.auth is not None and not any(name.startswith("access-token") for name in request.cookies)


def read_function(function: Callable) -> tuple[str, dict[str, str], list]:
    """What it and each of its parameters are for, by its docstring; and the types of what it answers."""
    about, of_parameters, _ = get_function_description(function)
    return about, of_parameters, get_return_types(function)


def static_url(component: gr.HTML, path: Path) -> str:
    """Where the page finds a file of the app's own, relative to its address: the app may lie below another path."""
    served = component.serve_static_file(str(path))
    assert served is not None  # only for no path
    return str(served["url"]).lstrip("/")
