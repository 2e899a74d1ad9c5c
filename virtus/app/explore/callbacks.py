"""What happens in the tab `Explore`: a face that was judged is opened, and judged again without some of its parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from virtus.app.explore.erasing import ErasedFace, read_question
from virtus.app.explore.opened import NOT_OPEN, NOTHING_OPEN, ExploreInputs, OpenedFace
from virtus.app.explore.view import face_value
from virtus.app.maps import write_exploration
from virtus.app.visitors import Detectors, JudgedPhoto, face_of
from virtus.errors import InputError, VirtusError
from virtus.html import face_words, message_panel, not_judged, render_part

if TYPE_CHECKING:
    from virtus.checkpoints import Detector
    from virtus.judging import Exploration
    from virtus.results import FaceCrop, ImageReport


class ExploreOutputs(NamedTuple):
    """What is shown: a note, the choice of faces, the explorer, and what that has open."""

    note: Any
    face: Any
    explorer: Any
    opened: Any

    @property
    def is_as_clicked(self) -> bool:
        """For `leaving_list`: a face is open then."""
        return self.opened is not None


class MadeFiles(NamedTuple):
    """What was made of a face to be kept.

    Attributes:
        key: of the face.
        error: a sentence, where no files could be made.
    """

    key: str
    files: tuple[Path, ...] = ()
    error: str = ""


class ExploreCallbacks:
    """The callbacks, with the detectors that they share."""

    def __init__(self, detectors: Detectors):
        self._detectors = detectors

    def open_face(self, inputs: ExploreInputs, opened: OpenedFace | None) -> Iterator[ExploreOutputs]:
        """The face that Analyze shows; nothing new where it is open already."""
        if opened is not None and opened.inputs == inputs:
            yield ExploreOutputs(*(gr.skip(),) * 4)
        elif not inputs.photo:
            yield _nothing(render_part("explore.html", "empty"))
        else:
            yield ExploreOutputs(render_part("explore.html", "opening"), *(gr.skip(),) * 3)
            yield self._open(inputs)

    def choose_face(self, opened: OpenedFace | None, index: int | None) -> Iterator[ExploreOutputs]:
        """Another face of the photo that is open."""
        if opened is None or index is None:
            yield _nothing(message_panel("Nothing is open", NOT_OPEN, "error"))
            return
        yield ExploreOutputs(render_part("explore.html", "opening"), *(gr.skip(),) * 3)
        shown = self._open(replace(opened.inputs, index=index))
        yield shown._replace(opened=shown.opened and shown.opened._replace(inputs=opened.inputs))

    def flip(self, opened: OpenedFace | None, question: str) -> Iterator[Any]:
        """The fewest patches found without which the verdict turns, step by step: the explorer's `flipping`."""
        try:
            asked = read_question(question)
            for step in self._reopen(opened, asked.key).steps_to_turn(asked):
                yield gr.HTML(flipping={"key": asked.key, **step})
        except VirtusError as exc:
            yield gr.HTML(flipping={"error": str(exc), "done": True})

    def make_files(self, opened: OpenedFace | None) -> MadeFiles:
        """The arrays and the film of rollout."""
        key = opened.key if opened else ""
        try:
            if opened is None:
                raise InputError(NOT_OPEN)
            return MadeFiles(key, write_exploration(_explore(*opened.inputs.judge(self._detectors), opened.index)))
        except VirtusError as exc:
            return MadeFiles(key, error=str(exc))

    def offer_files(self, made: MadeFiles | None, opened: OpenedFace | None) -> tuple[Any, ...]:
        """What is said of them, and the files; nothing of them where another face was opened meanwhile."""
        if made is None or made.key != (opened.key if opened else ""):
            return (gr.skip(),) * 3
        if made.error:
            said = message_panel("No files could be made", made.error, "error")
            return said, *(gr.DownloadButton(visible=False),) * 2
        return "", *(gr.DownloadButton(value=str(file), visible=True) for file in made.files)

    def show_controls(self, kind: str, opened: OpenedFace | None) -> tuple[Any, ...]:
        """What can be set beside an open face: all of it, another photo, another checkpoint, the place for it; what can
        be kept, and none of what was made to keep of a face before."""
        is_open, is_pair = opened is not None, kind != "nothing"
        shown = [kind == "photo", kind == "model", is_pair, is_open]
        tools, columns = gr.Accordion(visible=is_open or is_pair), (gr.Column(visible=visible) for visible in shown)
        return tools, *columns, "", *(gr.DownloadButton(visible=False),) * 2

    def open_beside(
        self, kind: str, opened: OpenedFace | None, photo: dict | None, model: str
    ) -> Iterator[ExploreOutputs]:
        """What is wanted beside an open face: another one of the photo, that of another photo, or by another judge."""
        if kind == "nothing":
            yield _nothing("")
        elif opened is None:  # there was no face, or it was open for too long
            yield _nothing(message_panel("Nothing is open", NOTHING_OPEN, "none"))
        elif kind == "photo" and not photo:
            yield _nothing(
                message_panel("The other photo", "Give it above: a forgery beside its original, say.", "none")
            )
        else:
            yield ExploreOutputs(render_part("explore.html", "opening"), *(gr.skip(),) * 3)
            yield self._open_other(kind, opened, photo, model)

    def _open_other(self, kind: str, opened: OpenedFace, photo: dict | None, model: str) -> ExploreOutputs:
        if kind == "photo":
            return self._open(replace(opened.inputs, photo=photo, index=None))
        if kind == "model":
            return self._open_by_another(opened, model)
        try:
            faces = opened.inputs.judge(self._detectors)[1].report.faces
        except VirtusError as exc:
            return _nothing(message_panel("This face cannot be explored", str(exc), "error"))
        others = [at for at, face in enumerate(faces) if face.crop is not None and at != opened.index]
        if not others:
            return _nothing(message_panel("No other face", "This photo has one face that can be judged.", "none"))
        return self._open(replace(opened.inputs, index=others[0]))

    def _open_by_another(self, opened: OpenedFace, model: str) -> ExploreOutputs:
        if model == opened.inputs.model:
            words = "Choose another one above: by this one the face is open already."
            return _nothing(message_panel("The other checkpoint", words, "none"))
        return self._open(replace(opened.inputs, model=model, index=opened.index))

    def _open(self, inputs: ExploreInputs) -> ExploreOutputs:
        try:
            detector, judged = inputs.judge(self._detectors)
            report, index = judged.report, inputs.index
            index = report.decided_by if index is None else index
            if index is None or (crop := face_of(report, index).crop) is None:
                return _nothing(not_judged(report))
            value = _value(detector, judged, index, crop, inputs.names_of(index))
            opened = OpenedFace(inputs, index, value["key"])
            return ExploreOutputs("", _choice(report, index), gr.HTML(value, visible=True), opened)
        except VirtusError as exc:
            return _nothing(message_panel("This face cannot be explored", str(exc), "error"))

    def _reopen(self, opened: OpenedFace | None, key: str) -> ErasedFace:
        if opened is None or opened.key != key:
            raise InputError(NOT_OPEN)
        detector, judged = opened.inputs.judge(self._detectors)
        return ErasedFace(detector, judged, opened.index)


