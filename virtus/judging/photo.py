"""From a source to a report: what the app, the command line and Python call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.checkpoints import Checkpoint
from virtus.explain import explain, measure_faithfulness
from virtus.faces import MIN_FACE_SIDE, crop_face, find_cautions, find_faces, is_too_close, unfamiliar, whole_image
from virtus.judging.deciding import decide_picture
from virtus.judging.stability import with_stability
from virtus.media import ImageSource, load_image
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
    from virtus.checkpoints import Detector, TrunkState
    from virtus.models import EvalTransform

REASONS = {
    Outcome.NO_FACE: "No face was found, so nothing was judged. "
    "Use a photo with a face seen from the front, or judge the whole image if it is a ready-made crop.",
    Outcome.FACE_TOO_SMALL: f"The face is smaller than {MIN_FACE_SIDE} pixels, too small to be judged. "
    "Use the photo in its original size, or one taken from nearer.",
}
FIRST_FRAME = "This is an animation, and only the first of its {count} frames was looked at here."
INCOMPLETE = "The file is cut off, and only the part that is there could be searched."
Measure = Callable[["Detector", FaceCrop, Sequence[Explanation]], list[Faithfulness]]
Box = tuple[float, float, float, float]
EachFace = Callable[[Iterable[FaceReport]], Iterable[FaceReport]]
UNFAMILIAR = "This is unlike anything that the checkpoint was made for, so its p counts for nothing here."
TOO_CLOSE = "The picture is cut closer to this face than the checkpoint was made for, so its p counts for nothing here."


@dataclass(frozen=True)
class DetectedFace:
    """A face before it is judged.

    Attributes:
        face: None where no face was looked for.
        crop: what a checkpoint is shown; None where the face is too small to be judged.
        cautions: what makes a verdict on it less sure, as far as the picture tells.
    """

    face: Face | None
    crop: FaceCrop | None
    cautions: tuple[Caution, ...] = ()

    @property
    def box_xyxy(self) -> Box:
        """In pixels of the upright picture; all of it where no face was looked for."""
        if self.face:
            return self.face.box_xyxy
        x0, y0, x1, y1 = self.crop.box_xyxy if self.crop else (0, 0, 0, 0)
        return float(x0), float(y0), float(x1), float(y1)


@dataclass(frozen=True)
class DetectedFaces:
    """The faces of a picture, cut out for one checkpoint and not judged yet.

    Attributes:
        image_size: width and height of the upright picture.
        faces: largest first.
        incomplete: whether the file was cut off, so that there may be more.
        num_frames: of the animation whose first frame this is; 1 for a photo.
    """

    image_size: tuple[int, int]
    faces: tuple[DetectedFace, ...]
    incomplete: bool = False
    num_frames: int = 1

    @property
    def crops(self) -> list[FaceCrop]:
        """Of those that are large enough to be judged."""
        return [face.crop for face in self.faces if face.crop is not None]

    def scaled(self, transform: EvalTransform) -> DetectedFaces:
        """The same with small crops, which are to the transform as the large ones: of large pictures little is held."""

        def shrink(face: DetectedFace) -> DetectedFace:
            crop = face.crop
            return replace(face, crop=crop and replace(crop, image=transform.scale(crop.image)))

        return replace(self, faces=tuple(map(shrink, self.faces)))


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
    report = analyze_photo(
        detector, photo, methods=methods, target=target, options=options, whole=whole, stability=stability
    )
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
    detected = detect_faces(photo, detector.checkpoint, whole=whole, faces=faces)
    state = detector.encode(detected.crops) if methods else None  # a verdict alone needs nothing kept of the trunk
    report = judge_faces(detector, detected, state)
    if state is not None:
        report = explain_faces(report, state, methods=methods, target=target, options=options)
    return with_stability(detector, photo, report) if stability else report


def detect_faces(
    photo: Image.Image, checkpoint: Checkpoint, *, whole: bool = False, faces: Sequence[Face] | None = None
) -> DetectedFaces:
    """Find the faces in an upright RGB picture, and cut each out as the checkpoint wants it.

    Args:
        whole, faces: as in `analyze_photo`. A checkpoint that was made for whole pictures is always shown these.
    """
    if whole or checkpoint.judges_pictures:
        cut = [(None, whole_image(photo))]
    else:
        faces = find_faces(photo, min_side=0) if faces is None else faces
        cut = [(face, _crop(photo, face, checkpoint.margin)) for face in faces]
    measure = partial(
        find_cautions,
        image_size=photo.size,
        input_side=min(checkpoint.transform.input_size),
        jpeg_quality=photo.info.get("jpeg_quality"),
        readable_share=photo.info.get("readable_share"),
        count=sum(crop is not None for _, crop in cut),
    )
    numbers = count(1)
    cautions = (measure(crop, face, number=next(numbers)) if crop else () for face, crop in cut)
    detected = (DetectedFace(face, crop, told) for (face, crop), told in zip(cut, cautions, strict=True))
    num_frames = photo.info.get("num_frames", 1)
    return DetectedFaces(photo.size, tuple(detected), "readable_share" in photo.info, num_frames)


def judge_faces(detector: Detector, detected: DetectedFaces, state: TrunkState | None = None) -> ImageReport:
    """Judge faces that were found before.

    Args:
        state: what `detector.encode(detected.crops)` gave, where that was done before: no other pass of the trunk.
    """
    if state is None:
        return report_on(detector, detected, detector.predict(detected.crops))
    return report_on(detector, detected, detector.predict_state(state))


def explain_faces(
    report: ImageReport,
    state: TrunkState,
    *,
    methods: Sequence[str],
    target: Label | str | None = None,
    options: Mapping[str, Mapping] | None = None,
) -> ImageReport:
    """The same report, with a map by each method in each judged face.

    Args:
        state: of the crops of the judged faces, in their order.
        methods, target, options: as in `analyze_photo`.

    Raises:
        InputError: for a method, target or option that there is not.
    """
    options = options or {}
    maps = [explain(state, method=method, target=target, **options.get(method, {})) for method in methods]
    by_face = zip(*maps, strict=True)
    faces = (replace(face, explanations=next(by_face, ())) if face.outcome.judged else face for face in report.faces)
    return replace(report, faces=tuple(faces))


def _crop(image: Image.Image, face: Face, margin: float) -> FaceCrop | None:
    large_enough = min(face.width, face.height) >= MIN_FACE_SIDE
    return crop_face(image, face, margin=margin) if large_enough else None


def report_on(detector: Detector, detected: DetectedFaces, predictions: Sequence[Prediction]) -> ImageReport:
    """The report of faces that were judged, from a prediction for each of their crops."""
    if len(predictions) != len(detected.crops):
        raise ValueError(f"{len(predictions)} predictions for {len(detected.crops)} faces")
    remaining = iter(predictions)
    faces = tuple(_judged(face, next(remaining)) if face.crop else _too_small(face) for face in detected.faces)
    outcome = gravest(face.outcome for face in faces)
    reason, prior, info = REASONS.get(outcome), detector.prior, detector.checkpoint.info
    reason = f"{INCOMPLETE} {reason}" if reason and detected.incomplete else reason
    note = FIRST_FRAME.format(count=detected.num_frames) if detected.num_frames > 1 else None
    return decide_picture(ImageReport(outcome, info, faces, detected.image_size, None, reason, prior, note))


def _too_small(face: DetectedFace) -> FaceReport:
    return FaceReport(face.box_xyxy, Outcome.FACE_TOO_SMALL, face.face)


def _judged(face: DetectedFace, prediction: Prediction) -> FaceReport:
    unjudged = FaceReport(face.box_xyxy, prediction.outcome, face.face, face.crop, cautions=face.cautions)
    return with_prediction(unjudged, prediction)


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
    if face.crop is None or not face.explanations:
        return face
    measured = zip(face.explanations, measure(detector, face.crop, face.explanations), strict=True)
    return replace(face, explanations=tuple(replace(of, faithfulness=figures) for of, figures in measured))


def with_prediction(report: FaceReport, prediction: Prediction) -> FaceReport:
    """A judged face as this prediction has it: `inconclusive`, and why, where p counts for nothing of such a face."""
    judged = {"outcome": prediction.outcome, "p_fake": prediction.p_fake, "novelty": prediction.novelty}
    known = replace(report, **judged, stability=None)
    cautions = tuple(caution for caution in report.cautions if caution.name != "unfamiliar")
    if prediction.novelty is None or prediction.novelty <= 1:
        doubt = {"outcome": Outcome.INCONCLUSIVE, "reason": TOO_CLOSE} if is_too_close(cautions) else {"reason": None}
        return replace(known, cautions=cautions, **doubt)
    return replace(known, outcome=Outcome.INCONCLUSIVE, cautions=(*cautions, unfamiliar()), reason=UNFAMILIAR)
