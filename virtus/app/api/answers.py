"""What the endpoints answer, key by key: Gradio's API page and the tools of `serve --mcp` show these types.

They describe what `to_json` of the engine's results makes. A class with `total=False` holds keys that may be
absent.
"""

from typing import Literal

from typing_extensions import TypedDict

from virtus.judging import Agreement
from virtus.provenance import Kind
from virtus.results import Label, Outcome

FaceOutcome = Literal["real", "fake", "inconclusive", "face_too_small"]


class CalibrationAnswer(TypedDict):
    """logit(p) = margin / temperature + bias; `real` below the one threshold, `fake` from the other on."""

    temperature: float
    bias: float
    real_below: float
    fake_above: float


class CheckpointAnswer(TypedDict):
    """Which weights judged; `calibration` is null where they have none."""

    name: str
    revision: str
    sha256: str
    calibration: CalibrationAnswer | None


class StabilityAnswer(TypedDict):
    """p of fake under small changes: the least, the greatest, each; and whether one of them flips the verdict."""

    low: float
    high: float
    flips: bool
    p_fake: dict[str, float]


class _Face(TypedDict):
    box_xyxy: list[float]
    p_fake: float | None
    outcome: FaceOutcome


class FaceAnswer(_Face, total=False):
    """One face; `p_fake` is null where it was not judged, and so are `cautions`, `novelty` and `stability` absent."""

    confidence: float
    cautions: list[str]
    novelty: float | None
    stability: StabilityAnswer | None
    reason: str


class _Report(TypedDict):
    path: None
    outcome: Outcome
    checkpoint: CheckpointAnswer
    prior: float
    image_size: list[int] | None
    faces: list[FaceAnswer]


class ReportAnswer(_Report, total=False):
    """One photo, its faces largest first; `reason` says why nothing was judged."""

    reason: str


class _BatchReport(_Report):
    name: str


class BatchReportAnswer(_BatchReport, total=False):
    """One of many photos; `name` is that of its file, behind the zip's where it was in one."""

    reason: str


class FaithfulnessAnswer(TypedDict):
    """The map against random ones: `p_value` is the share of them that do at least as well."""

    deletion: float
    insertion: float
    p_value: float
    better_than_chance: bool
    beats_centre: bool
    num_random: int


class ExplainAnswer(ReportAnswer, total=False):
    """The photo's report, and one face of it explained: `heatmap` is raw, grid_h lists of grid_w numbers."""

    face: int
    box_xyxy: list[float]
    face_outcome: FaceOutcome
    method: str
    target: Label | None
    signed: bool
    faithfulness: FaithfulnessAnswer | None
    heatmap: list[list[float]]


class MapAnswer(TypedDict):
    """A map of one face: `heatmap` is raw, grid_h lists of grid_w numbers."""

    method: str
    target: Label | None
    signed: bool
    faithfulness: FaithfulnessAnswer | None
    heatmap: list[list[float]]


class ComparedFaceAnswer(FaceAnswer, total=False):
    """One face as one of the checkpoints sees it; face i of each is face i of all."""

    explanations: list[MapAnswer]


class _ComparedReport(_Report):
    faces: list[ComparedFaceAnswer]
    error: None


class ComparedReportAnswer(_ComparedReport, total=False):
    """The photo as one of the checkpoints judges it."""

    reason: str


class NameAnswer(TypedDict):
    """A checkpoint of which no more is known."""

    name: str


class NotAskedAnswer(TypedDict):
    """In a report's place: why this checkpoint could not be asked."""

    checkpoint: NameAnswer
    outcome: None
    faces: list[None]
    error: str


class CompareAnswer(TypedDict):
    """A report for each checkpoint, in the order asked for, and whether they agree: on the photo, on each face."""

    path: None
    agreement: Agreement | None
    by_face: list[Agreement | None]
    reports: list[ComparedReportAnswer | NotAskedAnswer]


class FindingAnswer(TypedDict):
    """One thing that a file says of its own origin: it is a claim, and no proof."""

    kind: Kind
    what: str
    where: str
    meaning: str


class ProvenanceAnswer(TypedDict):
    """What a file says of its own origin. Where it is not `known`, nothing follows from that."""

    known: bool
    statement: str
    findings: list[FindingAnswer]


class _Sight(_Face):
    frame: int
    time_s: float


class SightAnswer(_Sight, total=False):
    """A person's face in one frame of a clip; `frame` is its index in `times_s`."""

    confidence: float
    cautions: list[str]
    novelty: float | None
    reason: str


class _Person(TypedDict):
    outcome: FaceOutcome
    p_fake: float | None
    p_low: float | None
    p_high: float | None
    novelty: float | None
    num_frames: int
    num_counted: int
    telling: int | None
    cautions: list[str]
    sights: list[SightAnswer]
    explanations: list[MapAnswer]


class PersonAnswer(_Person, total=False):
    """One person of a clip: the median of p over the frames that count, and its quartiles."""

    reason: str


class _Video(TypedDict):
    path: None
    kind: Literal["video"]
    outcome: Outcome
    checkpoint: CheckpointAnswer
    prior: float
    duration_s: float | None
    complete: bool
    frame_size: list[int] | None
    times_s: list[float]
    persons: list[PersonAnswer]


class VideoAnswer(_Video, total=False):
    """One clip, who was seen in most frames first; `note` says that not all of it could be read."""

    reason: str
    note: str
