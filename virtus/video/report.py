"""What is said of a clip: of each person in it, and of each frame in which a person was seen."""

from __future__ import annotations

from dataclasses import dataclass

from virtus.results import Caution, CheckpointInfo, Explanation, FaceReport, Outcome


@dataclass(frozen=True)
class Sight:
    """A person's face in one of the frames that were read.

    Attributes:
        frame: index of the frame.
        time_s: since the first frame of the clip.
        face: as of a photo; its p is that of this frame alone.
    """

    frame: int
    time_s: float
    face: FaceReport

    def to_json(self) -> dict:
        row = self.face.to_json()
        row.pop("stability", None)  # not measured in clips
        return {"frame": self.frame, "time_s": round(self.time_s, 3)} | row


@dataclass(frozen=True)
class PersonReport:
    """A person of a clip.

    Attributes:
        outcome: of the person: by `p_fake` and its spread, see `virtus.video.verdict`.
        sights: in the order of time.
        p_fake: the median over the frames that count; None where none was judged.
        p_low, p_high: its quartiles over these frames: half of them lie between.
        num_counted: frames that count: judged, and not unlike anything in training.
        telling: index in `sights` of the frame that shows best what the verdict rests on; None where none was judged.
        novelty: median over the judged frames.
        cautions: that most of the judged frames have.
        reason: a sentence, where something else than p_fake made the outcome.
    """

    outcome: Outcome
    sights: tuple[Sight, ...]
    p_fake: float | None = None
    p_low: float | None = None
    p_high: float | None = None
    num_counted: int = 0
    telling: int | None = None
    novelty: float | None = None
    cautions: tuple[Caution, ...] = ()
    reason: str | None = None

    @property
    def explanations(self) -> tuple[Explanation, ...]:
        """Of the most telling frame."""
        return () if self.telling is None else self.sights[self.telling].face.explanations

    def to_json(self) -> dict:
        row = {"outcome": str(self.outcome)}
        row |= {name: _rounded(getattr(self, name)) for name in ("p_fake", "p_low", "p_high", "novelty")}
        row |= {"num_frames": len(self.sights), "num_counted": self.num_counted, "telling": self.telling}
        row["cautions"] = [caution.name for caution in self.cautions]
        row["sights"] = [sight.to_json() for sight in self.sights]
        row["explanations"] = [one.to_json() for one in self.explanations]
        return row | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True)
class VideoReport:
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
    persons: tuple[PersonReport, ...] = ()
    times_s: tuple[float, ...] = ()
    duration_s: float | None = None
    complete: bool = False
    frame_size: tuple[int, int] | None = None
    path: str | None = None
    reason: str | None = None
    prior: float = 0.5

    @property
    def decisive_person(self) -> PersonReport | None:
        """The first person that came out as the clip did; None where nothing was judged."""
        return next((one for one in self.persons if one.outcome is self.outcome and one.outcome.judged), None)

    @property
    def note(self) -> str | None:
        """That not all of the clip was judged, in a sentence; None where all was, or nothing could be."""
        if self.complete or self.duration_s is None:
            return None
        return f"The clip is cut off or damaged: only what can be read of its first {self.duration_s:.1f} s was judged."

    def to_json(self) -> dict:
        row = {
            "kind": "video",
            "path": self.path,
            "outcome": str(self.outcome),
            "checkpoint": self.checkpoint.to_json(),
        }
        row |= {"prior": self.prior, "duration_s": _rounded(self.duration_s), "complete": self.complete}
        row["frame_size"] = list(self.frame_size) if self.frame_size else None
        row["times_s"] = [round(time, 3) for time in self.times_s]
        row["persons"] = [person.to_json() for person in self.persons]
        return row | {name: text for name in ("reason", "note") if (text := getattr(self, name))}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)
