"""Several checkpoints on the same faces, and whether they say the same. Nothing is averaged: each keeps its own p."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from PIL import Image

from virtus.checkpoints import Checkpoint
from virtus.errors import InputError
from virtus.faces import find_faces
from virtus.judging.paths import Item, listed, read_item, reason_of, unreadable
from virtus.judging.photo import analyze_photo
from virtus.media import is_clip, load_image
from virtus.parallel import in_order
from virtus.results import Explanation, FaceReport, ImageReport, Label, Outcome
from virtus.schema import FIRST, As, Key, Row

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

MAX_COMPARED = 4  # more are no longer read side by side, and each is held in memory
NO_CLIPS = "Clips are judged by one checkpoint at a time: give one --model."


class Agreement(StrEnum):
    """What several checkpoints say of one face, taken together.

    `agree`: all say real, or all say fake. `disagree`: one says real and another fake. `undecided`: none contradicts
    another, but at least one is inconclusive.
    """

    AGREE = "agree"
    DISAGREE = "disagree"
    UNDECIDED = "undecided"


UNJUDGED = {Outcome.NO_FACE: "found no face", Outcome.FACE_TOO_SMALL: "found the face too small to be judged"}
GRAVITY = (Agreement.DISAGREE, Agreement.UNDECIDED, Agreement.AGREE)


class ComparedFace(FaceReport):
    """A face as a comparison shows it: with its maps, where there are any."""

    explanations: Annotated[tuple[Explanation, ...], Key(after="reason", when="explanations")]


class ComparedReport(ImageReport):
    """A picture as one of the checkpoints judges it."""

    faces: Annotated[tuple[ComparedFace, ...], Key(after="image_size")]


@dataclass(frozen=True)
class Comparison(Row):
    """What several checkpoints say of one picture.

    Attributes:
        reports: one for each checkpoint, in the order asked for, with the same faces in the same order: face i of one
            is face i of all the others. One that judged the whole picture has that alone, which stands at every face.
    """

    reports: tuple[Annotated[ImageReport, As(ComparedReport)], ...]

    @property
    def path(self) -> Annotated[str | None, Key(after=FIRST)]:
        """Of the picture."""
        return next((report.path for report in self.reports), None)

    @property
    def agreement(self) -> Annotated[Agreement | None, Key(after="path")]:
        """`agree`: all say real, or all say fake. `disagree`: one says real and another fake. `undecided`: one at least
        is inconclusive. Of the face on which they agree least; None where there is nothing to compare.
        """
        return next((agreement for agreement in GRAVITY if agreement in self.by_face), None)

    @property
    def by_face(self) -> Annotated[tuple[Agreement | None, ...], Key(after="agreement")]:
        """The same of each face; None for one that fewer than two checkpoints judged."""
        num_faces = max((len(report.faces) for report in self.reports), default=0)
        return tuple(agreement_of(self.outcomes(index)) for index in range(num_faces))

    def outcomes(self, index: int) -> list[Outcome]:
        """What each checkpoint says of face `index`, counted from 0; `no_face` where it found none."""
        places = [(report, place_in(report, index)) for report in self.reports]
        return [Outcome.NO_FACE if place is None else report.faces[place].outcome for report, place in places]

    def in_words(self, index: int) -> str:
        """Who says what of face `index`, counted from 0."""
        names = [report.checkpoint.name for report in self.reports]
        return say(dict(zip(names, self.outcomes(index), strict=True)))


def place_in(report: ImageReport, index: int) -> int | None:
    """Where a report speaks of face `index` of a comparison; of the whole picture, at every face; None if nowhere."""
    if index < len(report.faces):
        return index
    return 0 if report.faces and report.faces[0].whole_image else None


def agreement_of(outcomes: Iterable[Outcome]) -> Agreement | None:
    """Of what different checkpoints say of one face; None where fewer than two judged it."""
    judged = [outcome for outcome in outcomes if outcome.judged]
    if len(judged) < 2:
        return None
    if Outcome.REAL in judged and Outcome.FAKE in judged:
        return Agreement.DISAGREE
    return Agreement.UNDECIDED if Outcome.INCONCLUSIVE in judged else Agreement.AGREE


def say(outcomes: Mapping[str, Outcome]) -> str:
    """In a sentence, from each checkpoint's outcome by its name: "They disagree: A says real, B says fake." """
    judged = {name: outcome for name, outcome in outcomes.items() if outcome.judged}
    if not judged:
        return "There is nothing to compare: the face is too small to be judged."
    others = [f"{name} {UNJUDGED[outcome]}." for name, outcome in outcomes.items() if not outcome.judged]
    return " ".join([_say_judged(judged), *others])


