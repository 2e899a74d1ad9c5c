"""From an upload to a report: what the tab and the API share."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from virtus.analysis import analyze_photo, unreadable
from virtus.detector import Detector
from virtus.errors import ImageError, InputError
from virtus.explain import EXPLAINERS
from virtus.images import load_image
from virtus.overlay import DEFAULT_OPACITY
from virtus.results import FaceReport, ImageReport

TARGETS = ("predicted", "real", "fake")
SIDE_BY_SIDE = ("rollout", "gradcam")  # methods whose maps of the face are always shown
# More at once would wait for the same cores, and hold their photos in memory meanwhile. Fetching a checkpoint is not
# counted: who waits for the Hub holds up nobody.
_at_once = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Judged:
    """A photo (None where it could not be read) and its report."""

    photo: Image.Image | None
    report: ImageReport


@dataclass(frozen=True)
class MapRequest:
    """Which map of a face is wanted, and which other methods' maps `beside` it.

    Raises:
        InputError: on creation, for a value that there is not.
    """

    method: str = "rollout"
    target: str = "predicted"
    opacity: float = DEFAULT_OPACITY
    head_fusion: str = "mean"
    discard_ratio: float = 0.0
    beside: tuple[str, ...] = ()

    def __post_init__(self):
        if self.method not in EXPLAINERS:
            raise InputError(f"There is no method {self.method!r}. There are: {', '.join(EXPLAINERS)}.")
        if self.target not in TARGETS:
            raise InputError(f"There is no target {self.target!r}. There are: {', '.join(TARGETS)}.")
        for name in ("opacity", "discard_ratio"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise InputError(f"{name} is a number from 0 to 1, not {value!r}.")

    @property
    def analysis_options(self) -> dict:
        """For `virtus.analysis.analyze_photo`."""
        rollout = {"head_fusion": self.head_fusion, "discard_ratio": self.discard_ratio}
        target = None if self.target == "predicted" else self.target
        methods = [self.method, *(name for name in self.beside if name != self.method)]
        return {"methods": methods, "target": target, "options": {"rollout": rollout}}


def judge(detector: Detector, path: Path, *, whole: bool, wanted: MapRequest | None = None) -> Judged:
    """The report of an uploaded file; one that is no picture is `unreadable`.

    It is without the path: that is the server's, and Gradio's client would try to fetch any object with a path.
    """
    with _at_once:
        try:
            photo = load_image(path)
        except ImageError as exc:
            return Judged(None, unreadable(detector, str(exc)))
        options = wanted.analysis_options if wanted else {}
        return Judged(photo, analyze_photo(detector, photo, whole=whole, **options))


def face_of(report: ImageReport, index: int) -> FaceReport:
    """One face of a report, counted from 0.

    Raises:
        InputError: if there is none with that number.
    """
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(report.faces):
        raise InputError(f"There is no face {index!r}: the photo has {len(report.faces)}, counted from 0.")
    return report.faces[index]
