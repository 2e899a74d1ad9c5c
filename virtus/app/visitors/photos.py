"""From an upload to verdicts, maps and comparisons: what tabs and API share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors.detectors import Detectors
from virtus.app.visitors.sessions import KeptFaces, KeptPhoto, KeptPhotos
from virtus.app.visitors.slots import judging_slot
from virtus.errors import CheckpointError, ImageError, InputError
from virtus.judging import (
    Comparison,
    analyze_photo,
    check_comparable,
    check_names,
    explain_faces,
    read_item,
    unreadable,
)
from virtus.media import ArchivedFile, load_image
from virtus.results import FaceReport, ImageReport, Label

if TYPE_CHECKING:
    from virtus.checkpoints import Detector, TrunkState
    from virtus.explain import Fill, MaskJudge

NUM_AT_ONCE = 8  # calls of each endpoint that are taken
MAX_WAITING = 128  # calls for which there is no place yet: at ten photos a second the last one waits 13 s
PHOTOS = KeptPhotos()


@dataclass(frozen=True)
class JudgedPhoto:
    """A photo (None where it could not be read) and its report.

    Attributes:
        faces: what is kept of them; None where nothing is.
    """

    photo: Image.Image | None
    report: ImageReport
    faces: KeptFaces | None = None

    def state_of(self, detector: Detector, index: int) -> TrunkState:
        """What explainers take, of the face with this index, which was judged."""
        number = self._number_of(index)
        return self._kept.state_of(detector, number, number + 1)

    def erasing_judge(self, detector: Detector, index: int, fill: Fill) -> MaskJudge:
        """Judges the face with this index, which was judged, without some of its patches. In a judging slot."""
        return self._kept.erasing_judge(detector, self._number_of(index), fill)

    def explained(
        self,
        detector: Detector,
        methods: Sequence[str],
        *,
        target: Label | str | None = None,
        num_mapped: int | None = None,
    ) -> JudgedPhoto:
        """The same, with a map by each method in each judged face, or in so many of the largest.

        Raises:
            InputError: for a method or target that there is not.
        """
        if not methods or self.photo is None:
            return self
        num_judged = sum(face.crop is not None for face in self.report.faces)
        state = self._kept.state_of(detector, 0, num_judged if num_mapped is None else min(num_mapped, num_judged))
        return replace(self, report=explain_faces(self.report, state, methods=methods, target=target))

    def _number_of(self, index: int) -> int:
        """Among the judged faces."""
        return sum(face.crop is not None for face in self.report.faces[:index])

    @property
    def _kept(self) -> KeptFaces:
        if self.faces is None:
            raise ValueError("of this photo nothing was kept")
        return self.faces


def judge_photo(
    detector: Detector, source: Path | ArchivedFile, *, whole: bool, stability: bool = False
) -> JudgedPhoto:
    """The report of an uploaded file, or of one in an uploaded zip; one that is no picture is `unreadable`.

    What came of the photo before is not done again. The report is without the path: that is the server's, and Gradio's
    client would try to fetch any object with a path.

    Raises:
        InputError: if the upload is no longer there, or the visitor left before it was their turn.
    """
    with PHOTOS.opened(source) as kept:
        return _judge(kept, detector, whole, stability)


def judge_photo_once(
    detector: Detector, source: Path | ArchivedFile, *, whole: bool, stability: bool = False
) -> JudgedPhoto:
    """The same of one of many photos, of which nothing is kept."""
    with judging_slot():
        try:
            photo = load_image(read_item(source))
        except ImageError as exc:
            return JudgedPhoto(None, unreadable(detector, str(exc)))
        return JudgedPhoto(photo, analyze_photo(detector, photo, whole=whole, stability=stability))


def face_of(report: ImageReport, index: int) -> FaceReport:
    """One face of a report, counted from 0.

    Raises:
        InputError: if there is none with that number.
    """
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(report.faces):
        raise InputError(f"There is no face {index!r}: the photo has {len(report.faces)}, counted from 0.")
    return report.faces[index]


@dataclass(frozen=True)
class AskedCheckpoint:
    """What a checkpoint says of a photo, or why it cannot be asked.

    Attributes:
        name: that was asked for.
        detector, judged: None where it cannot be asked; `error` then says why.
    """

    name: str
    detector: Detector | None = None
    judged: JudgedPhoto | None = None
    error: str = ""


@dataclass(frozen=True)
class ComparedPhoto:
    """A photo (None where it could not be read, or nobody was asked) and an answer for each checkpoint."""

    photo: Image.Image | None
    answers: tuple[AskedCheckpoint, ...]

    @property
    def comparison(self) -> Comparison:
        """Of those that could be asked."""
        return Comparison(tuple(answer.judged.report for answer in self.answers if answer.judged))


def compare_checkpoints(
    detectors: Detectors,
    names: Sequence[str],
    path: Path,
    *,
    prior: float,
    whole: bool = False,
    stability: bool = False,
    methods: Sequence[str] = (),
    target: Label | str | None = None,
) -> ComparedPhoto:
    """Ask several checkpoints about an uploaded file. One that cannot be loaded does not stop the others.

    Args:
        methods, target: of the maps; by default none are drawn, and each checkpoint explains the class it predicts.

    Raises:
        InputError: for no name, too many, or a checkpoint twice; for a prior or anything asked that there is not.
    """
    check_names(names)
    answers = [_ask(detectors, name, prior) for name in names]
    asked = [answer.detector for answer in answers if answer.detector]
    if not asked:
        return ComparedPhoto(None, tuple(answers))
    check_comparable(asked)
    with PHOTOS.opened(path) as kept:
        for number, answer in enumerate(answers):
            if answer.detector:
                judged = _judge(kept, answer.detector, whole, stability)
                judged = judged.explained(answer.detector, methods, target=target)
                answers[number] = replace(answer, judged=judged)
    photo = next(answer.judged.photo for answer in answers if answer.judged)
    return ComparedPhoto(photo, tuple(answers))


def _ask(detectors: Detectors, name: str, prior: float) -> AskedCheckpoint:
    try:
        return AskedCheckpoint(name, detectors.get(name).at_prior(prior))
    except CheckpointError as exc:
        return AskedCheckpoint(name, error=str(exc))


def _judge(kept: KeptPhoto, detector: Detector, whole: bool, stability: bool) -> JudgedPhoto:
    try:
        report, faces = kept.judge(detector, whole=whole, stability=stability)
    except ImageError as exc:
        return JudgedPhoto(None, unreadable(detector, str(exc)))
    return JudgedPhoto(kept.photo, report, faces)
