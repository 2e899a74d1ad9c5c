"""The line at the top of the page while the model is loaded in the background, or where it could not be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import gradio as gr

from virtus.app.visitors import Detectors
from virtus.html import render_part

LOOK_EVERY_S = 0.2


def add_loading_note(app: gr.Blocks, detectors: Detectors) -> None:
    """Add the line to the Blocks that are being built. A page that comes later never shows it."""
    note = gr.HTML(visible=False, elem_id="loading-note")

    async def tell() -> AsyncIterator[gr.HTML]:
        if detectors.is_loading:
            yield gr.HTML(render_part("loading.html", "loading", name=detectors.default), visible=True)
        while detectors.is_loading:
            await asyncio.sleep(LOOK_EVERY_S)
        failure = detectors.failure
        yield gr.HTML(render_part("loading.html", "failed", reason=failure) if failure else "", visible=bool(failure))

    private = {"api_visibility": "private", "show_progress": "hidden", "concurrency_limit": None}
    app.load(tell, None, note, api_name="loading", **private)