def _say_judged(outcomes: Mapping[str, Outcome]) -> str:
    agreement = agreement_of(outcomes.values())
    if agreement is Agreement.AGREE:
        return f"They agree: {next(iter(outcomes.values()))}."
    if len(outcomes) > 1 and set(outcomes.values()) == {Outcome.INCONCLUSIVE}:
        return "None of them can tell."
    names = {of: [name for name, outcome in outcomes.items() if outcome is of] for of in outcomes.values()}
    clauses = ", ".join(_clause(names[outcome], outcome) for outcome in names)
    return f"They disagree: {clauses}." if agreement is Agreement.DISAGREE else f"{clauses}."


def compare_photo(
    detectors: Sequence[Detector],
    photo: Image.Image,
    *,
    methods: Sequence[str] = (),
    target: Label | str | None = None,
    whole: bool = False,
    stability: bool = False,
) -> Comparison:
    """Find the faces in an upright RGB picture once; then each checkpoint judges them by its own crop and transform.

    Args:
        detectors: of different checkpoints, `MAX_COMPARED` at most. One alone is compared with nothing.
        methods, target, whole, stability: as in `analyze_photo`. By default each checkpoint explains
            the class that it itself predicts.

    Raises:
        InputError: for no checkpoint, too many, or the same one twice; for a method or target that there is not.
    """
    check_comparable(detectors)
    whole = whole or all(detector.checkpoint.judges_pictures for detector in detectors)
    faces = None if whole else find_faces(photo, min_side=0)
    reports = (
        analyze_photo(detector, photo, methods=methods, target=target, whole=whole, stability=stability, faces=faces)
        for detector in detectors
    )
    return Comparison(tuple(reports))


def compare_paths(
    detectors: Sequence[Detector],
    paths: Iterable[Item],
    *,
    whole: bool = False,
    stability: bool = False,
    jobs: int = 1,
) -> Iterator[Comparison]:
    """Compare on many files, in their order. One that cannot be read has reports with the outcome `unreadable`.

    The faces of the reports have no `crop`.

    Args:
        jobs: threads: see `virtus.judging.paths.analyze_paths`.

    Raises:
        InputError: as `compare_photo`, before the first file is read.
    """
    check_comparable(detectors)
    return in_order(lambda path: _compare_file(detectors, path, whole, stability), paths, jobs=jobs)


def check_names(names: Sequence[str]) -> None:
    """Refuses what need not be loaded to be known as wrong.

    Raises:
        InputError: for none, more than `MAX_COMPARED`, or a name twice.
    """
    if not 0 < len(names) <= MAX_COMPARED:
        raise InputError(f"{len(names)} checkpoints were named. Compare 2 to {MAX_COMPARED}.")
    twice = next((name for at, name in enumerate(names) if name in names[:at]), None)
    if twice is not None:
        raise InputError(f"{twice} was named twice: it would agree with itself. Name different ones.")


def check_comparable(detectors: Sequence[Detector]) -> None:
    """Refuses what cannot stand side by side.

    Raises:
        InputError: as `check_names`; for two checkpoints that judge alike, whatever their names.
    """
    check_names([detector.checkpoint.info.name for detector in detectors])
    for first, second in combinations([detector.checkpoint for detector in detectors], 2):
        if _identity(first) == _identity(second):
            names = f"{first.info.name} and {second.info.name}"
            raise InputError(f"{names} are the same checkpoint: it would agree with itself. Name different ones.")


def _identity(checkpoint: Checkpoint) -> tuple:
    """All that a verdict depends on: the same weights may stand in two folders with another margin or calibration.

    Or judge faces in one and whole pictures in the other, which have no margin.
    """
    info = checkpoint.info
    calibration = info.calibration and info.calibration.used()
    novelty = checkpoint.novelty and checkpoint.novelty.digest()
    return info.sha256, calibration, novelty, checkpoint.outputs, checkpoint.crop_margin(), checkpoint.transform


def _compare_file(detectors: Sequence[Detector], item: Item, whole: bool, stability: bool) -> Comparison:
    try:
        if isinstance(item, (str, Path)) and is_clip(item):
            raise InputError(NO_CLIPS)
        reports = compare_photo(detectors, load_image(read_item(item)), whole=whole, stability=stability).reports
    except Exception as exc:  # as `analyze_paths` does
        reports = tuple(unreadable(detector, reason_of(exc)) for detector in detectors)
    return Comparison(tuple(listed(report, item) for report in reports))


def _clause(names: Sequence[str], outcome: Outcome) -> str:
    """ "A says real", "A and B say real", "A cannot tell"."""
    who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    if outcome is Outcome.INCONCLUSIVE:
        return f"{who} cannot tell"
    return f"{who} {'says' if len(names) == 1 else 'say'} {outcome}"
