"""What is said of a clip: of each person in it, and of each frame in which a person was seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from virtus.results import CautionName, CheckpointInfo, Explanation, FaceOutcome, FaceReport, Outcome
from virtus.schema import FIRST, Inline, Key, Number, Row, Share

Seconds = Annotated[float, Number(3)]


@dataclass(frozen=True)
class Sight(Row):
    """A person's face in one of the frames that were read.

    Attributes:
        frame: index of the frame in `times_s`.
        time_s: since the first frame of the clip.
        face: as of a photo; its p is that of this frame alone.
    """

    frame: int
    time_s: Seconds
    face: Annotated[FaceReport, Inline(without=("stability",))]  # which is not measured in clips


@dataclass(frozen=True)
class PersonReport(Row):
    """A person of a clip.

    Attributes:
        outcome: of the person: by `p_fake` and its spread, see `virtus.video.verdict`.
        sights: in the order of time.
        p_fake: the median over the frames that count; None where none was judged.
        p_low: the lower quartile over these frames.
        p_high: the upper one: half of the frames lie between.
        num_counted: frames that count: judged, and not unlike anything in training.
        telling: index in `sights` of the frame that shows best what the verdict rests on; None where none was judged.
        novelty: median over the judged frames.
        cautions: that most of the judged frames have.
        reason: a sentence, where something else than `p_fake` made the outcome.
    """

    outcome: FaceOutcome
    sights: Annotated[tuple[Sight, ...], Key(after="cautions")]
    p_fake: Share | None = None
    p_low: Share | None = None
    p_high: Share | None = None
    num_counted: int = 0
    telling: int | None = None
    novelty: Annotated[Annotated[float, Number(6)] | None, Key(after="p_high")] = None
    cautions: tuple[CautionName, ...] = ()
    reason: Annotated[str | None, Key(when="reason")] = None

    @property
    def num_frames(self) -> Annotated[int, Key(after="novelty")]:
        """In which the person was seen."""
        return len(self.sights)

    @property
    def key_frame(self) -> Sight | None:
        """Of the sights, that which `telling` names."""
        return None if self.telling is None else self.sights[self.telling]

    @property
    def explanations(self) -> Annotated[tuple[Explanation, ...], Key(after="sights")]:
        """Of the most telling frame, where it was asked for."""
        return self.key_frame.face.explanations if self.key_frame else ()


@dataclass(frozen=True)
class VideoReport(Row):
    """All there is to say about one clip.

    Attributes:
        outcome: the gravest of its persons' (of those with enough frames, where there are any); otherwise why nothing
            was judged.
        checkpoint: who judged.
        persons: who was seen in most frames first.
        times_s: of the frames that were read, since the first frame of the clip.
        duration_s: of the part that can be read; None where nothing can.
        complete: whether the whole clip could be read, and every frame that was asked for.
        frame_size: width and height of the upright frames.
        path: where it came from, when it came from a file.
        reason: a sentence, where nothing was judged.
        prior: share of fakes among clips like this one that every p assumes.
    """

    outcome: Outcome
    checkpoint: CheckpointInfo
    persons: Annotated[tuple[PersonReport, ...], Key(after="frame_size")] = ()
    times_s: Annotated[tuple[Seconds, ...], Key(after="frame_size")] = ()
    duration_s: Annotated[float, Number(6)] | None = None
    complete: bool = False
    frame_size: tuple[int, int] | None = None
    path: Annotated[str | None, Key(after=FIRST)] = None
    reason: Annotated[str | None, Key(when="reason")] = None
    prior: Annotated[float, Key(after="checkpoint")] = 0.5

    @property
    def kind(self) -> Annotated[Literal["video"], Key(after=FIRST)]:
        """What tells it from the report of a photo."""
        return "video"

    @property
    def decisive_person(self) -> PersonReport | None:
        """The first person that came out as the clip did; None where nothing was judged."""
        return None if self.decided_by is None else self.persons[self.decided_by]

    @property
    def decided_by(self) -> Annotated[int | None, Key(after="outcome", when="persons")]:
        """Index in `persons` of the first that came out as the clip did; None where none was judged."""
        came_out_so = (at for at, person in enumerate(self.persons) if person.outcome is self.outcome)
        return next(came_out_so, None) if self.outcome.judged else None

    @property
    def note(self) -> Annotated[str | None, Key(when="note")]:
        """That not all of the clip was judged, in a sentence; None where all was, or nothing could be."""
        if self.complete or self.duration_s is None:
            return None
        cause = "cut off or damaged, or an animation of more pixels than are decoded"
        return f"The clip is {cause}: only what can be read of its first {self.duration_s:.1f} s was judged."
