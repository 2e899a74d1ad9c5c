"""The panel below the verdict with what the photo's file says of its own origin, from the bytes as they came."""

from __future__ import annotations

import gradio as gr

from virtus.app.visitors import uploaded
from virtus.errors import VirtusError
from virtus.html import provenance_panel
from virtus.media import read_file
from virtus.provenance import read_provenance


def add_provenance_panel(photo: gr.HTML) -> None:
    """Add the panel and its events; it depends on the file alone, and nothing depends on it."""
    shown = gr.HTML(visible=False, elem_id="provenance")
    events = [photo.upload, photo.clear]
    gr.on(events, show_provenance, photo, shown, api_name="show_provenance", api_visibility="private",
          trigger_mode="always_last", show_progress="hidden")  # fmt: skip


def show_provenance(file: dict | None) -> gr.HTML:
    """The panel of this photo; none without a photo. Why a file cannot be read, the verdict's panel says."""
    if not file:
        return gr.HTML("", visible=False)
    try:
        return gr.HTML(provenance_panel(read_provenance(read_file(uploaded(file)))), visible=True)
    except VirtusError:
        return gr.HTML("", visible=False)
