"""From an upload and names of checkpoints to their answers: what the tab `Compare` and the API share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors.detectors import Detectors
from virtus.app.visitors.slots import judging_slot
from virtus.errors import CheckpointError, ImageError
from virtus.judging import Comparison, check_comparable, check_names, compare_photo, unreadable
from virtus.media import load_image
from virtus.models import EvalTransform
from virtus.results import ImageReport

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


@dataclass(frozen=True)
class Answer:
    """What a checkpoint says of a photo, or why it cannot be asked.

    Attributes:
        name: that was asked for.
        report: None where it cannot be asked; `error` then says why.
        transform: of the checkpoint.
    """

    name: str
    report: ImageReport | None = None
    transform: EvalTransform | None = None
    error: str | None = None


@dataclass(frozen=True)
class Compared:
    """A photo (None where it could not be read, or nobody was asked) and an answer for each checkpoint."""

    photo: Image.Image | None
    answers: tuple[Answer, ...]

    @property
    def comparison(self) -> Comparison:
        """Of those that could be asked."""
        return Comparison(tuple(answer.report for answer in self.answers if answer.report))


def compare(detectors: Detectors, names: Sequence[str], path: Path, *, prior: float, **asked) -> Compared:
    """Ask several checkpoints about an uploaded file. One that cannot be loaded does not stop the others.

    Args:
        asked: handed on to `compare_photo`.

    Raises:
        InputError: for no name, too many, or a checkpoint twice; for a prior or anything asked that there is not.
    """
    check_names(names)
    found = {name: _detector_or_reason(detectors, name, prior) for name in names}
    asking = {name: one for name, one in found.items() if not isinstance(one, str)}
    photo, reports = _compare_file(list(asking.values()), path, **asked) if asking else (None, ())
    said = {
        name: Answer(name, report, detector.checkpoint.transform)
        for (name, detector), report in zip(asking.items(), reports, strict=True)
    }
    return Compared(photo, tuple(said.get(name) or Answer(name, error=found[name]) for name in names))


def _detector_or_reason(detectors: Detectors, name: str, prior: float) -> Detector | str:
    try:
        return detectors.get(name).at_prior(prior)
    except CheckpointError as exc:
        return str(exc)


def _compare_file(
    detectors: Sequence[Detector], path: Path, **asked
) -> tuple[Image.Image | None, tuple[ImageReport, ...]]:
    check_comparable(detectors)
    with judging_slot():
        try:
            photo = load_image(path)
        except ImageError as exc:
            return None, tuple(unreadable(detector, str(exc)) for detector in detectors)
        return photo, compare_photo(detectors, photo, **asked).reports
