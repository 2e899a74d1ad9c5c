"""What happens in the tab `Video`: a clip is judged frame by frame, then its persons are looked at."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import gradio as gr

from virtus.app.maps import tell_test
from virtus.app.video.view import empty_panel, key_frame, progress
from virtus.app.visitors import Detectors, KeptClip, keep_clip, stop_event, uploaded, watch
from virtus.app.widgets import no_offer, offer_faster
from virtus.errors import InputError, VirtusError
from virtus.explain import DEFAULT_METHOD
from virtus.html import checkpoint_line, face_words, message_panel, not_judged, person_verdict
from virtus.video import JudgedClip, Progress, VideoReport

NOT_KEPT = "The clip is no longer kept here. Give it again."
SHOW = "show_clip"  # the event


@dataclass(frozen=True)
class VideoInputs:
    """What a visitor asks of a clip: the values of the tab's components for that, in their order."""

    clip: dict | None
    model: str
    num_frames: float
    prior: float


class VideoCallbacks:
    """The callbacks, with the detectors that they share.

    They answer with the verdict, the checkpoint line, the choice of persons, what is kept, the frames, the map, its
    trust line, and whether it can be tested; `show_clip` also with the offer of a faster checkpoint.
    """

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def checkpoint_line(self, model: str = "auto") -> str:
        """The line that says who judges."""
        return checkpoint_line(self._detectors.info(model))

    async def stop(self, clip: dict | None, request: gr.Request) -> None:  # noqa: ARG002 - each event has inputs
        """End what is judged for other inputs. The page holds `show_clip` back until then."""
        await stop_event(request.session_hash, SHOW)

    def show_clip(self, inputs: VideoInputs) -> Iterator[tuple]:
        """How far it is, again and again; at last the verdict on the person who decides."""
        try:
            line = self.checkpoint_line(inputs.model)
            if not inputs.clip:  # Gradio makes "" of a value that was taken away
                yield empty_panel(), line, *_no_persons(), no_offer()
                return
            detector, path = self._detectors.get(inputs.model).at_prior(inputs.prior), uploaded(inputs.clip)
            begun = time.monotonic()
            for step in watch(detector, path, num_frames=int(inputs.num_frames), methods=[DEFAULT_METHOD]):
                if isinstance(step, Progress):
                    passed_s = time.monotonic() - begun
                    offer = offer_faster(detector, done=step.done, total=step.total, seconds=passed_s)
                    yield progress(step.done, step.total), line, *_no_persons(), offer
                else:
                    yield *_clip(step, inputs.model, line), no_offer()
        except VirtusError as exc:
            failed = message_panel("This clip could not be judged", str(exc), "error")
            yield failed, gr.skip(), *_no_persons(), no_offer()

    def choose_person(self, kept: KeptClip | None, index: int | None) -> tuple:
        """Verdict, frames, map, and its trust line, of another person."""
        try:
            shown = _shown(kept, index)
            return (person_verdict(shown[0].report, shown[1]), *_person(*shown)) if shown else (gr.skip(),) * 5
        except VirtusError as exc:
            return message_panel("This person cannot be shown", str(exc), "error"), *_no_person()

    def test_map(self, kept: KeptClip | None, index: int | None) -> Iterator[str]:
        """Whether the map of the key frame is better than chance, in steps: once it is not shown, no more of them."""
        try:
            shown = _shown(kept, index)
            yield from self._test(*shown) if shown else ("",)
        except VirtusError as exc:
            yield message_panel("This map could not be tested", str(exc), "error")

    def _test(self, kept: KeptClip, index: int) -> Iterator[str]:
        person = kept.report.persons[index]
        crop = person.key_frame.face.crop if person.key_frame else None
        if crop is None or not person.explanations:
            yield ""
            return
        name = f"This map of person {index + 1}" if len(kept.report.persons) > 1 else "This map"
        yield from tell_test(self._detectors.get(kept.model), crop, person.explanations[0], name)


def _clip(judged: JudgedClip, model: str, line: str) -> tuple:
    report = judged.report
    if report.decisive_person is None:
        return not_judged(report), line, *_no_persons()
    kept, index = keep_clip(judged, model), report.persons.index(report.decisive_person)
    return person_verdict(report, index), line, _chooser(report, index), kept, *_person(kept, index)


def _shown(kept: KeptClip | None, index: int | None) -> tuple[KeptClip, int] | None:
    """The clip and which of its persons is chosen; None where the page has none, or that of another clip.

    Raises:
        InputError: if the clip is no longer kept.
    """
    if index is None:
        return None
    if kept is None:
        raise InputError(NOT_KEPT)
    return (kept, index) if index in range(len(kept.report.persons)) else None


def _person(kept: KeptClip, index: int) -> tuple:
    """The frames, the map, no trust line yet, and whether there is a map to test."""
    person = kept.report.persons[index]
    return kept.strip(index), key_frame(person), "", gr.Button(visible=bool(person.explanations))


def _no_persons() -> tuple:
    return gr.Radio([], value=None, visible=False), None, *_no_person()


def _no_person() -> tuple:
    return "", "", "", gr.Button(visible=False)


def _chooser(report: VideoReport, index: int) -> gr.Radio:
    choices = [(f"{at + 1}  {face_words(person)}", at) for at, person in enumerate(report.persons)]
    return gr.Radio(choices, value=index, visible=len(choices) > 1)
