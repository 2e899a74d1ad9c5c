"""What the server keeps of visitors' photos between two calls, so that each is worked on once."""

from __future__ import annotations

import contextlib
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors.apart import set_apart
from virtus.app.visitors.files import CLEAN_EVERY_S, KEEP_S
from virtus.app.visitors.slots import judging_slot
from virtus.errors import InputError
from virtus.explain import embed_filled, judge_of_tokens
from virtus.faces import find_faces
from virtus.judging import detect_faces, judge_faces, read_item, with_stability
from virtus.media import ArchivedFile, LargePhoto, load_image
from virtus.results import Face, ImageReport

if TYPE_CHECKING:
    import torch

    from virtus.checkpoints import Detector, TrunkState
    from virtus.explain import Fill, MaskJudge
    from virtus.judging import DetectedFaces

MAX_KEPT_BYTES = 512 * 2**20  # of all visitors' photos: some twelve of a phone's, decoded, or hundreds of small ones
MAX_TOKEN_BYTES = 128 * 2**20  # of one photo and checkpoint: 71 faces of virtus-fast, 17 of a ViT-B
MAX_REPORTS = 8  # of one photo and checkpoint, at different priors; the oldest goes first
GONE = "The photo is no longer kept here. Upload it again."


class KeptFaces:
    """The faces of a photo, as one checkpoint is shown them, and what its trunk made of them.

    The tokens lie on the CPU, and no model is held: a checkpoint that is dropped elsewhere is gone.
    """

    def __init__(self, detected: DetectedFaces):
        self.detected = detected
        self.block_inputs: tuple[torch.Tensor, ...] | None = None
        self._reports: OrderedDict[tuple[float, bool], ImageReport] = OrderedDict()
        self._states: dict[tuple[int, int], tuple[torch.Tensor, ...]] = {}
        self._filled: dict[tuple[int, Fill], torch.Tensor] = {}

    def find_report(self, detector: Detector, stability: bool) -> ImageReport | None:
        """One that was made before."""
        return self._reports.get((detector.prior, stability))

    def judge(self, detector: Detector, photo: Image.Image, stability: bool) -> ImageReport:
        """The report. One pass of the trunk at most; another prior is arithmetic, unless there are too many faces."""
        report = self.find_report(detector, False) or judge_faces(detector, self.detected, self._encode(detector))
        self._reports[detector.prior, False] = report
        if stability:
            report = self._reports[detector.prior, True] = with_stability(detector, photo, report)
        while len(self._reports) > MAX_REPORTS:
            self._reports.popitem(last=False)
        return report

    def state_of(self, detector: Detector, first: int, last: int) -> TrunkState:
        """Of the judged faces from `first` up to, not including, `last`. No pass, unless there were too many faces."""
        if self.block_inputs is not None:
            return detector.state_of([tokens[first:last] for tokens in self.block_inputs])
        if (first, last) not in self._states:
            with judging_slot():
                self._states[first, last] = set_apart(detector.encode(self.detected.crops[first:last]).block_inputs)
        return detector.state_of(self._states[first, last])

    def erasing_judge(self, detector: Detector, number: int, fill: Fill) -> MaskJudge:
        """Judges one of the judged faces without some of its patches; what it mixes for that is made once.

        In a judging slot.
        """
        if (number, fill) not in self._filled:
            (self._filled[number, fill],) = set_apart([embed_filled(detector, self.detected.crops[number], fill)])
        return judge_of_tokens(detector, self._filled[number, fill], fill)

    @property
    def num_token_bytes(self) -> int:
        kept = [self.block_inputs or (), *self._states.values(), tuple(self._filled.values())]
        return sum(tokens.nbytes for block_inputs in kept for tokens in block_inputs)

    def _encode(self, detector: Detector) -> TrunkState | None:
        """What the trunk makes of all faces; None where that would be too much to be kept."""
        if self.block_inputs is None:
            crops = self.detected.crops
            if not crops or len(crops) * _bytes_a_crop(detector) > MAX_TOKEN_BYTES:
                return None
            self.block_inputs = set_apart(detector.encode(crops).block_inputs)
        return detector.state_of(self.block_inputs)


