"""An uploaded clip: judged frame by frame, and held while its visitor looks at the persons in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from virtus.app.visitors.slots import judging_slot
from virtus.drawing import jpeg_uri
from virtus.errors import VideoError
from virtus.html import StripFrame, filmstrip_html
from virtus.results import ImageReport
from virtus.video import (
    JudgedClip,
    PersonReport,
    Progress,
    ShownFrame,
    Sight,
    VideoReport,
    thresholds_of_person,
    unreadable_video,
    watch_video,
)

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


NUM_ANIMATION_FRAMES = 8  # of a picture that moves: a visitor who gives one as a photo waits a few seconds


def watch(
    detector: Detector, path: Path, *, num_frames: int, whole: bool = False, methods: Sequence[str] = ()
) -> Iterator[Progress | JudgedClip]:
    """`watch_video` of an uploaded file; one that is no clip is `unreadable`.

    Other visitors have their turn after every frame. The report is without the path, which is the server's.
    """
    steps = watch_video(detector, path, num_frames=num_frames, whole=whole, methods=methods)
    try:
        while True:
            with judging_slot():
                step = next(steps, None)
            if step is None:
                return
            yield step
    except VideoError as exc:
        yield JudgedClip(unreadable_video(detector, str(exc)), ())


def judge_clip(
    detector: Detector, path: Path, *, num_frames: int, whole: bool = False, methods: Sequence[str] = ()
) -> JudgedClip:
    """`watch`, watched to its end."""
    steps = watch(detector, path, num_frames=num_frames, whole=whole, methods=methods)
    (judged,) = (step for step in steps if isinstance(step, JudgedClip))
    return judged


def key_photo(clip: JudgedClip, sight: Sight) -> tuple[Image.Image, ImageReport]:
    """A frame of a clip as a small photo with one face in it."""
    frame, report = clip.frames[sight.frame], clip.report
    x0, y0, x1, y1 = (frame.scale * side for side in sight.face.box_xyxy)
    face = replace(sight.face, box_xyxy=(x0, y0, x1, y1))
    return frame.image, ImageReport(face.outcome, report.checkpoint, (face,), frame.image.size, prior=report.prior)


@dataclass(frozen=True)
class KeptClip:
    """A judged clip, small: the crops of the most telling frames alone, and the frames as a page shows them.

    Attributes:
        model: name of the checkpoint that judged, as it was asked for.
    """

    model: str
    report: VideoReport
    frames: tuple[StripFrame, ...]

    def strip(self, index: int) -> str:
        """The frames, with what they say of a person; nothing for one who was not judged."""
        person, duration_s = self.report.persons[index], self.report.duration_s or 0.0
        return filmstrip_html(person, self.frames, duration_s, thresholds_of_person(self.report, index))


def keep_clip(judged: JudgedClip, model: str) -> KeptClip:
    """What is needed of a clip from now on."""
    persons = tuple(_without_crops(person) for person in judged.report.persons)
    return KeptClip(model, replace(judged.report, persons=persons), tuple(map(_strip_frame, judged.frames)))


def _without_crops(person: PersonReport) -> PersonReport:
    sights = tuple(
        sight if sight is person.key_frame else replace(sight, face=replace(sight.face, crop=None))
        for sight in person.sights
    )
    return replace(person, sights=sights)


def _strip_frame(frame: ShownFrame) -> StripFrame:
    side = (frame.image.width / frame.scale, frame.image.height / frame.scale)
    return StripFrame(jpeg_uri(frame.image), frame.time_s, side)
