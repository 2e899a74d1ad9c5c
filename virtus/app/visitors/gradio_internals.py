"""What Gradio does not document and the app needs all the same: such names stand here alone.

Where a release of Gradio moves one, `tests/app/visitors/test_gradio_internals.py` says which, and what it is for.
"""

from __future__ import annotations

import inspect
import math
import time
from collections import ChainMap
from collections.abc import Callable, Collection, ItemsView, Iterable, Iterator
from contextlib import closing
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar, cast
from weakref import WeakSet

import gradio as gr
from gradio import http_server
from gradio.blocks import BlocksConfig
from gradio.context import LocalContext
from gradio.exceptions import ComponentProcessingError, ServerFailedToStartError
from gradio.queueing import Event
from gradio.route_utils import FnIndexInferError
from gradio.server_messages import ProcessCompletedMessage
from gradio.utils import get_function_description, get_return_types, get_upload_folder

__all__ = [
    "UNASKED",
    "UNKNOWN_EVENTS",
    "CheckedBlocks",
    "end_event",
    "ending",
    "get_upload_folder",
    "knows_event",
    "knows_session",
    "read_function",
    "static_url",
    "stop_event",
    "until_stopped",
    "visitor_left",
]

UNASKED: dict[str, Any] = {"_frontend": False}
"""For `launch`, which else asks for its own page and ends the program where that takes three seconds, or a proxy is
set: on a busy machine an app that had begun to answer was gone for who asked next."""
UNKNOWN_EVENTS = (KeyError, FnIndexInferError)
"""What Gradio raises for an event that there is not, by its number and by its name."""
IDLE_S, BETWEEN_STEPS_S = 0.02, 0.1
"""How often the queue looks for work, and for progress to tell. Gradio looks 1,100 times a second, which takes 7 % of a
core for as long as an app stands idle."""
NOT_OFFERED = "The page sent a value that it does not offer. Reload it."
STEP = object()
"""What `until_stopped` hands on last, unless something else is given: the step under way."""
Part = TypeVar("Part")


class PatientServer(http_server.Server):
    """Waits for as long as it is about to start. Gradio's gives up after five seconds, which a busy machine may need,
    goes on to the next port, and in the end blames another program for its port."""

    def run_in_thread(self) -> None:
        try:
            super().run_in_thread()
        except ServerFailedToStartError:
            while not self.started:
                if not self.thread.is_alive():
                    raise
                time.sleep(IDLE_S)


http_server.Server = PatientServer


