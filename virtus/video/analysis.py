"""From a clip to a report: frames evenly spaced in time, the persons in them, a verdict on each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.checkpoints import at_prior
from virtus.drawing import fit_display
from virtus.errors import VideoError
from virtus.explain import explain
from virtus.faces import crop_face
from virtus.judging import Item, analyze_paths, analyze_photo, decide_among, reason_of, thresholds_among
from virtus.media import is_clip
from virtus.parallel import AHEAD, default_jobs, in_order
from virtus.results import Box, Calibration, FaceReport, ImageReport, Outcome, gravest
from virtus.video.clip_file import VideoSource
from virtus.video.reading import AnimationReader, Frame, nothing_decoded, read_frames
from virtus.video.report import PersonReport, Sight, VideoReport
from virtus.video.tracking import SeenFace, looks_of, track_people
from virtus.video.verdict import MIN_FRAMES, judge_person

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_FRAMES = 32
MAX_FRAMES = 300
MAX_CLIP_BYTES = 256 * 1024 * 1024  # four minutes of a phone's Full HD
MAX_CLIP_S = 600.0  # frames of longer ones would lie too far apart to follow anybody
MAX_HELD_PIXELS = 100_000_000  # of frames that are judged at once or wait for it
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
class _JudgedFrame:
    """A frame with its faces judged, and what tells them apart; without its own pixels."""

    shown: ShownFrame
    size: tuple[int, int]
    faces: tuple[FaceReport, ...]
    seen: tuple[SeenFace, ...]


def analyze_video(
    detector: Detector,
    source: VideoSource,
    *,
    num_frames: int = NUM_FRAMES,
    whole: bool = False,
    jobs: int | None = None,
) -> VideoReport:
    """Judge the persons in a clip: `watch_video`, watched to its end, several frames at once.

    Raises:
        VideoError: if it cannot be read, or passes a limit.
    """
    steps = watch_video(detector, source, num_frames=num_frames, whole=whole, jobs=jobs or default_jobs())
    (report,) = (step.report for step in steps if isinstance(step, JudgedClip))
    return report


def watch_video(
    detector: Detector,
    source: VideoSource,
    *,
    num_frames: int = NUM_FRAMES,
    whole: bool = False,
    methods: Sequence[str] = (),
    jobs: int = 1,
) -> Iterator[Progress | JudgedClip]:
    """Judge frame after frame, and say how far it is; at last the report, with its frames.

    Args:
        source: a path, the bytes of a file, or a binary file object that can seek.
        num_frames: to read, evenly spaced in time, `MAX_FRAMES` at most.
        whole: judge the frames as they are, without looking for faces: all are of one person.
        methods: names in `virtus.explain.registry.EXPLAINERS`, to explain the key frame of each person by.
        jobs: threads that judge frames, as far as these are not too large.

    Raises:
        VideoError: if it cannot be read, passes a limit, or more frames are asked for than are judged.
    """
    if num_frames > MAX_FRAMES:
        raise VideoError(f"At most {MAX_FRAMES} frames are judged, not {num_frames}.")
    whole, judged = whole or detector.checkpoint.judges_pictures, []
    with read_frames(source, num_frames=num_frames, max_bytes=MAX_CLIP_BYTES, max_duration_s=MAX_CLIP_S) as reader:
        total = len(reader.wanted)
        jobs = min(jobs, max(1, MAX_HELD_PIXELS // (AHEAD * reader.num_pixels)))
        for frame in in_order(partial(_judge_frame, detector, whole), reader.frames(), jobs=jobs):
            judged.append(frame)
            yield Progress(len(judged), total)
    if not judged:
        raise nothing_decoded()
    judged.sort(key=lambda frame: frame.shown.time_s)
    report = _report(detector, judged, whole, all_read=isinstance(reader, AnimationReader) and reader.takes_all)
    report = replace(report, duration_s=reader.duration_s, complete=reader.whole and len(judged) == total)
    persons = tuple(_with_maps(detector, person, methods) for person in report.persons)
    yield JudgedClip(replace(report, persons=persons), tuple(frame.shown for frame in judged))


def analyze_files(
    detector: Detector,
    items: Iterable[Item],
    *,
    num_frames: int = NUM_FRAMES,
    whole: bool = False,
    stability: bool = False,
    jobs: int = 1,
) -> Iterator[ImageReport | VideoReport]:
    """Judge pictures and clips, in their order: see `analyze_paths`. A clip is known by `virtus.media.is_clip`.

    Animations are judged as clips are.

    Args:
        num_frames: to read of each clip.
        stability: of pictures.
        jobs: threads, for pictures and for the frames of clips.
    """
    for clips, group in groupby(items, key=_is_clip):
        if clips:
            yield from (_video_or_reason(detector, path, num_frames, whole, jobs) for path in group)
            continue
        begun: deque[Item] = deque()
        for report in analyze_paths(detector, _noted(group, begun), whole=whole, stability=stability, jobs=jobs):
            item = begun.popleft()
            yield report if report.note is None else _video_or_reason(detector, item, num_frames, whole, jobs)


def unreadable_video(detector: Detector, reason: str, path: str | None = None) -> VideoReport:
    """The report of a source that is no clip."""
    return VideoReport(Outcome.UNREADABLE, detector.checkpoint.info, path=path, reason=reason, prior=detector.prior)


def _is_clip(item: Item) -> bool:
    return isinstance(item, (str, Path)) and is_clip(item)


def _noted(items: Iterable[Item], begun: deque[Item]) -> Iterator[Item]:
    for item in items:
        begun.append(item)
        yield item


def _video_or_reason(detector: Detector, item: Item, num_frames: int, whole: bool, jobs: int) -> VideoReport:
    path = str(item)
    try:
        source = path if isinstance(item, (str, Path)) else item.read()
        report = analyze_video(detector, source, num_frames=num_frames, whole=whole, jobs=jobs)
        return replace(report, path=path)
    except Exception as exc:  # of thousands of files from anywhere, none may end the scan
        return unreadable_video(detector, reason_of(exc), path)


def _judge_frame(detector: Detector, whole: bool, frame: Frame) -> _JudgedFrame:
    report = analyze_photo(detector, frame.image, whole=whole)
    shown = fit_display(frame.image, side=SHOWN_SIDE)
    return _JudgedFrame(
        ShownFrame(shown, frame.time_s, shown.width / frame.image.width),
        frame.image.size,
        tuple(_with_small_crop(face) for face in report.faces),
        tuple(_seen(frame.image, face, detector.checkpoint.margin) for face in report.faces),
    )


def _seen(image: Image.Image, face: FaceReport, margin: float) -> SeenFace:
    crop = crop_face(image, face.face, margin=margin).image if face.face else image
    return SeenFace(face.box_xyxy, looks_of(crop))


def _with_small_crop(face: FaceReport) -> FaceReport:
    if face.crop is None:
        return face
    return replace(face, crop=replace(face.crop, image=fit_display(face.crop.image, side=SHOWN_SIDE)))


def _report(detector: Detector, frames: Sequence[_JudgedFrame], whole: bool, *, all_read: bool) -> VideoReport:
    """Without how much of the clip was read.

    Args:
        all_read: whether these are all frames of an animation, which may be a title and a picture, or different photos:
            where nobody is in `MIN_FRAMES` of them, there is no more to wait for, and each frame counts as a photo.
    """
    people = [[(at, 0) for at in range(len(frames))]] if whole else track_people([frame.seen for frame in frames])
    times_s = tuple(frame.shown.time_s for frame in frames)
    info, prior = detector.checkpoint.info, detector.prior
    thresholds = at_prior(info.calibration, prior)
    sights = [[Sight(at, times_s[at], frames[at].faces[face]) for at, face in person] for person in people]
    persons = [judge_person(person, thresholds) for person in sights]
    if all_read and all(person.num_counted < MIN_FRAMES for person in persons):
        persons = [judge_person(person, thresholds, least=1) for person in sights]
    persons = _decided(sorted(persons, key=lambda person: -len(person.sights)), detector)
    outcome = _gravest(persons)
    reason = REASONS[outcome].format(count=len(frames)) if outcome in REASONS else None
    return VideoReport(outcome, info, tuple(persons), times_s, frame_size=frames[0].size, reason=reason, prior=prior)


def _decided(persons: Sequence[PersonReport], detector: Detector) -> list[PersonReport]:
    """Called fake only where so many persons allow it, as the faces of a photo are."""
    enough = _with_enough_frames(persons)
    decided = decide_among(enough, _boxes(enough), detector.checkpoint.info.calibration, detector.prior)
    by_person = dict(zip(map(id, enough), decided, strict=True))
    return [by_person.get(id(person), person) for person in persons]


def thresholds_of_person(report: VideoReport, index: int) -> Calibration:
    """`virtus.judging.thresholds_among` of one person of a clip; of one seen in passing, those of a face alone."""
    person, enough = report.persons[index], _with_enough_frames(report.persons)
    calibration, at = report.checkpoint.calibration, [one is person for one in enough]
    if True not in at:
        return at_prior(calibration, report.prior)
    return thresholds_among(enough, _boxes(enough), calibration, report.prior)[at.index(True)]


def _boxes(persons: Sequence[PersonReport]) -> list[list[Box]]:
    return [[sight.face.box_xyxy for sight in person.sights] for person in persons]


def _gravest(persons: Sequence[PersonReport]) -> Outcome:
    return gravest(person.outcome for person in _with_enough_frames(persons))


def _with_enough_frames(persons: Sequence[PersonReport]) -> Sequence[PersonReport]:
    """Who was seen in passing decides only where nobody else does."""
    return [person for person in persons if person.num_counted >= MIN_FRAMES] or persons


def _with_maps(detector: Detector, person: PersonReport, methods: Sequence[str]) -> PersonReport:
    """The key frame explained, one person after the other: what the trunk leaves behind is not small."""
    key_frame = person.key_frame
    if not methods or key_frame is None or key_frame.face.crop is None:
        return person
    state = detector.encode([key_frame.face.crop])
    maps = tuple(explain(state, method=method)[0] for method in methods)
    explained = replace(key_frame, face=replace(key_frame.face, explanations=maps))
    return replace(person, sights=tuple(explained if sight is key_frame else sight for sight in person.sights))
