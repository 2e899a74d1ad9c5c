"""The offer of the fast checkpoint where the better one takes long: a button that says how long each takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import gradio as gr

from virtus.app.visitors import stop_event
from virtus.checkpoints import FAST, fast_words

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

LONG_S = 60  # of work that is left


def faster_button(*, elem_id: str) -> gr.Button:
    """The component, not seen until `offer_faster` says so."""
    return gr.Button(visible=False, size="sm", elem_id=elem_id)


def offer_faster(detector: Detector, *, done: int, total: int, seconds: float) -> gr.Button:
    """What becomes of the button when so many of all were done in so many seconds."""
    is_long = done > 0 and (total - done) * seconds / done >= LONG_S
    words = fast_words(detector.checkpoint, total * seconds / done) if is_long else ""
    return gr.Button(f"All of it takes {words}: take {FAST}" if words else "", visible=bool(words))


def no_offer() -> gr.Button:
    """What becomes of the button where there is nothing to offer."""
    return gr.Button(visible=False)


def taking_fast(event: str) -> Callable:
    """What a click on it does: end what the visitor waits for, an event by its name, and choose the fast one.

    The function returns the value of the chooser, and the button.
    """

    async def take(name: str, request: gr.Request) -> tuple[str, gr.Button]:  # noqa: ARG001  each event has inputs
        await stop_event(request.session_hash, event)
        return FAST, no_offer()

    return take
