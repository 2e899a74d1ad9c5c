"""The tab `Video`: a clip in; a verdict for each person, p of each frame, the most telling frame explained."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr

from virtus.app.video import view as video_panels
from virtus.app.video.callbacks import VideoCallbacks
from virtus.app.visitors import KEEP_S, Detectors, on_gpu
from virtus.app.widgets import FADE_IN, Taken, add_drop_zone, checkpoint_chooser, expected_share
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
PRIVATE = {"api_visibility": "private", "trigger_mode": "always_last"}


@dataclass(frozen=True)
class _Question:
    """What is asked: a clip, of whom, and how."""

    clip: gr.HTML
    model: gr.Dropdown
    frames: gr.Slider
    prior: gr.Slider


@dataclass(frozen=True)
class _Answer:
    """What is shown for a clip."""

    verdict: gr.HTML
    checkpoint: gr.HTML
    person: gr.Radio
    kept: gr.State
    strip: gr.HTML
    telling: gr.HTML
    trust: gr.HTML
    test: gr.Button


def add_video_tab(detectors: Detectors, *, prior: float) -> None:
    """Add the tab's components and events to the Blocks that are being built."""
    callbacks = VideoCallbacks(detectors)
    with gr.Row(elem_classes="columns"):
        with gr.Column(scale=2, min_width=300, elem_classes="ask"):
            question = _add_question(detectors, prior)
        with gr.Column(scale=3, min_width=300, elem_classes="answer"):
            answer = _add_answer(callbacks)
    _wire(callbacks, question, answer)


def _add_question(detectors: Detectors, prior: float) -> _Question:
    clip = add_drop_zone(CLIP, elem_id="clip", result="video-verdict")
    model = checkpoint_chooser(detectors, elem_id="video-model")
    with gr.Accordion("Settings of the verdict", open=False, elem_id="video-settings"):
        frames = gr.Slider(8, 96, NUM_FRAMES, step=8, label="Frames", info=FRAMES_INFO, elem_id="video-frames")
        share = expected_share(prior, elem_id="video-prior", info=PRIOR_INFO)
    return _Question(clip, model, frames, share)


def _add_answer(callbacks: VideoCallbacks) -> _Answer:
    checkpoint = gr.HTML(callbacks.checkpoint_line(), elem_id="video-checkpoint")
    verdict = gr.HTML(video_panels.empty_panel(), elem_id="video-verdict")
    person = gr.Radio([], label="Person", info="Seen in most frames first.", visible=False, elem_id="person")
    strip = gr.HTML(elem_id="filmstrip", js_on_load=SCRIPT.read_text(encoding="utf-8") + FADE_IN)
    telling = gr.HTML(elem_id="telling")
    test = gr.Button("Is this map better than chance?", visible=False, elem_id="video-test")
    trust = gr.HTML(elem_id="video-trust")
    return _Answer(verdict, checkpoint, person, gr.State(time_to_live=KEEP_S), strip, telling, trust, test)


def _wire(callbacks: VideoCallbacks, question: _Question, answer: _Answer) -> None:
    """These serve the page; `endpoints/video.py` serves programs."""
    asked = [question.clip, question.model, question.frames, question.prior]
    asking = [question.clip.upload, question.clip.clear, question.model.input]
    asking += [question.frames.release, question.prior.release]
    about = [answer.strip, answer.telling, answer.trust, answer.test]
    shown = [answer.verdict, answer.checkpoint, answer.person, answer.kept, *about]
    own = {"show_progress": "hidden", **PRIVATE}
    gr.on(asking, on_gpu(callbacks.show_clip), asked, shown, api_name="show_clip", **own)
    chosen = [answer.kept, answer.person]
    gr.on(
        answer.person.input, callbacks.choose_person, chosen, [answer.verdict, *about], api_name="choose_person", **own
    )
    test = {"fn": on_gpu(callbacks.test_map), "inputs": chosen, "outputs": answer.trust, **PRIVATE}
    answer.test.click(**test, api_name="test_clip_map")
