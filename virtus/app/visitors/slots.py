"""The places at which photos are judged, and who still waits for one."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from gradio.context import LocalContext

from virtus.errors import InputError

# More at once would wait for the same cores, and hold their photos in memory meanwhile. Fetching a checkpoint is not
# counted: who waits for the Hub holds up nobody.
NUM_PLACES = 2
_places = threading.BoundedSemaphore(NUM_PLACES)


@contextlib.contextmanager
def place() -> Iterator[None]:
    """Wait for a place, and hold it.

    Raises:
        InputError: if the visitor left meanwhile: nobody would read the answer.
    """
    with _places:
        if _has_left():
            raise InputError("The visitor left before it was their turn.")
        yield


def _has_left() -> bool:
    """Of the call that this thread serves. Gradio itself stops generators of visitors who left, not plain functions."""
    blocks, event_id = LocalContext.blocks.get(None), LocalContext.event_id.get(None)
    event = blocks and blocks._queue.event_ids_to_events.get(event_id)
    return bool(event) and not event.alive
