"""The faces that pages have open in the tab Explore: which they are, and what was found of them."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from virtus.app.visitors import MAX_SESSIONS, Detectors, JudgedPhoto, judge_photo, uploaded
from virtus.errors import InputError

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NOTHING_OPEN = "Open the tab Analyze, give a photo with a face there, and come back."
NOT_OPEN = "This face is no longer open here. Open the tab Analyze, and come back."


@dataclass(frozen=True)
class ExploreInputs:
    """Which face, as the tab Analyze holds it: the values of its components, in their order."""

    photo: dict | None
    model: str
    whole: bool
    prior: float
    index: int | None

    @property
    def is_uploading(self) -> bool:
        """Whether the photo is on its way to the server: the page says so in place of it."""
        return bool(self.photo and self.photo.get("uploading"))

    def names_of(self, index: int) -> tuple[str, str]:
        """By which a page keeps what it found: of the photo, and of one of its faces by this judge."""
        photo = (self.photo or {}).get("path")
        named = (photo, (photo, self.model, self.whole, self.prior, index))
        first, second = (hashlib.sha256(repr(one).encode()).hexdigest()[:16] for one in named)
        return first, second

    def judge(self, detectors: Detectors) -> tuple[Detector, JudgedPhoto]:
        """Who judges, and what was judged: nothing is done again that was done for Analyze."""
        detector = detectors.get(self.model).at_prior(self.prior)
        return detector, judge_photo(detector, uploaded(self.photo), whole=self.whole)


class OpenedFace(NamedTuple):
    """What an explorer shows.

    Attributes:
        inputs: what was asked for.
        index: which face came of it; None where that one is too small, and nothing is shown but the other faces' list.
        key: of the explorer's value.
        others: indices of the photo's other faces that can be explored.
    """

    inputs: ExploreInputs
    index: int | None
    key: str
    others: tuple[int, ...] = ()


class OpenedFaces:
    """The faces that were opened last, by their keys, which only the pages that show them know.

    Nothing of a face is in it but the name of its upload. Safe for several threads.
    """

    def __init__(self, max_faces: int = 2 * MAX_SESSIONS):
        self._max_faces = max_faces
        self._faces: OrderedDict[str, OpenedFace] = OrderedDict()
        self._lock = threading.Lock()

    def noting(self, opening: Callable[..., Iterator]) -> Callable[..., Iterator]:
        """The generator function of `ExploreOutputs`, with the faces that it opens noted.

        In the server's own process, where `opening` may work in another one: see `virtus.app.visitors.gpu`.
        """

        def open_and_note(*values: Any) -> Iterator:
            for shown in opening(*values):
                if isinstance(shown.opened, OpenedFace) and shown.opened.index is not None:
                    self._note(shown.opened)
                yield shown

        return open_and_note

    def find(self, key: str) -> OpenedFace:
        """The face with this key.

        Raises:
            InputError: if there is none, or too many others were opened since.
        """
        with self._lock:
            if key not in self._faces:
                raise InputError(NOT_OPEN)
            self._faces.move_to_end(key)
            return self._faces[key]

    def _note(self, opened: OpenedFace) -> None:
        with self._lock:
            self._faces[opened.key] = opened
            if len(self._faces) > self._max_faces:
                self._faces.popitem(last=False)


OPENED = OpenedFaces()
