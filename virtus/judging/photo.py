"""From a source to a report: what the app, the command line and Python call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from virtus.checkpoints import Checkpoint
from virtus.errors import VirtusError
from virtus.explain import explain, measure_faithfulness
from virtus.faces import MIN_FACE_SIDE, crop_face, find_cautions, find_faces, unfamiliar, whole_image
from virtus.judging.stability import with_stability
from virtus.media import ImageSource, load_image
from virtus.parallel import in_chunks, in_order
from virtus.results import (
    Caution,
    Explanation,
    Face,
    FaceCrop,
    FaceReport,
    Faithfulness,
    ImageReport,
    Label,
    Outcome,
    Prediction,
    gravest,
)

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

READ_AHEAD = 8  # pictures whose crops are judged together: on a CPU more at once are no faster

REASONS = {
    Outcome.NO_FACE: "No face was found, so nothing was judged. "
    "Use a photo with a face seen from the front, or judge the whole image if it is a ready-made crop.",
    Outcome.FACE_TOO_SMALL: f"The face is smaller than {MIN_FACE_SIDE} pixels, too small to be judged. "
    "Use the photo in its original size, or one taken from nearer.",
}
Measure = Callable[["Detector", FaceCrop, Sequence[Explanation]], list[Faithfulness]]
EachFace = Callable[[Iterable[FaceReport]], Iterable[FaceReport]]
UNEXPECTED = "This file could not be read ({cause}). Open it elsewhere and save it again."
UNFAMILIAR = "This is unlike anything that the checkpoint was made for, so its p counts for nothing here."


class Readable(Protocol):
    """A picture that lies elsewhere than in a file of its own, such as one in an archive. `str()` is its path."""

    def read(self) -> bytes: ...


Item = str | Path | Readable


@dataclass(frozen=True)
class _Found:
    """A picture before it is judged: its faces, and for each that can be judged a crop and what is to be said of it."""

    image_size: tuple[int, int]
    faces: tuple[tuple[Face | None, FaceCrop | None], ...]
    cautions: tuple[tuple[Caution, ...], ...]

    @property
    def crops(self) -> list[FaceCrop]:
        return [crop for _, crop in self.faces if crop is not None]

    def resized(self, checkpoint: Checkpoint) -> _Found:
        """The same, with crops as the model gets them: of large pictures little is held until they are judged."""
        resize = checkpoint.transform.resize
        faces = tuple((face, crop and replace(crop, image=resize(crop.image))) for face, crop in self.faces)
        return replace(self, faces=faces)


def analyze_image(
    detector: Detector,
    source: ImageSource,
    *,
    methods: Sequence[str] = (),
    target: Label | str | None = None,
    options: Mapping[str, Mapping] | None = None,
    whole: bool = False,
    stability: bool = False,
) -> ImageReport:
    """Read one picture, then `analyze_photo`. The report's path is set if the source is one.

    Raises:
        ImageError: if the source cannot be read.
        InputError: for a method, target or option that there is not.
    """
    photo = load_image(source)
    asked = {"methods": methods, "target": target, "options": options, "whole": whole, "stability": stability}
    report = analyze_photo(detector, photo, **asked)
    return replace(report, path=str(source)) if isinstance(source, (str, Path)) else report


def analyze_photo(
    detector: Detector,
    photo: Image.Image,
    *,
    methods: Sequence[str] = (),
    target: Label | str | None = None,
    options: Mapping[str, Mapping] | None = None,
    whole: bool = False,
    stability: bool = False,
    faces: Sequence[Face] | None = None,
) -> ImageReport:
    """Find the faces in an upright RGB picture, judge each, and explain each by every method asked for.

    Args:
        methods: names in `virtus.explain.registry.EXPLAINERS`.
        target: the class to explain; the predicted one by default.
        options: for each method its own.
        whole: judge the picture as it is, without looking for faces.
        stability: judge each face again under small harmless changes: see `virtus.judging.stability`.
        faces: what `find_faces(photo, min_side=0)` found, where somebody asked it before; not looked for again.

    Raises:
        InputError: for a method, target or option that there is not.
    """
    found = _find(photo, detector.checkpoint, whole, faces)
    report = _judge(detector, found, methods, target, options or {})
    return with_stability(detector, photo, report) if stability else report


def _judge(
    detector: Detector, found: _Found, methods: Sequence[str], target: Label | str | None, options: Mapping
) -> ImageReport:
    if not methods:  # a verdict alone needs nothing kept of the trunk
        return _report(detector, found, detector.predict(found.crops))
    state = detector.encode(found.crops)
    maps = [explain(state, method=m, target=target, **options.get(m, {})) for m in methods]
    report = _report(detector, found, detector.predict(state))
    return _with_explanations(report, list(zip(*maps, strict=True)))


def measure_maps(
    detector: Detector, report: ImageReport, *, measure: Measure = measure_faithfulness, each: EachFace = iter
) -> ImageReport:
    """The same report, with `faithfulness` in each of its explanations. Takes seconds for each face.

    Args:
        measure: what holds the maps of a face against chance.
        each: hands on the faces one by one, for a progress bar.
    """
    return replace(report, faces=tuple(_measure_maps(detector, face, measure) for face in each(report.faces)))


def _measure_maps(detector: Detector, face: FaceReport, measure: Measure) -> FaceReport:
    if not face.explanations:
        return face
    measured = zip(face.explanations, measure(detector, face.crop, face.explanations), strict=True)
    return replace(face, explanations=tuple(replace(one, faithfulness=found) for one, found in measured))


def analyze_paths(
    detector: Detector, items: Iterable[Item], *, whole: bool = False, stability: bool = False, jobs: int = 1
) -> Iterator[ImageReport]:
    """Judge many files, in their order, however many: nothing is held but a few of them at a time.

    One that cannot be read, whatever the reason, is a report with the outcome `unreadable`. The faces of the reports
    have no `crop`.

    Args:
        items: taken as they are needed; see `read_item`.
        jobs: threads that read, find faces and judge, each `READ_AHEAD` pictures at a time. On a CPU call
            `virtus.parallel.share_cores` once before.
    """
    analyze = partial(_analyze_chunk, detector, whole=whole, stability=stability)
    for reports in in_order(analyze, in_chunks(items, READ_AHEAD), jobs=jobs):
        yield from reports


def read_item(item: Item) -> ImageSource:
    """What `load_image` takes: a path as it is, the bytes of anything else.

    Raises:
        Exception: whatever reading it raises.
    """
    return item if isinstance(item, (str, Path)) else item.read()


def _analyze_chunk(detector: Detector, items: Sequence[Item], *, whole: bool, stability: bool) -> list[ImageReport]:
    """The crops of several pictures in one batch."""
    found = [_find_or_report(detector, item, whole, stability) for item in items]
    crops = [crop for one in found if isinstance(one, _Found) for crop in one.crops]
    predictions = iter(detector.predict([detector.checkpoint.transform.normalise(crop.image) for crop in crops]))
    reports = [
        _report(detector, one, [next(predictions) for _ in one.crops]) if isinstance(one, _Found) else one
        for one in found
    ]
    return [listed(report, item) for report, item in zip(reports, items, strict=True)]


def _find_or_report(detector: Detector, item: Item, whole: bool, stability: bool) -> _Found | ImageReport:
    """What is still to be judged; a report where nothing is, or where a picture needs a batch of its own."""
    try:
        photo = load_image(read_item(item))
        if stability:  # its changed crops fill a batch, and are cut from the picture
            return analyze_photo(detector, photo, whole=whole, stability=True)
        return _find(photo, detector.checkpoint, whole).resized(detector.checkpoint)
    except Exception as exc:  # of thousands of files from anywhere, none may end the scan
        return unreadable(detector, reason_of(exc))


def reason_of(exc: Exception) -> str:
    """Why a file could not be read, in a sentence, whatever was raised by it."""
    if isinstance(exc, VirtusError):
        return str(exc)
    return UNEXPECTED.format(cause=f"{type(exc).__name__}: {exc}".rstrip(": "))


def listed(report: ImageReport, item: Item) -> ImageReport:
    """As one of many: under the name of its file, and without pictures."""
    faces = tuple(replace(face, crop=None) for face in report.faces)
    return replace(report, path=str(item), faces=faces)


def with_prediction(report: FaceReport, prediction: Prediction) -> FaceReport:
    """A judged face as this prediction has it: `inconclusive`, and why, where its novelty is above 1."""
    judged = {"outcome": prediction.outcome, "p_fake": prediction.p_fake, "novelty": prediction.novelty}
    known = replace(report, **judged, stability=None)
    cautions = tuple(caution for caution in report.cautions if caution.name != "unfamiliar")
    if prediction.novelty is None or prediction.novelty <= 1:
        return replace(known, cautions=cautions, reason=None)
    return replace(known, outcome=Outcome.INCONCLUSIVE, cautions=(*cautions, unfamiliar()), reason=UNFAMILIAR)


def unreadable(detector: Detector, reason: str, path: str | Path | None = None) -> ImageReport:
    """The report of a source that is no picture."""
    path = None if path is None else str(path)
    return ImageReport(Outcome.UNREADABLE, detector.checkpoint.info, path=path, reason=reason, prior=detector.prior)


def _find(image: Image.Image, checkpoint: Checkpoint, whole: bool, known_faces: Sequence[Face] | None = None) -> _Found:
    if whole:
        faces = ((None, whole_image(image)),)
    else:
        found = find_faces(image, min_side=0) if known_faces is None else known_faces
        faces = tuple((face, _crop(image, face, checkpoint.margin)) for face in found)
    judged = [(face, crop) for face, crop in faces if crop is not None]
    known = {"image_size": image.size, "input_side": min(checkpoint.transform.input_size), "count": len(judged)}
    known["jpeg_quality"] = image.info.get("jpeg_quality")
    cautions = tuple(find_cautions(crop, face, number=at, **known) for at, (face, crop) in enumerate(judged, start=1))
    return _Found(image.size, faces, cautions)


def _crop(image: Image.Image, face: Face, margin: float) -> FaceCrop | None:
    large_enough = min(face.width, face.height) >= MIN_FACE_SIDE
    return crop_face(image, face, margin=margin) if large_enough else None


def _report(detector: Detector, found: _Found, predictions: Sequence[Prediction]) -> ImageReport:
    remaining = zip(predictions, found.cautions, strict=True)
    faces = tuple(
        _too_small(face) if crop is None else _judged(face, crop, *next(remaining)) for face, crop in found.faces
    )
    outcome = gravest(face.outcome for face in faces)
    reason, prior = REASONS.get(outcome), detector.prior
    return ImageReport(outcome, detector.checkpoint.info, faces, found.image_size, None, reason, prior)


def _too_small(face: Face) -> FaceReport:
    return FaceReport(face.box_xyxy, Outcome.FACE_TOO_SMALL, face)


def _judged(face: Face | None, crop: FaceCrop, prediction: Prediction, cautions: tuple[Caution, ...]) -> FaceReport:
    box = face.box_xyxy if face else tuple(float(value) for value in crop.box_xyxy)
    return with_prediction(FaceReport(box, prediction.outcome, face, crop, cautions=cautions), prediction)


def _with_explanations(report: ImageReport, maps: list[tuple]) -> ImageReport:
    remaining = iter(maps)
    faces = tuple(
        replace(face, explanations=next(remaining, ())) if face.outcome.judged else face for face in report.faces
    )
    return replace(report, faces=faces)