class KeptPhoto:
    """What came of one upload: decoded once, searched for faces once, encoded once for each checkpoint.

    Attributes:
        lock: to be held by who uses it: two who ask for the same photo at the same time do its work once.
        num_bytes: that it takes, since it was used last.
    """

    def __init__(self, source: Path | ArchivedFile):
        self.source, self.stamp = source, _stamp(source)
        self.lock, self.since = threading.RLock(), time.monotonic()
        self.num_bytes = 0
        self._photo: Image.Image | None = None
        self._found: list[Face] | None = None
        self._faces: dict[tuple, KeptFaces] = {}

    @property
    def photo(self) -> Image.Image:
        """Upright, RGB.

        Raises:
            ImageError: if it cannot be read.
        """
        if self._photo is None:
            self._photo = load_image(read_item(self.source))
        return self._photo

    def judge(self, detector: Detector, *, whole: bool, stability: bool) -> tuple[ImageReport, KeptFaces]:
        """Its report, and the faces that this is about.

        Raises:
            ImageError: if it cannot be read.
            InputError: if the visitor left before it was their turn.
        """
        faces = self._faces.get(_identity(detector, whole))
        if faces and (report := faces.find_report(detector, stability)):
            return report, faces
        with judging_slot():
            faces = self._detect(detector, whole)
            return faces.judge(detector, self.photo, stability), faces

    def measure(self) -> int:
        """Bytes of pictures, one that several things hold counted once, and of tokens."""
        pictures = [self._photo, *(crop.image for faces in self._faces.values() for crop in faces.detected.crops)]
        sizes = {id(picture): _num_bytes(picture) for picture in pictures if picture}
        return sum(sizes.values()) + sum(faces.num_token_bytes for faces in self._faces.values())

    def _detect(self, detector: Detector, whole: bool) -> KeptFaces:
        identity, photo = _identity(detector, whole), self.photo
        if identity not in self._faces:
            if self._found is None and not (whole or detector.checkpoint.judges_pictures):
                self._found = find_faces(photo, min_side=0)
            detected = detect_faces(photo, detector.checkpoint, whole=whole, faces=self._found)
            self._faces[identity] = KeptFaces(detected)
        return self._faces[identity]


class KeptPhotos:
    """The photos of all visitors that are worked on, by their uploads, whose paths only who uploaded them knows.

    They are forgotten with the upload, after ten minutes, or when there are too many: the longest unused go first, and
    whoever asks for one of them again waits for it again. Safe for several threads.

    Args:
        max_bytes: of all together; 0 keeps nothing.
        keep_s: seconds for which each is kept at most.
    """

    def __init__(self, *, max_bytes: int = MAX_KEPT_BYTES, keep_s: float = KEEP_S):
        self.max_bytes, self.keep_s = max_bytes, keep_s
        self._photos: OrderedDict[str, KeptPhoto] = OrderedDict()
        self._lock = threading.Lock()
        self._sweeper: threading.Timer | None = None

    def __len__(self) -> int:
        return len(self._photos)

    @contextlib.contextmanager
    def opened(self, source: Path | ArchivedFile) -> Iterator[KeptPhoto]:
        """What is kept of an upload, for this caller alone meanwhile.

        Raises:
            InputError: if the upload is no longer there.
        """
        kept = self._find(source)
        with kept.lock:
            try:
                yield kept
            finally:
                kept.num_bytes = kept.measure()
        with self._lock:
            while self._photos and sum(photo.num_bytes for photo in self._photos.values()) > self.max_bytes:
                self._photos.popitem(last=False)

    def sweep(self) -> None:
        """Forget what is too old, or whose upload was deleted or replaced."""
        with self._lock:
            for name, kept in list(self._photos.items()):
                if time.monotonic() - kept.since > self.keep_s or _stamp_or_none(kept.source) != kept.stamp:
                    del self._photos[name]
            self._sweeper = None
            self._sweep_later()

    def _find(self, source: Path | ArchivedFile) -> KeptPhoto:
        fresh, name = KeptPhoto(source), str(source)
        with self._lock:
            kept = self._photos.get(name)
            if kept is None or kept.stamp != fresh.stamp or fresh.since - kept.since > self.keep_s:
                kept = self._photos[name] = fresh
            self._photos.move_to_end(name)
            self._sweep_later()
            return kept

    def _sweep_later(self) -> None:
        """There need not be a server around the app whose own sweeper would do it."""
        if self._photos and self._sweeper is None:
            self._sweeper = threading.Timer(min(CLEAN_EVERY_S, self.keep_s), self.sweep)
            self._sweeper.daemon = True
            self._sweeper.start()


def _num_bytes(picture: Image.Image) -> int:
    return picture.num_bytes if isinstance(picture, LargePhoto) else 3 * math.prod(picture.size)


def _bytes_a_crop(detector: Detector) -> int:
    """Of the tokens that enter each block, float32."""
    trunk = detector.checkpoint.trunk
    num_tokens = math.prod(trunk.grid_size) + trunk.num_prefix_tokens
    return 4 * len(trunk.blocks) * num_tokens * trunk.model.config.hidden_size


def _identity(detector: Detector, whole: bool) -> tuple:
    """All that faces and tokens depend on, beside the photo."""
    checkpoint = detector.checkpoint
    return checkpoint.info, checkpoint.margin, checkpoint.trunk.device, checkpoint.trunk.precision, whole


def _stamp(source: Path | ArchivedFile) -> tuple[int, int]:
    """Of the upload: it changes with the file.

    Raises:
        InputError: if it is no longer there.
    """
    stamp = _stamp_or_none(source)
    if stamp is None:
        raise InputError(GONE)
    return stamp


def _stamp_or_none(source: Path | ArchivedFile) -> tuple[int, int] | None:
    try:
        status = Path(source.archive if isinstance(source, ArchivedFile) else source).stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
