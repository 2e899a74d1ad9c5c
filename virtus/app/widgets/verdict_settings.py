"""How a photo is to be judged: what several tabs let visitors set alike."""

from __future__ import annotations

from functools import partial
from typing import Any

import gradio as gr

from virtus.app.visitors import Detectors
from virtus.checkpoints import bundled_words, split_label

CHOOSER_INFO = "Others, and any Hub id owner/name, are fetched from the Hugging Face Hub."
FAKE_INFO = "This checkpoint does not say it, and it is not guessed: see what its publisher says."
PRIOR_INFO = "How many of a hundred photos like this one do you expect to be fake? Number and outcome go by it."
STABILITY_INFO = "Saved as JPEG, halved, mirrored, cropped: does the verdict hold? Takes seven times as long."
WHOLE_INFO = "For ready-made face crops: judge the picture as it is, without looking for faces."


def checkpoint_chooser(detectors: Detectors, *, elem_id: str, value: str | None = None) -> gr.Dropdown:
    """One of the known checkpoints, or any Hub id. Where its labels do not say which is fake, a choice appears.

    What is chosen there stands behind the name, so that the value of this component says all. It changes by `change`.
    """
    chooser = gr.Dropdown(
        detectors.names,
        value=value or detectors.default,
        label="Checkpoint",
        info=" ".join([*bundled_words(), CHOOSER_INFO]),
        allow_custom_value=True,
        elem_id=elem_id,
    )
    fake = gr.Radio(
        [], label="Which of its labels means fake?", info=FAKE_INFO, visible=False, elem_id=f"{elem_id}-fake"
    )
    # Of several quick choices, the last one counts.
    quiet: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last", "show_progress": "hidden"}
    chooser.input(partial(_ask_label, detectors), chooser, fake, api_name=f"{elem_id}_labels", **quiet)
    fake.input(_say_label, [chooser, fake], [chooser, fake], api_name=f"{elem_id}_fake", **quiet)
    return chooser


def _ask_label(detectors: Detectors, name: str) -> gr.Radio:
    """The choice, shown where it is needed. Of a single output it is what a high value means."""
    labels = detectors.unclear_labels(name)
    choices = [(label, str(index)) for index, label in enumerate(labels)]
    choices = choices if len(labels) != 1 else [("a high value means fake", "0"), ("a high value means real", "none")]
    return gr.Radio(choices, value=None, visible=bool(choices))


def _say_label(name: str, label: str) -> tuple[str, gr.Radio]:
    return f"{split_label(name.strip())[0]}#{label}", gr.Radio(visible=False)


def expected_share(prior: float, *, elem_id: str, info: str = PRIOR_INFO) -> gr.Slider:
    """The prior: share of fakes that is expected."""
    return gr.Slider(0.01, 0.99, prior, step=0.01, label="Expected share of fakes", info=info, elem_id=elem_id)


def add_verdict_settings(whole: bool, prior: float, *, prefix: str = "") -> tuple[gr.Checkbox, gr.Checkbox, gr.Slider]:
    """Switches for the whole image and for stability, and the prior.

    Args:
        whole, prior: at first.
        prefix: of the elements' ids, which are the tab Analyze's without one.
    """
    switch = gr.Checkbox(value=whole, label="Whole image", info=WHOLE_INFO, elem_id=f"{prefix}whole")
    with gr.Accordion("Settings of the verdict", open=False, elem_id=f"{prefix}settings"):
        stability = gr.Checkbox(
            value=False, label="Judge again under small changes", info=STABILITY_INFO, elem_id=f"{prefix}stability"
        )
        share = expected_share(prior, elem_id=f"{prefix}prior")
    return switch, stability, share
