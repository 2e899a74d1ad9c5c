"""What happens in the tab `Video`: a clip is judged frame by frame, then its persons are looked at."""

from __future__ import annotations

from collections.abc import Iterator

import gradio as gr

from virtus.app.video import view as video_panels
from virtus.app.visitors import Detectors, KeptClip, hold_against_chance, keep_clip, uploaded, watch
from virtus.app.widgets import panels
from virtus.errors import VirtusError
from virtus.explain import DEFAULT_METHOD
from virtus.html import face_words, not_judged, person_verdict, trust_line
from virtus.video import JudgedClip, Progress, VideoReport


class VideoCallbacks:
    """The callbacks, with the detectors that they share.

    They answer with the verdict, the checkpoint line, the choice of persons, what is kept, the frames, the map, its
    trust line, and whether it can be tested.
    """

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def checkpoint_line(self, model: str = "auto") -> str:
        """The line that says who judges."""
        return panels.checkpoint(self._detectors.info(model))

    def show_clip(self, file, model: str, num_frames: int, prior: float) -> Iterator[tuple]:
        """How far it is, again and again; at last the verdict on the person who decides."""
        try:
            line = self.checkpoint_line(model)
            if file is None:
                yield video_panels.empty_panel(), line, *_nothing()
                return
            detector = self._detectors.get(model).at_prior(prior)
            for step in watch(detector, uploaded(file), num_frames=int(num_frames), methods=[DEFAULT_METHOD]):
                if isinstance(step, Progress):
                    yield video_panels.progress(step.done, step.total), line, *_nothing()
                else:
                    yield _shown(step, model, line)
        except VirtusError as exc:
            yield panels.message("This clip could not be judged", str(exc), "error"), gr.skip(), *_nothing()

    def choose_person(self, kept: KeptClip | None, index: int | None) -> tuple:
        """Verdict, frames, map, and its trust line, of another person."""
        if kept is None or index not in range(len(kept.report.persons)):
            return gr.skip(), gr.skip(), gr.skip(), gr.skip(), gr.skip()
        return person_verdict(kept.report, index), *_about(kept, index)

    def test_map(self, kept: KeptClip | None, index: int | None) -> str:
        """Whether the map of the most telling frame is better than chance."""
        if kept is None or not (person := kept.report.persons[index or 0]).explanations:
            return ""
        try:
            crop = person.key_frame.face.crop
            measured = hold_against_chance(self._detectors.get(kept.model), crop, list(person.explanations))
            return trust_line(measured[0])
        except VirtusError as exc:
            return panels.message("This map could not be tested", str(exc), "error")


def _shown(judged: JudgedClip, model: str, line: str) -> tuple:
    report = judged.report
    if report.decisive_person is None:
        return not_judged(report), line, *_nothing()
    kept, index = keep_clip(judged, model), report.persons.index(report.decisive_person)
    verdict, strip, drawn, trust, button = person_verdict(report, index), *_about(kept, index)
    return verdict, line, _chooser(report, index), kept, strip, drawn, trust, button


def _about(kept: KeptClip, index: int) -> tuple:
    """The frames, the map, no trust line yet, and whether there is a map to test."""
    person = kept.report.persons[index]
    return kept.strip(index), video_panels.key_frame(person), "", gr.Button(visible=bool(person.explanations))


def _nothing() -> tuple:
    return gr.Radio([], value=None, visible=False), None, "", "", "", gr.Button(visible=False)


def _chooser(report: VideoReport, index: int) -> gr.Radio:
    choices = [(f"{at + 1}  {face_words(person)}", at) for at, person in enumerate(report.persons)]
    return gr.Radio(choices, value=index, visible=len(choices) > 1)
