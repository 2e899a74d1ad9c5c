"""What happens in the tab `Explore`: a face that was judged is opened, and judged again without some of its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gradio as gr

from virtus.app.explore.erasing import ErasedFace, read_question, reopened
from virtus.app.explore.opened import NOT_OPEN, NOTHING_OPEN, ExploreInputs, OpenedFace
from virtus.app.explore.view import face_value
from virtus.app.maps import write_exploration
from virtus.app.visitors import Detectors, JudgedPhoto, face_of
from virtus.checkpoints import at_prior
from virtus.drawing import fit_display, jpeg_uri
from virtus.errors import VirtusError
from virtus.html import face_words, message_panel, not_judged, render_part

if TYPE_CHECKING:
    from markupsafe import Markup

    from virtus.checkpoints import Detector
    from virtus.judging import Exploration
    from virtus.results import FaceCrop, FaceReport, ImageReport

BESIDE = {"nothing": "nothing", "face": "another face", "photo": "another photo", "model": "another checkpoint"}
NO_OTHER = "This photo has no other face that can be explored."
AMONG = "of several real faces one is likelier to look fake"
OTHER_PHOTO = "Give it below, at the foot of the page: a forgery beside its original, say."
MISNAMED = ("cut_off", "turned_away")  # cautions about a face whose landmarks are not to be relied on
PICTURE_SIDE = 88  # px, of faces to choose from


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
        elif inputs.is_uploading:
            yield _nothing(render_part("explore.html", "arriving"))
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

    def make_files(self, opened: OpenedFace | None, made: MadeFiles | None = None) -> MadeFiles:
        """The arrays and the film of rollout; those that were made of this face before, where they are still there."""
        key = opened.key if opened else ""
        try:
            if made is not None and made.key == key and made.files and all(file.exists() for file in made.files):
                return made  # a double click
            face = reopened(self._detectors, opened)
            return MadeFiles(key, write_exploration(_explore(face.detector, face.judged, face.index)))
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
        is_open, is_small = opened is not None, opened is not None and opened.index is None
        is_missing = kind == "face" and opened is not None and not opened.others
        kind = "nothing" if is_missing else kind
        is_pair = kind != "nothing"
        shown = [kind == "photo", kind == "model", is_pair and not is_small, is_open and not is_small]
        tools, columns = gr.Accordion(visible=is_open or is_pair), (gr.Column(visible=visible) for visible in shown)
        return tools, _kinds(opened, is_missing), *columns, "", *(gr.DownloadButton(visible=False),) * 2

    def another(self, model: str) -> str:
        """The first checkpoint on offer that is not this one."""
        return next(name for name in self._detectors.names if name != model)

    def show_kind(self, kind: str, opened: OpenedFace | None, model: str) -> tuple[Any, ...]:
        """`show_controls`, and the other checkpoint that is offered: not that by which the face is open."""
        is_same = kind == "model" and opened is not None and opened.inputs.model == model
        return *self.show_controls(kind, opened), self.another(model) if is_same else gr.skip()

    def open_beside(
        self, kind: str, opened: OpenedFace | None, photo: dict | None, model: str
    ) -> Iterator[ExploreOutputs]:
        """What is wanted beside an open face: another one of the photo, that of another photo, or by another judge."""
        if kind == "nothing" or (opened is not None and opened.index is None):  # what to do is said of that one
            yield _nothing("")
        elif opened is None:  # there was no face, or it was open for too long
            yield _nothing(message_panel("Nothing is open", NOTHING_OPEN, "none"))
        elif kind == "photo" and not photo:
            yield _nothing(message_panel("The other photo", OTHER_PHOTO, "none"))
        else:
            yield ExploreOutputs(render_part("explore.html", "opening"), *(gr.skip(),) * 3)
            yield self._open_other(kind, opened, photo, model)

    def _open_other(self, kind: str, opened: OpenedFace, photo: dict | None, model: str) -> ExploreOutputs:
        if kind == "photo":
            return self._open(replace(opened.inputs, photo=photo, index=None))
        if kind == "model":
            return self._open_by_another(opened, model)
        if not opened.others:
            return _nothing(message_panel("No other face", NO_OTHER, "none"))
        return self._open(replace(opened.inputs, index=opened.others[0]))

    def _open_by_another(self, opened: OpenedFace, model: str) -> ExploreOutputs:
        if model == opened.inputs.model:
            words = "Choose another one below, at the foot of the page: by this one the face is open already."
            return _nothing(message_panel("The other checkpoint", words, "none"))
        return self._open(replace(opened.inputs, model=model, index=opened.index))

    def _open(self, inputs: ExploreInputs) -> ExploreOutputs:
        try:
            detector, judged = inputs.judge(self._detectors)
            report, index = judged.report, inputs.index
            index = report.decided_by if index is None else index
            if index is None:
                return _nothing(not_judged(report) + render_part("explore.html", "to_analyze"))
            if (crop := face_of(report, index).crop) is None:
                return _too_small(inputs, report, index)
            value = _value(detector, judged, index, crop, inputs.names_of(index))
            others = tuple(at for at in _explorable(report) if at != index)
            opened = OpenedFace(replace(inputs, index=index), index, value["key"], others)
            return ExploreOutputs(_pictures(report), _choice(report, index), gr.HTML(value, visible=True), opened)
        except VirtusError as exc:
            return _nothing(message_panel("This face cannot be explored", str(exc), "error"))

    def _reopen(self, opened: OpenedFace | None, key: str) -> ErasedFace:
        return reopened(self._detectors, opened if opened is not None and opened.key == key else None)


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
    return face_value(
        exploration,
        filling_pictures(detector, crop),
        names,
        title=f"{which}{face_words(face)}",
        said=f"{report.checkpoint.name} gives {_why(report, face, exploration)}{_misnamed(face)}",
        python=f'virtus.explore("photo.jpg", {which_one}, model="{report.checkpoint.name}")',
    )


def _why(report: ImageReport, face: FaceReport, exploration: Exploration) -> str:
    """p, and the thresholds; where more than these makes the outcome, the reason, which names what it needs of them."""
    given = f"p = {face.p_fake:.3f} of fake"
    if face.reason:
        return f"{given}. {face.reason}"
    alone = at_prior(report.checkpoint.calibration, report.prior).fake_above
    fake = "no p of such a bystander is fake"
    if exploration.fake_above <= 1:
        fake = f"fake from {exploration.fake_above:.2f} on"
        fake += f" ({alone:.2f} if it were alone: {AMONG})" if exploration.fake_above > alone else ""
    return f"{given}: real below {exploration.real_below:.2f}, {fake}."


def _misnamed(face: FaceReport) -> str:
    """What to make of the names of parts, where landmarks are not to be relied on."""
    doubts = [caution.sentence.partition(".")[0] for caution in face.cautions if caution.name in MISNAMED]
    return f" {' and '.join(doubts)}: its parts may be named wrongly." if doubts else ""


def _kinds(opened: OpenedFace | None, is_missing: bool) -> gr.Radio:
    """What can be set beside the open face: without "another face" where there is none, and why; nothing is set there
    where that is missing that was. Else the choice stays as it was clicked."""
    is_alone = opened is not None and not opened.others
    kinds = [(words, name) for name, words in BESIDE.items() if not (is_alone and name == "face")]
    chosen: dict[str, Any] = {"value": "nothing"} if is_missing else {}
    return gr.Radio(kinds, info=NO_OTHER if is_alone else "", **chosen)


def _explorable(report: ImageReport) -> list[int]:
    return [at for at, face in enumerate(report.faces) if face.crop is not None]


def _choice(report: ImageReport, index: int | None) -> gr.Radio:
    """Of the faces that can be explored; also of a single one, where another is asked for."""
    choices = [(f"{at + 1}  {face_words(report.faces[at])}", at) for at in _explorable(report)]
    return gr.Radio(choices, value=index, visible=len(choices) > (index is not None))


def _pictures(report: ImageReport) -> Markup:
    """Of the faces in that choice."""
    crops = [crop for face in report.faces if (crop := face.crop) is not None]
    pictures = [jpeg_uri(fit_display(crop.image, side=PICTURE_SIDE)) for crop in crops]
    return render_part("explore.html", "faces", pictures=json.dumps(pictures))


def _too_small(inputs: ExploreInputs, report: ImageReport, index: int) -> ExploreOutputs:
    """Why there is nothing to explore of this face, and the faces that can be."""
    others = _explorable(report)
    then = "Choose another face here." if others else "Give a larger photo in the tab Analyze."
    title = f"Face {index + 1} of {len(report.faces)} is too small to be judged"
    note = message_panel(title, f"So there is nothing to explore of it. {then}", report.faces[index].outcome)
    opened = OpenedFace(inputs, None, "", tuple(others[1:]))
    return ExploreOutputs(note + _pictures(report), _choice(report, None), gr.HTML(None, visible=False), opened)


def _nothing(note: Any) -> ExploreOutputs:
    return ExploreOutputs(note, gr.Radio([], value=None, visible=False), gr.HTML(None, visible=False), None)
