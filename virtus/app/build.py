"""The whole app: its heading, its tabs, its API."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import gradio as gr

from virtus.app.about import add_about_tab
from virtus.app.analyze import add_analyze_tab
from virtus.app.api import add_endpoints
from virtus.app.batch import add_batch_tab
from virtus.app.compare import add_compare_tab
from virtus.app.explore import add_explore_tab
from virtus.app.video import add_video_tab
from virtus.app.visitors import CLEAN_EVERY_S, KEEP_S, Detectors, GuardedBlocks
from virtus.checkpoints import EVEN
from virtus.html import render_part

HEADING = """<header class="heading">
<h1>Virtus</h1>
<p>Is this face real or a deepfake? And what did the model use?</p>
</header>"""
LOOK_EVERY_S = 0.2


def build_app(detectors: Detectors | None = None, *, whole: bool = False, prior: float = EVEN) -> gr.Blocks:
    """The app, not yet started; `virtus.app.serve` starts it with the settings that it needs.

    Args:
        detectors: who judges; the default checkpoint if None.
        whole: whether the switch "whole image" is on at first.
        prior: share of fakes that is expected at first.

    Raises:
        CheckpointError: if the default checkpoint cannot be trusted, as far as that is seen without loading it: the
            app says from the start who judges.
    """
    detectors = detectors or Detectors()
    with GuardedBlocks(title="Virtus", analytics_enabled=False, delete_cache=(CLEAN_EVERY_S, KEEP_S)) as app:
        gr.HTML(HEADING)
        _add_loading_note(app, detectors)
        # Gradio's menu of those that find no room measures them before the fonts are there, and then hides too many.
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Analyze"):
                held = add_analyze_tab(detectors, whole=whole, prior=prior)
            with gr.Tab("Explore") as explore:
                add_explore_tab(detectors, explore.select, held)
            with gr.Tab("Batch"):
                add_batch_tab(detectors, whole=whole, prior=prior)
            with gr.Tab("Video"):
                add_video_tab(detectors, prior=prior)
            with gr.Tab("Compare"):
                add_compare_tab(detectors, whole=whole, prior=prior)
            with gr.Tab("About"):
                add_about_tab(detectors)
        add_endpoints(detectors)
    return app


def _add_loading_note(app: gr.Blocks, detectors: Detectors) -> None:
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
