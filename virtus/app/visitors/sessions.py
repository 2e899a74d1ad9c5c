"""What the server keeps of each visitor between two calls."""

from __future__ import annotations

from typing import Any

import gradio as gr

MAX_SESSIONS = 2000  # the ones longest unused go first; a call from outside without a session has one of its own


class LeanBlocks(gr.Blocks):
    """Blocks that keep of a session what is in its `gr.State` alone.

    Gradio also keeps how every component looked last, a quarter of a megabyte and the visitor's own values with it, for
    links that bring them back: those the app does not offer.
    """

    async def process_api(self, *args, state: Any = None, **kwargs) -> dict[str, Any]:
        try:
            return await super().process_api(*args, state=state, **kwargs)
        finally:
            if state is not None:
                state.config_values.clear()
