"""What Gradio does not document and the app needs all the same: such names stand here alone.

Where a release of Gradio moves one, `tests/app/visitors/test_gradio_internals.py` says which, and what it is for.
"""

from __future__ import annotations

import math
import time
from collections import ChainMap
from collections.abc import Callable, ItemsView
from pathlib import Path
from typing import Any, TypeVar, cast

import gradio as gr
from gradio.blocks import BlocksConfig
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
Part = TypeVar("Part")


class CheckedBlocks(gr.Blocks):
    """Blocks whose inputs are checked before Gradio reads them, that keep little of who asks, and rest.

    Of a session its `gr.State` stays, and what it changed. Gradio also keeps a list of all components and events for
    each, and how every component looked last, a quarter of a megabyte and the visitor's own values with it, for links
    that bring them back: those the app does not offer. And each call of a program is a session to it.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.default_config = _SharedConfig(self)
        self._answered: dict[str, tuple[str, float]] = {}  # calls whose answer may lie unread: session, and since when
        self._look_for_files = 0.0

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

    async def process_api(
        self, *args: Any, state: Any = None, session_hash: str | None = None, event_id: str | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        who = {"state": state, "session_hash": session_hash, "event_id": event_id}
        try:
            return await super().process_api(*args, **who, **kwargs)
        finally:
            if state is not None:
                state.config_values.clear()
            if event_id is not None:
                self._answered[event_id] = session_hash or event_id, time.monotonic()
            self._forget_answered()
            self._forget_deleted()

    def _forget_answered(self) -> None:
        """Drop what is held for calls whose answer was read, was left behind, or lies unread for too long.

        Gradio keeps the session of a call and its messages, whole answers if nobody reads them, until 2,000 others
        came, and its name for ever.
        """
        oldest = time.monotonic() - (self.delete_cache[1] if self.delete_cache else math.inf)
        for event_id, (session, since) in list(self._answered.items()):
            is_read = event_id not in self._queue.pending_event_ids_session.get(session, ())
            is_left = session not in self._queue.pending_messages_per_session or since < oldest
            if event_id not in self._queue.event_ids_to_events and (is_read or is_left):
                del self._answered[event_id]
                self._forget_call(event_id, session, is_left)

    def _forget_call(self, event_id: str, session: str, is_left: bool) -> None:
        """Nobody comes back to the session of a call that came without one: it is named like the call."""
        waiting = self._queue.pending_event_ids_session.get(session, set())
        waiting.discard(event_id)
        if not waiting:
            self._queue.pending_event_ids_session.pop(session, None)
        if session == event_id or (is_left and not waiting):
            self._queue.pending_messages_per_session.pop(session, None)
        if session == event_id:
            with self.state_holder.lock:
                self.state_holder.session_data.pop(session, None)
                self.state_holder.time_last_used.pop(session, None)

    def _forget_deleted(self) -> None:
        """Drop the paths of files that others deleted: Gradio forgets those alone that it deletes itself."""
        if self.delete_cache and time.monotonic() > self._look_for_files:
            self._look_for_files = time.monotonic() + self.delete_cache[0]
            for paths in self.temp_file_sets:
                paths -= {path for path in list(paths) if not Path(path).exists()}


class _SharedConfig(BlocksConfig):
    """The components and events of an app, held once: its copy for a session holds what that changes alone."""

    def __copy__(self) -> BlocksConfig:
        own = BlocksConfig(self.root_block)
        own.blocks, own.fns = cast(dict, _Changes({}, self.blocks)), cast(dict, _Changes({}, self.fns))
        own.fn_id, own.renderables = self.fn_id, list(self.renderables)
        return own


class _Changes(ChainMap[int, Part]):
    """A session's own components before those of the app. Lists its own: Gradio asks a new session how all look."""

    def items(self) -> ItemsView[int, Part]:
        return self.maps[0].items()


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
