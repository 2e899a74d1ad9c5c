"""What the engine returns: frozen dataclasses, and the outcomes that a verdict can have.

Their JSON, API answers, tables and docs follow from the fields: see `virtus.schema`. A field is declared here alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Literal

from virtus.schema import FIRST, HIDDEN, As, Key, Number, Row, Share, Text, columns_of

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image

Novelty = Annotated[float, Number(4)]
Edge = Annotated[float, Number(1)]
Box = tuple[Edge, Edge, Edge, Edge]
"""Left, top, right, bottom, in pixels."""
Judges = Literal["faces", "pictures"]
Sha256 = Annotated[str, Text("^[0-9a-f]{64}$")]


class Label(StrEnum):
    """The two classes. Which of a checkpoint's outputs speak for each is read from its label names."""

    REAL = "real"
    FAKE = "fake"


class Outcome(StrEnum):
    """How a face or a picture came out. Only the first three carry a probability."""

    REAL = "real"
    FAKE = "fake"
    INCONCLUSIVE = "inconclusive"
    NO_FACE = "no_face"
    FACE_TOO_SMALL = "face_too_small"
    UNREADABLE = "unreadable"

    @property
    def judged(self) -> bool:
        return self in GRAVITY


FaceOutcome = Annotated[Outcome, As(Literal["real", "fake", "inconclusive", "face_too_small"], str)]
"""Those that a face or a person can have."""
SIGNIFICANCE = 0.05  # a map that means nothing is called better than chance one time in twenty
GRAVITY = (Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.REAL)
"""Judged outcomes, gravest first: the picture's outcome is the first of these that any of its faces has."""
ORDER = (*GRAVITY, Outcome.FACE_TOO_SMALL, Outcome.NO_FACE, Outcome.UNREADABLE)
"""All outcomes, gravest first, as tables and counts have them."""


def gravest(outcomes: Iterable[Outcome]) -> Outcome:
    """The outcome of a picture whose faces came out as `outcomes`."""
    found = set(outcomes)
    return next((outcome for outcome in ORDER if outcome in found), Outcome.NO_FACE)


def count_outcomes(reports: Iterable[ImageReport]) -> dict[Outcome, int]:
    """How many there are of each outcome, gravest first; those that there are none of are left out."""
    counts = Counter(report.outcome for report in reports)
    return {outcome: counts[outcome] for outcome in ORDER if counts[outcome]}


@dataclass(frozen=True)
class Face:
    """A face found in an upright picture, in that picture's pixels.

    Attributes:
        box_xyxy: left, top, right, bottom; clipped to the picture.
        landmarks: eyes, nose tip, mouth corners, five (x, y) points. They may lie outside the picture.
        confidence: of the face finder, in [0, 1].
        quarter_turns: counter-clockwise quarter turns of the picture that make this face upright, 0 to 3.
    """

    box_xyxy: tuple[float, float, float, float]
    landmarks: tuple[tuple[float, float], ...]
    confidence: float
    quarter_turns: int = 0

    @property
    def width(self) -> float:
        return self.box_xyxy[2] - self.box_xyxy[0]

    @property
    def height(self) -> float:
        return self.box_xyxy[3] - self.box_xyxy[1]

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True)
class FaceCrop:
    """The picture that the classifier sees.

    Attributes:
        image: RGB, turned so that the face is upright.
        box_xyxy: its place in the original picture, whole pixels.
        margin: side of the crop divided by the longer side of the face's box: what was reached, not what was asked
            for. None for a whole picture.
        quarter_turns: counter-clockwise quarter turns applied to the cut-out to get `image`.
    """

    image: Image.Image
    box_xyxy: tuple[int, int, int, int]
    margin: float | None = None
    quarter_turns: int = 0


