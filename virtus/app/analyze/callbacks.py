"""What happens in the tab `Analyze` around the verdict. What came of a photo before is not done again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import gradio as gr

from virtus.app.maps import MappedPhoto, key_of, no_photo, show_photo
from virtus.app.visitors import (
    NUM_ANIMATION_FRAMES,
    Detectors,
    JudgedPhoto,
    judge_clip,
    judge_photo,
    key_photo,
    uploaded,
)
from virtus.errors import VirtusError
from virtus.html import (
    animation_verdict,
    checkpoint_line,
    face_verdict,
    face_words,
    message_panel,
    not_judged,
    render_part,
)
from virtus.results import ImageReport


@dataclass(frozen=True)
class AnalyzeInputs:
    """What a visitor asks of a photo: the values of the tab's components for that, in their order."""

    photo: dict | None
    model: str
    whole: bool
    stability: bool
    prior: float


class AnalyzeOutputs(NamedTuple):
    """What is shown for a photo: verdict, who judges, the choice of faces, the frame with the photo, and its maps."""

    verdict: str
    checkpoint: str
    face: Any
    frame: Any
    maps: Any

    @property
    def is_as_clicked(self) -> bool:
        """For `leaving_list`: the photo stays then."""
        return self.frame == gr.skip()


class AnalyzeCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def checkpoint_line(self, model: str = "auto") -> str:
        """The line that says who judges."""
        return checkpoint_line(self._detectors.info(model))

    def show_verdict(self, inputs: AnalyzeInputs, chosen: int | None = None) -> AnalyzeOutputs:
        """The verdict on the chosen face; on the one that decided, where there is none of that number.

        Without a photo, all as at first.
        """
        try:
            if not inputs.photo:  # Gradio makes "" of a value that was taken away
                return _no_photo(render_part("empty.html", "photo"), self.checkpoint_line(inputs.model))
            judged = self._judge(inputs)
            if judged.report.note is not None:
                return self._animation_verdict(inputs)
            detector = self._detectors.get(inputs.model)
            return _verdict(judged, key_of(str(uploaded(inputs.photo)), detector, whole=inputs.whole), chosen)
        except VirtusError as exc:
            return _no_photo(_error(exc), checkpoint_line(None))

    def choose_face(self, inputs: AnalyzeInputs, index: int) -> Iterator[AnalyzeOutputs]:
        """The same of another face, in one step. It may be a face of a photo that another one took the place of."""
        yield self.show_verdict(inputs, index)

    def _animation_verdict(self, inputs: AnalyzeInputs) -> AnalyzeOutputs:
        """On the person who decides, with the most telling of the frames that were judged."""
        detector = self._detectors.get(inputs.model).at_prior(inputs.prior)
        clip = judge_clip(detector, uploaded(inputs.photo), num_frames=NUM_ANIMATION_FRAMES, whole=inputs.whole)
        outputs = _no_photo(animation_verdict(clip.report), checkpoint_line(clip.report.checkpoint))
        person = clip.report.decisive_person
        if person is None or person.key_frame is None:
            return outputs
        return outputs._replace(frame=show_photo(MappedPhoto(*key_photo(clip, person.key_frame), key="")))

    def _judge(self, inputs: AnalyzeInputs) -> JudgedPhoto:
        detector = self._detectors.get(inputs.model).at_prior(inputs.prior)
        return judge_photo(detector, uploaded(inputs.photo), whole=inputs.whole, stability=inputs.stability)


def _error(exc: VirtusError) -> str:
    return message_panel("This did not work", str(exc), "error")


def _verdict(judged: JudgedPhoto, key: str, chosen: int | None) -> AnalyzeOutputs:
    report, line = judged.report, checkpoint_line(judged.report.checkpoint)
    if judged.photo is None:
        return _no_photo(not_judged(report), line)
    if chosen is not None and chosen < len(report.faces):
        # The list is told the face: the answer to another question may have moved it meanwhile.
        return AnalyzeOutputs(face_verdict(report, chosen), line, gr.Radio(value=chosen), gr.skip(), gr.skip())
    at, frame = report.decided_by, show_photo(MappedPhoto(judged.photo, report, key))
    verdict = not_judged(report) if at is None else face_verdict(report, at)
    return AnalyzeOutputs(verdict, line, _face_choice(report, at), frame, gr.Column(visible=at is not None))


def _no_photo(verdict: str, checkpoint: str) -> AnalyzeOutputs:
    nothing = gr.Radio([], value=None, visible=False), no_photo(), gr.Column(visible=False)
    return AnalyzeOutputs(verdict, checkpoint, *nothing)


def _face_choice(report: ImageReport, index: int | None) -> gr.Radio:
    choices = [(f"{number}  {face_words(face)}", number - 1) for number, face in enumerate(report.faces, start=1)]
    return gr.Radio(choices, value=index, visible=index is not None and len(choices) > 1)
