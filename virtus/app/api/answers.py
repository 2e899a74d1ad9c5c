"""What endpoints answer that is no result of the engine as it is."""

from dataclasses import dataclass
from typing import Annotated

from virtus.judging import ComparedReport, Comparison
from virtus.results import Box, Explanation, FaceOutcome, ImageReport
from virtus.schema import As, Inline, Key, Row


@dataclass(frozen=True)
class BatchReport(Row):
    """One of many photos.

    Attributes:
        name: of the file; `photos.zip/inner.jpg` where it was in a zip.
    """

    name: str
    report: Annotated[ImageReport, Inline()]


@dataclass(frozen=True)
class ExplainedFace(Row):
    """The face that was asked for, and its map where it was judged.

    Attributes:
        face: as asked.
        box_xyxy: of this face.
        face_outcome: of this face. The keys below are absent where it is `face_too_small`.
    """

    face: int
    box_xyxy: Box
    face_outcome: FaceOutcome
    explanation: Annotated[Explanation | None, Inline()] = None


@dataclass(frozen=True)
class ExplainAnswer(Row):
    """A photo, and one face of it explained, where there is one."""

    report: Annotated[ImageReport, Inline()]
    face: Annotated[ExplainedFace | None, Inline()] = None


@dataclass(frozen=True)
class ExploredFace(Row):
    """The face that was asked for, and what one pass of the model says of it where it was judged.

    Attributes:
        face: as asked, or the one that decided.
        box_xyxy: of this face.
        face_outcome: of this face. The keys below are null where it is `face_too_small`.
        p_fake_by_block: the logit lens: before the first block and after each; the last is the verdict's. Layers before
            the last were never trained to be read so.
        grid_size: rows and columns of the patches.
        prefix_names: tokens before the patches.
        patch_names: the part of the face that each patch shows, row by row.
        looked_most_at: the parts with the highest patches of rollout, the highest first.
    """

    face: int
    box_xyxy: Box
    face_outcome: FaceOutcome
    p_fake_by_block: tuple[float, ...] | None = None
    grid_size: tuple[int, int] | None = None
    prefix_names: tuple[str, ...] | None = None
    patch_names: tuple[str, ...] | None = None
    looked_most_at: tuple[str, ...] | None = None


@dataclass(frozen=True)
class ExploreAnswer(Row):
    """A photo, and one face of it explored, where there is one."""

    report: Annotated[ImageReport, Inline()]
    face: Annotated[ExploredFace | None, Inline()] = None


@dataclass(frozen=True)
class CheckpointReport(Row):
    """The photo as one of the checkpoints judges it.

    Attributes:
        error: what stands there where a checkpoint could not be asked.
    """

    report: Annotated[ImageReport, As(ComparedReport), Inline()]
    error: None = None


@dataclass(frozen=True)
class CheckpointName(Row):
    """A checkpoint of which no more is known.

    Attributes:
        name: as asked for.
    """

    name: str


@dataclass(frozen=True)
class NotAsked(Row):
    """In a report's place: why a checkpoint could not be asked.

    Attributes:
        checkpoint: which.
        error: why it could not be asked.
    """

    checkpoint: CheckpointName
    error: Annotated[str, Key(after="faces")]
    outcome: None = None
    faces: tuple[None, ...] = ()


@dataclass(frozen=True)
class CompareAnswer(Row):
    """What several checkpoints say of one photo.

    Attributes:
        reports: one for each checkpoint, in the order asked for; face i of one is face i of all.
    """

    comparison: Annotated[Comparison, Inline(without=("reports",))]
    reports: tuple[CheckpointReport | NotAsked, ...]