@dataclass(frozen=True)
class Calibration(Row):
    """What a checkpoint's logits are worth: logit(p) = margin / temperature + bias, with the margin of fake over real.

    Attributes:
        temperature: by which the difference of the logits is divided.
        bias: that is added to it then.
        real_below: a calibrated p below it is `real`.
        fake_above: a p from it on is `fake`; between the two it is `inconclusive`.
        num_pictures: that it was fitted on; 0 where it was not fitted.
        ece_before, ece_after: expected calibration error on those pictures, without and with it.
        fake_above_among: the same for a face of 2, of up to 4, 8, 16 and 32.
    """

    temperature: float
    real_below: float
    fake_above: float
    num_pictures: Annotated[int, HIDDEN] = 0
    ece_before: Annotated[float | None, HIDDEN] = None
    ece_after: Annotated[float | None, HIDDEN] = None
    bias: Annotated[float, Key(after="temperature")] = 0.0
    fake_above_among: Annotated[tuple[Share, ...], Key(when="fake_above_among")] = ()

    def used(self) -> dict[str, Any]:
        """What a verdict depends on."""
        return {column.name: column.get(self) for column in columns_of(Calibration)}


@dataclass(frozen=True)
class CheckpointInfo(Row):
    """Which weights judged.

    Attributes:
        name: as asked for, or the name that `auto` stood for.
        revision: commit hash on the Hub; `bundled` or `local` otherwise.
        sha256: of the weights file (of the shards one after the other where there are several).
        calibration: that p and outcome went by; None where there is none.
        judges: what it was made for. One for whole pictures is shown these, and no face is looked for.
    """

    name: str
    revision: str
    sha256: Sha256
    calibration: Calibration | None = None
    judges: Annotated[Judges, HIDDEN] = "faces"


@dataclass(frozen=True)
class Prediction:
    """The classifier's answer for one crop.

    Attributes:
        p_fake: in [0, 1], at the prior of its detector.
        outcome: that its thresholds give.
        novelty: how far the crop's features lie from those of training, as a share of what still counts as alike: above
            1 it is unlike anything that the checkpoint was made for. None where the checkpoint cannot say.
    """

    p_fake: float
    outcome: Outcome
    novelty: float | None = None


@dataclass(frozen=True)
class Caution:
    """Something about a face that makes a verdict on it less sure, and what can be done about it.

    Attributes:
        name: one of those of `FaceReport.cautions`.
        sentence: for people: what is the matter, and what to do.
    """

    name: str
    sentence: str


CautionName = Annotated[Caution, As(str, attrgetter("name"))]


@dataclass(frozen=True)
class Stability(Row):
    """The same face judged again under small harmless changes.

    Attributes:
        p_by_change: p under each change, such as "JPEG 50"; without those that the picture has no room for.
        low: the least p of fake, that of the unchanged face among them.
        high: the greatest.
        flips: whether some change moves the face to the other class: the outcome is then `inconclusive`.
    """

    p_by_change: Annotated[dict[str, Share], Key("p_fake", after="flips")]
    low: Share
    high: Share
    flips: bool

    def in_words(self) -> str:
        return f"p_fake {self.low:.3f} to {self.high:.3f} under small changes"


@dataclass(frozen=True)
class Faithfulness(Row):
    """Whether a heatmap points at what the model uses, on this very crop (Petsiuk et al. 2018, arXiv:1806.07421).

    Attributes:
        deletion: mean p of the explained class while patches are blurred, most relevant first: low is good.
        insertion: mean p of it while they are put back into a blurred copy, most relevant first: high is good.
        p_value: share of random maps as smooth as this one that do at least as well (itself counted): one-sided.
        beats_centre: whether the map does better than a map of nothing but nearness to the centre.
        num_random: random maps that it was held against.
    """

    deletion: Share
    insertion: Share
    p_value: Share
    beats_centre: bool
    num_random: int

    @property
    def better_than_chance(self) -> Annotated[bool, Key(after="p_value")]:
        """Whether `p_value` is at most 0.05."""
        return self.p_value <= SIGNIFICANCE


def _rounded(heatmap: np.ndarray) -> list[list[float]]:
    return [[round(float(value), 6) for value in row] for row in heatmap]


Heatmap = Annotated["np.ndarray", As(list[list[float]], _rounded)]