def _explore(detector: Detector, judged: JudgedPhoto, index: int) -> Exploration:
    from virtus.judging import explore_face  # torch comes with it

    return explore_face(detector, judged.report, index, judged.state_of(detector, index))


def _value(
    detector: Detector, judged: JudgedPhoto, index: int, crop: FaceCrop, names: tuple[str, str]
) -> dict[str, Any]:
    from virtus.explain import filling_pictures

    report, face = judged.report, judged.report.faces[index]
    exploration = _explore(detector, judged, index)
    which = f"Face {index + 1} of {len(report.faces)} · " if len(report.faces) > 1 else ""
    which_one = f"face={index}" if face.face else "whole=True"
    band = f"real below {exploration.real_below:.2f}, fake from {exploration.fake_above:.2f} on"
    return face_value(
        exploration,
        filling_pictures(detector, crop),
        names,
        title=f"{which}{face_words(face)}",
        said=f"{report.checkpoint.name} gives p = {face.p_fake:.3f} of fake: {band}. {face.reason or ''}",
        python=f'virtus.explore("photo.jpg", {which_one}, model="{report.checkpoint.name}")',
    )


def _choice(report: ImageReport, index: int) -> gr.Radio:
    choices = [(f"{at + 1}  {face_words(face)}", at) for at, face in enumerate(report.faces) if face.crop is not None]
    return gr.Radio(choices, value=index, visible=len(choices) > 1)


def _nothing(note: Any) -> ExploreOutputs:
    return ExploreOutputs(note, gr.Radio([], value=None, visible=False), gr.HTML(None, visible=False), None)
