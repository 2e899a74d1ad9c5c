"""What the server holds of a clip while its visitor looks at the persons in it, so that none is judged again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from virtus.checkpoints import at_prior
from virtus.drawing import jpeg_uri
from virtus.html import StripFrame, filmstrip_html
from virtus.results import Calibration
from virtus.video import JudgedClip, PersonReport, ShownFrame, VideoReport


@dataclass(frozen=True)
class KeptClip:
    """A judged clip, small: the crops of the most telling frames alone, and the frames as a page shows them.

    Attributes:
        model: name of the checkpoint that judged, as it was asked for.
    """

    model: str
    report: VideoReport
    frames: tuple[StripFrame, ...]

    @property
    def used(self) -> Calibration:
        """The thresholds that the verdicts go by."""
        return at_prior(self.report.checkpoint.calibration, self.report.prior)

    def strip(self, index: int) -> str:
        """The frames, with what they say of a person; nothing for one who was not judged."""
        person, duration_s = self.report.persons[index], self.report.duration_s or 0.0
        return filmstrip_html(person, self.frames, duration_s, self.used)


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