@dataclass(frozen=True)
class Explanation(Row):
    """A raw heatmap on the model's patch grid.

    Attributes:
        method: that made it: its name in `EXPLAINERS`.
        heatmap: float32, (grid_h, grid_w), rows from the top, higher is more relevant; neither resized nor normalised.
        target: the class it speaks of, `real` or `fake`; None for a method that knows no class.
        signed: whether it is evidence for fake (above 0) and for real (below 0), in logits.
        faithfulness: None where it was not measured.
    """

    method: str
    heatmap: Annotated[Heatmap, Key(after="faithfulness")]
    target: Label | None
    signed: bool = False
    faithfulness: Faithfulness | None = None


@dataclass(frozen=True)
class FaceReport(Row):
    """One face of a picture: judged, with `crop` and `p_fake`, or too small to be judged, without.

    Attributes:
        box_xyxy: left, top, right, bottom in pixels of the upright picture; all of it where no face was looked for.
        outcome: `real`, `fake`, `inconclusive` or `face_too_small`.
        p_fake: probability of fake; None where the face was not judged.
        explanations: its maps, one for each method that was asked for.
        cautions: what makes the verdict less sure: `small`, `blurred`, `compressed`, `turned_away`, `cut_off`,
            `too_close`, `incomplete`, `several_faces`, `unfamiliar`. Absent, like the next two, where the face was not
            judged.
        novelty: above 1: unlike anything in training; None where the checkpoint cannot say.
        stability: None where it was not asked for.
        reason: a sentence, where something else than its p made it `inconclusive`.
    """

    box_xyxy: Box
    outcome: FaceOutcome
    face: Annotated[Face | None, HIDDEN] = None
    crop: Annotated[FaceCrop | None, HIDDEN] = None
    p_fake: Annotated[Share | None, Key(after="box_xyxy")] = None
    explanations: Annotated[tuple[Explanation, ...], HIDDEN] = ()
    cautions: Annotated[tuple[CautionName, ...], Key(when="judged")] = ()
    novelty: Annotated[Novelty | None, Key(when="judged")] = None
    stability: Annotated[Stability | None, Key(when="judged")] = None
    reason: Annotated[str | None, Key(when="reason")] = None

    @property
    def judged(self) -> bool:
        return self.outcome.judged

    @property
    def whole_image(self) -> Annotated[bool, Key(after="outcome", when="whole_image")]:
        """True where the whole picture was judged, and no face was looked for; else absent."""
        return self.face is None

    @property
    def confidence(self) -> Annotated[float | None, Number(4), Key(after="outcome", when="face")]:
        """Of the face finder, 0 to 1; absent where no face was looked for."""
        return self.face and self.face.confidence


@dataclass(frozen=True)
class ImageReport(Row):
    """All there is to say about one picture.

    Attributes:
        outcome: the gravest of its judged faces: `fake`, `inconclusive` or `real`; else why nothing was judged:
            `face_too_small`, `no_face` or `unreadable`.
        checkpoint: who judged.
        faces: largest first.
        image_size: width and height of the upright picture in pixels; None where it is `unreadable`.
        path: where it came from, when it came from a file.
        reason: why nothing was judged, in a sentence.
        prior: share of fakes among photos like this one that every p assumes.
        note: of an animation: that only the first of its frames was looked at, in a sentence.
    """

    outcome: Outcome
    checkpoint: CheckpointInfo
    faces: Annotated[tuple[FaceReport, ...], Key(after="image_size")] = ()
    image_size: tuple[int, int] | None = None
    path: Annotated[str | None, Key(after=FIRST)] = None
    reason: Annotated[str | None, Key(when="reason")] = None
    prior: Annotated[float, Key(after="checkpoint")] = 0.5
    note: Annotated[str | None, Key(when="note")] = None

    @property
    def p_fake(self) -> float | None:
        """Of the largest judged face; None where nothing was judged."""
        return next((face.p_fake for face in self.faces if face.p_fake is not None), None)

    @property
    def decisive_face(self) -> FaceReport | None:
        """The largest face that came out as the picture did; None where nothing was judged."""
        return None if self.decided_by is None else self.faces[self.decided_by]

    @property
    def decided_by(self) -> Annotated[int | None, Key(after="outcome", when="faces")]:
        """Index in `faces` of the largest that came out as the picture did; None where none was judged."""
        came_out_so = (at for at, face in enumerate(self.faces) if face.outcome is self.outcome)
        return next(came_out_so, None) if self.outcome.judged else None
