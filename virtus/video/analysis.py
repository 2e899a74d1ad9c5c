"""From a clip to a report: frames evenly spaced in time, the persons in them, a verdict on each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.checkpoints import at_prior
from virtus.drawing import fit_display
from virtus.errors import VideoError
from virtus.explain import explain
from virtus.faces import crop_face
from virtus.judging import Item, analyze_paths, analyze_photo, reason_of
from virtus.media import is_video_path
from virtus.results import FaceReport, ImageReport, Outcome, gravest
from virtus.video.clip_file import VideoSource
from virtus.video.reading import Frame, nothing_decoded, read_clip
from virtus.video.report import PersonReport, Sight, VideoReport
from virtus.video.tracking import Seen, follow, looks_of
from virtus.video.verdict import MIN_FRAMES, judge_person

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_FRAMES = 32
MAX_FRAMES = 300
MAX_CLIP_BYTES = 256 * 1024 * 1024  # four minutes of a phone's Full HD
MAX_CLIP_S = 600.0  # frames of longer ones would lie too far apart to follow anybody
SHOWN_SIDE = 640  # px of the longer side of the frames and crops that are kept

REASONS = {
    Outcome.NO_FACE: "No face was found in any of the {count} frames, so nothing was judged. "
    "Use a clip with a face seen from the front, or read more frames of it.",
    Outcome.FACE_TOO_SMALL: "All faces are smaller than 48 pixels, too small to be judged. "
    "Use the clip in its original size, or one taken from nearer.",
}


@dataclass(frozen=True)
class Progress:
    """So many of the frames are judged."""

    done: int
    total: int


@dataclass(frozen=True)
class ShownFrame:
    """A frame that was judged, small.

    Attributes:
        image: with a longer side of at most `SHOWN_SIDE`.
        time_s: since the first frame of the clip.
        scale: of `image` against the frame, whose pixels boxes are in.
    """

    image: Image.Image
    time_s: float
    scale: float


@dataclass(frozen=True)
class JudgedClip:
    """A report, and the frames that it is of."""

    report: VideoReport
    frames: tuple[ShownFrame, ...]


@dataclass(frozen=True)
class _Looked:
    """A frame with its faces judged, and what tells them apart; without its own pixels."""

    shown: ShownFrame
    size: tuple[int, int]
    faces: tuple[FaceReport, ...]
    seen: tuple[Seen, ...]


def analyze_video(
    detector: Detector, source: VideoSource, *, num_frames: int = NUM_FRAMES, whole: bool = False
) -> VideoReport:
    """Judge the persons in a clip: `watch_video`, watched to its end.

    Raises:
        VideoError: if it cannot be read, or passes a limit.
    """
    *_, judged = watch_video(detector, source, num_frames=num_frames, whole=whole)
    return judged.report


def watch_video(
    detector: Detector,
    source: VideoSource,
    *,
    num_frames: int = NUM_FRAMES,
    whole: bool = False,
    methods: Sequence[str] = (),
) -> Iterator[Progress | JudgedClip]:
    """Judge frame after frame, and say how far it is; at last the report, with its frames.

    Args:
        source: a path, the bytes of a file, or a binary file object that can seek.
        num_frames: to read, evenly spaced in time, `MAX_FRAMES` at most.
        whole: judge the frames as they are, without looking for faces: all are of one person.
        methods: names in `virtus.explain.registry.EXPLAINERS`, to explain the most telling frame of each person by.

    Raises:
        VideoError: if it cannot be read, passes a limit, or more frames are asked for than are judged.
    """
    if num_frames > MAX_FRAMES:
        raise VideoError(f"At most {MAX_FRAMES} frames are judged, not {num_frames}.")
    limits = {"max_bytes": MAX_CLIP_BYTES, "max_duration_s": MAX_CLIP_S}
    looked = []
    with read_clip(source, num_frames=num_frames, **limits) as reader:
        total = len(reader.wanted)
        for frame in reader.frames():
            looked.append(_look(detector, frame, whole))
            yield Progress(len(looked), total)
    if not looked:
        raise nothing_decoded()
    looked.sort(key=lambda one: one.shown.time_s)
    report = _report(detector, looked, whole)
    report = replace(report, duration_s=reader.duration_s, complete=reader.index.whole and len(looked) == total)
    yield JudgedClip(_explained(detector, report, methods), tuple(one.shown for one in looked))


def analyze_files(
    detector: Detector, items: Iterable[Item], *, num_frames: int = NUM_FRAMES, whole: bool = False, **how
) -> Iterator[ImageReport | VideoReport]:
    """Judge pictures and clips, in their order: see `analyze_paths`. A clip is known by its name.

    Args:
        num_frames: to read of each clip.
        how: what else `analyze_paths` takes; it is for pictures.
    """
    for clips, group in groupby(items, key=_is_clip):
        if clips:
            yield from (_video_or_reason(detector, str(path), num_frames, whole) for path in group)
        else:
            yield from analyze_paths(detector, group, whole=whole, **how)


def unreadable_video(detector: Detector, reason: str, path: str | None = None) -> VideoReport:
    """The report of a source that is no clip."""
    return VideoReport(Outcome.UNREADABLE, detector.checkpoint.info, path=path, reason=reason, prior=detector.prior)


def _is_clip(item: Item) -> bool:
    return isinstance(item, (str, Path)) and is_video_path(Path(item))


def _video_or_reason(detector: Detector, path: str, num_frames: int, whole: bool) -> VideoReport:
    try:
        return replace(analyze_video(detector, path, num_frames=num_frames, whole=whole), path=path)
    except Exception as exc:  # of thousands of files from anywhere, none may end the scan
        return unreadable_video(detector, reason_of(exc), path)


def _look(detector: Detector, frame: Frame, whole: bool) -> _Looked:
    report = analyze_photo(detector, frame.image, whole=whole)
    shown = fit_display(frame.image, side=SHOWN_SIDE)
    seen = [_seen(frame.image, face, detector.checkpoint.margin) for face in report.faces]
    return _Looked(
        ShownFrame(shown, frame.time_s, shown.width / frame.image.width),
        frame.image.size,
        tuple(_small(face) for face in report.faces),
        tuple(seen),
    )


def _seen(image: Image.Image, face: FaceReport, margin: float) -> Seen:
    crop = crop_face(image, face.face, margin=margin).image if face.face else image
    return Seen(face.box_xyxy, looks_of(crop))


def _small(face: FaceReport) -> FaceReport:
    if face.crop is None:
        return face
    return replace(face, crop=replace(face.crop, image=fit_display(face.crop.image, side=SHOWN_SIDE)))


def _report(detector: Detector, looked: Sequence[_Looked], whole: bool) -> VideoReport:
    people = [[(at, 0) for at in range(len(looked))]] if whole else follow([one.seen for one in looked])
    sights = [[Sight(at, looked[at].shown.time_s, looked[at].faces[face]) for at, face in person] for person in people]
    info, prior = detector.checkpoint.info, detector.prior
    persons = [judge_person(one, at_prior(info.calibration, prior)) for one in sights]
    persons.sort(key=lambda person: -len(person.sights))
    outcome = _gravest(persons)
    reason = REASONS[outcome].format(count=len(looked)) if outcome in REASONS else None
    times = tuple(one.shown.time_s for one in looked)
    return VideoReport(outcome, info, tuple(persons), times, frame_size=looked[0].size, reason=reason, prior=prior)


def _gravest(persons: Sequence[PersonReport]) -> Outcome:
    """Who was seen in passing decides only where nobody else does."""
    enough = [person for person in persons if person.num_counted >= MIN_FRAMES]
    return gravest(person.outcome for person in enough or persons)


def _explained(detector: Detector, report: VideoReport, methods: Sequence[str]) -> VideoReport:
    persons = tuple(_with_maps(detector, person, methods) if methods else person for person in report.persons)
    return replace(report, persons=persons)


def _with_maps(detector: Detector, person: PersonReport, methods: Sequence[str]) -> PersonReport:
    """One person after the other: what the trunk leaves behind is not small."""
    if person.telling is None:
        return person
    told = person.sights[person.telling]
    state = detector.encode([told.face.crop])
    maps = tuple(explain(state, method=method)[0] for method in methods)
    sights = list(person.sights)
    sights[person.telling] = replace(told, face=replace(told.face, explanations=maps))
    return replace(person, sights=tuple(sights))
