"""The tab `Video`: a clip in; a verdict for each person, p of each frame, the most telling frame explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from virtus.app.video.callbacks import SHOW, VideoCallbacks, VideoInputs
from virtus.app.video.view import empty_panel
from virtus.app.visitors import KEEP_S, Detectors, ending, on_gpu, until_stopped
from virtus.app.widgets import (
    FADE_IN,
    Taken,
    add_drop_zone,
    checkpoint_chooser,
    expected_share,
    faster_button,
    taking,
    taking_fast,
)
from virtus.bundled import ASSETS
from virtus.media import VIDEO_SUFFIXES
from virtus.video import MAX_CLIP_BYTES, MAX_CLIP_S, NUM_FRAMES

SCRIPT = ASSETS / "scripts" / "filmstrip.js"
CLIP = Taken(
    "Drop a clip here",
    f"MP4, MOV, WebM or MKV, at most {MAX_CLIP_S / 60:.0f} minutes",
    ",".join(["video/*", *sorted(VIDEO_SUFFIXES)]),
    max_bytes=MAX_CLIP_BYTES,
    max_file_bytes=MAX_CLIP_BYTES,
)
FRAMES_INFO = "Evenly spaced in time. More take longer and follow people better; they make no verdict surer."
PRIOR_INFO = "How many of a hundred clips like this one do you expect to be fake? Numbers and outcomes go by it."
TEST = "test_clip_map"  # the event: of a map that is not shown any more it says nothing
PRIVATE: dict[str, Any] = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class VideoControls:
    """What is asked: a clip, of whom, and how (the values of these are `VideoInputs`); and to go faster."""

    clip: gr.HTML
    model: gr.Dropdown
    frames: gr.Slider
    prior: gr.Slider
    faster: gr.Button

    @property
    def components(self) -> list[Any]:
        return [self.clip, self.model, self.frames, self.prior]

    @property
    def changes(self) -> list[Any]:
        """Events after which another verdict is due."""
        given: list[Any] = [self.clip.upload, self.clip.clear]
        return [*given, self.model.change, self.frames.release, self.prior.release]


@dataclass(frozen=True)
class VideoPanels:
    """What is shown for a clip."""

    verdict: gr.HTML
    checkpoint: gr.HTML
    person: gr.Radio
    kept: gr.State
    strip: gr.HTML
    key_frame: gr.HTML
    trust: gr.HTML
    test: gr.Button


def add_video_tab(detectors: Detectors, *, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    callbacks = VideoCallbacks(detectors)
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            controls = _add_controls(detectors, prior)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            shown = _add_panels(callbacks)
    _wire(callbacks, controls, shown)


def _add_controls(detectors: Detectors, prior: float) -> VideoControls:
    clip = add_drop_zone(CLIP, elem_id="clip", result="video-verdict")
    faster = faster_button(elem_id="video-faster")
    model = checkpoint_chooser(detectors, elem_id="video-model")
    with gr.Accordion("Settings of the verdict", open=False, elem_id="video-settings"):
        frames = gr.Slider(8, 96, NUM_FRAMES, step=8, label="Frames", info=FRAMES_INFO, elem_id="video-frames")
        share = expected_share(prior, elem_id="video-prior", info=PRIOR_INFO)
    return VideoControls(clip, model, frames, share, faster)


def _add_panels(callbacks: VideoCallbacks) -> VideoPanels:
    checkpoint = gr.HTML(callbacks.checkpoint_line(), elem_id="video-checkpoint")
    verdict = gr.HTML(empty_panel(), elem_id="video-verdict")
    person = gr.Radio([], label="Person", info="Seen in most frames first.", visible=False, elem_id="person")
    strip = gr.HTML(elem_id="filmstrip", js_on_load=SCRIPT.read_text(encoding="utf-8") + FADE_IN)
    key_frame = gr.HTML(elem_id="telling")
    test = gr.Button("Is this map better than chance?", visible=False, elem_id="video-test")
    trust = gr.HTML(elem_id="video-trust")
    return VideoPanels(verdict, checkpoint, person, gr.State(time_to_live=KEEP_S), strip, key_frame, trust, test)


def _wire(callbacks: VideoCallbacks, controls: VideoControls, shown: VideoPanels) -> None:
    """These serve the page; `virtus.app.api` serves programs."""
    of_person = [shown.strip, shown.key_frame, shown.trust, shown.test]
    of_clip = [shown.verdict, shown.checkpoint, shown.person, shown.kept, *of_person, controls.faster]
    quiet: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
    at_once: dict[str, Any] = {**quiet, "trigger_mode": "multiple"}
    show = ending([TEST], on_gpu(taking(VideoInputs, callbacks.show_clip)))
    show = until_stopped(show, instead=gr.skip())  # the verdict on a clip that was just taken away, else
    # Both by one event, the page might send a stop after the very clip that it is to make way for.
    changed = gr.on(controls.changes, callbacks.stop, controls.clip, api_name="stop_clip", **at_once)
    changed.then(show, controls.components, of_clip, api_name=SHOW, **quiet)
    # The chooser has changed then, which shows the clip anew.
    other = [controls.model, controls.faster]
    controls.faster.click(taking_fast(SHOW), controls.model, other, api_name="take_fast_clip", **quiet)
    chosen, outputs = [shown.kept, shown.person], [shown.verdict, *of_person]
    choose = ending([TEST], callbacks.choose_person)
    shown.person.input(choose, chosen, outputs, api_name="choose_person", **quiet)
    test = until_stopped(on_gpu(callbacks.test_map), instead="")  # it would stand beside another map
    shown.test.click(test, chosen, shown.trust, api_name=TEST, **quiet)