class CheckedBlocks(gr.Blocks):
    """Blocks whose inputs are checked before Gradio reads them, that keep little of who asks, and rest.

    Of a session its `gr.State` stays, and what it changed. Gradio also keeps a list of all components and events for
    each, and how every component looked last, a quarter of a megabyte and the visitor's own values with it, for links
    that bring them back: those the app does not offer. And each call of a program is a session to it.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.default_config = _SharedConfig(self)
        self.temp_file_sets = _PathSets(self.temp_file_sets)
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
                paths -= {path for path in paths if not Path(path).exists()}


class _PathSets(list):
    """Sets of paths of files to be deleted, handed out as what may grow while it is gone through.

    Gradio goes through them in a thread. An upload that came just then ended that thread for good: nothing more was
    deleted, and a traceback stood at the end of the server's log.
    """

    def __iter__(self) -> Iterator[_Paths]:
        return map(_Paths, super().__iter__())


class _Paths:
    def __init__(self, paths: set[str]):
        self._paths = paths

    def __iter__(self) -> Iterator[str]:
        return iter(self._paths.copy())

    def __isub__(self, deleted: set[str]) -> _Paths:
        self._paths -= deleted
        return self


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
    event = _own_event()
    return event is not None and not event.alive


_stopped: WeakSet[Event] = WeakSet()


async def stop_event(session: str | None, name: str) -> None:
    """End the event `name` of a page as if it were done: after its next step, or at once where it waits for its turn.

    Not by Gradio's `cancels`: its page asks for what follows a cancelled event while it still reads the stream of
    answers, takes the end of that stream for the end of the new one, and never gets the answer; and an event that
    "always_last" holds back until the cancelled one is done never begins.
    """
    blocks = LocalContext.blocks.get(None)
    assert blocks is not None  # in a call
    queue = blocks._queue
    named = _events_of(blocks, session, name)
    _stopped.update(named)
    for event in named:
        if event in queue.event_queue_per_concurrency_id[event.concurrency_id].queue:
            await queue.remove_from_queue(event._id)
            unchanged = {"data": [gr.skip()] * len(event.fn.outputs)}
            queue.send_message(event, ProcessCompletedMessage(output=unchanged, success=True))


def is_under_way(name: str) -> bool:
    """Whether the page that this thread serves waits for an event of that name too."""
    own, blocks = _own_event(), LocalContext.blocks.get(None)
    return own is not None and blocks is not None and bool(_events_of(blocks, own.session_hash, name))


def end_event(name: str, *, earlier: bool = False) -> None:
    """End the event `name` of the page that this thread serves: before its next step, where it is `until_stopped`.

    Args:
        earlier: only if it was asked for before the one that this thread serves.
    """
    own, blocks = _own_event(), LocalContext.blocks.get(None)
    if own is not None and blocks is not None:
        asked = list(blocks._queue.event_ids_to_events.values())  # in the order in which they were
        before = takewhile(lambda event: event is not own, asked) if earlier else asked
        _stopped.update(_named(before, own.session_hash, name))


def ending(names: Collection[str], function: Callable, *, rivals: Collection[str] = ()) -> Callable:
    """The function of an event, which ends other events first: what they would show is asked for anew.

    Args:
        names: of these events, none of them the event's own, of which "always_last" has one at a time.
        function: a generator function stays one. See `end_event`.
        rivals: others, which end this one too: the last that was asked for ends those before it. Else two that begin at
            once would end each other, and nothing came of either.
    """

    def answer(*values: Any) -> Any:
        for name in {*names, *rivals}:
            end_event(name, earlier=name in rivals)
        return function(*values)

    def answers(*values: Any) -> Iterator:
        yield from answer(*values)

    return answers if inspect.isgeneratorfunction(function) else answer


def _events_of(blocks: gr.Blocks, session: str | None, name: str) -> list[Event]:
    """Those of that name that a page waits for."""
    return _named(list(blocks._queue.event_ids_to_events.values()), session, name)


def _named(events: Iterable[Event], session: str | None, name: str) -> list[Event]:
    return [event for event in events if event.session_hash == session and event.fn.api_name == name]


def until_stopped(function: Callable[..., Iterator], *, instead: Any = STEP) -> Callable[..., Iterator]:
    """The generator function, which ends between two steps once its event is stopped by `stop_event` or `end_event`.

    Args:
        instead: handed on in place of the step that was under way then. Gradio's page is told an event's last step
            twice, the second time when it ends: what should not be shown any more would come back.
    """

    def steps(*values: Any) -> Iterator:
        with closing(function(*values)) as working:  # pyright: ignore[reportArgumentType] - generators can be closed
            for step in working:
                if instead is STEP or _own_event() not in _stopped:
                    yield step
                if _own_event() in _stopped:
                    yield from () if instead is STEP else (instead,)
                    return

    return steps


def _own_event() -> Event | None:
    """What this thread serves; None outside of a call."""
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    return blocks._queue.event_ids_to_events.get(event_id) if blocks and event_id else None


def knows_event(app: Any, event_id: str) -> bool:
    """Whether Gradio's app has a call of that id, whose answer was not handed out yet. Of others it waits for ever."""
    return any(event_id in waiting for waiting in app.get_blocks()._queue.pending_event_ids_session.values())


def knows_session(app: Any, session: str) -> bool:
    """Whether Gradio's app has messages for the page or program of that name."""
    return session in app.get_blocks()._queue.pending_messages_per_session


def lacks_login(app: Any, request: Any) -> bool:
    """Whether Gradio's app asks for a login that a request does not show."""
    cookies = [request.cookies.get(f"access-token-{kind}{app.cookie_id}") for kind in ("", "unsecure-")]
    return app.auth is not None and not any(cookie in app.tokens for cookie in cookies)


def read_function(function: Callable) -> tuple[str, dict[str, str], list]:
    """What it and each of its parameters are for, by its docstring; and the types of what it answers."""
    about, of_parameters, _ = get_function_description(function)
    return about, of_parameters, get_return_types(function)


def static_url(component: gr.HTML, path: Path) -> str:
    """Where the page finds a file of the app's own, relative to its address: the app may lie below another path.

    Gradio takes its copy for a visitor's file and would delete it after ten minutes.
    """
    served = component.serve_static_file(str(path))
    assert served is not None  # only for no path
    component.keep_in_cache.add(served["path"])
    return str(served["url"]).lstrip("/")
