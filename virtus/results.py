"""What the engine returns: frozen dataclasses, and the outcomes that a verdict can have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


class Label(StrEnum):
    """The two classes. Their index in a checkpoint's logits is read from its label names."""

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
class Calibration:
    """What a checkpoint's logits are worth.

    Attributes:
        temperature: the logits are divided by it before p is taken from them,
        bias: and this is added to their difference, fake minus real: logit(p) = margin / temperature + bias.
        real_below, fake_above: a calibrated p below the one is `real`, from the other on `fake`, else `inconclusive`.
        num_pictures: that it was fitted on; 0 where it was not fitted.
        ece_before, ece_after: expected calibration error on those pictures, without and with it.
    """

    temperature: float
    real_below: float
    fake_above: float
    num_pictures: int = 0
    ece_before: float | None = None
    ece_after: float | None = None
    bias: float = 0.0

    def used(self) -> dict[str, float]:
        """What a verdict depends on."""
        thresholds = {"real_below": self.real_below, "fake_above": self.fake_above}
        return {"temperature": self.temperature, "bias": self.bias} | thresholds


@dataclass(frozen=True)
class CheckpointInfo:
    """Which weights judged.

    Attributes:
        name: as asked for, or the name that `auto` stood for.
        revision: commit hash on the Hub; "bundled" or "local" otherwise.
        sha256: of the weights file (of the shards one after the other where there are several).
        calibration: that its verdicts go by; None where it has none.
    """

    name: str
    revision: str
    sha256: str
    calibration: Calibration | None = None

    def to_json(self) -> dict:
        """`calibration` as temperature, bias and thresholds, or None."""
        row = {"name": self.name, "revision": self.revision, "sha256": self.sha256, "calibration": None}
        return row | ({"calibration": self.calibration.used()} if self.calibration else {})


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
        name: `small`, `blurred`, `compressed`, `turned_away`, `cut_off`, `several_faces` or `unfamiliar`.
        sentence: for people: what is the matter, and what to do.
    """

    name: str
    sentence: str


@dataclass(frozen=True)
class Stability:
    """The same face judged again under small harmless changes.

    Attributes:
        p_by_change: p of fake under each change, such as "JPEG 50"; without those that the picture has no room for.
        low, high: the least and the greatest p, that of the unchanged face among them.
        flips: whether some change moves it to the other class.
    """

    p_by_change: dict[str, float]
    low: float
    high: float
    flips: bool

    def in_words(self) -> str:
        return f"p_fake {self.low:.3f} to {self.high:.3f} under small changes"

    def to_json(self) -> dict:
        p_by_change = {name: round(p, 6) for name, p in self.p_by_change.items()}
        return {"low": round(self.low, 6), "high": round(self.high, 6), "flips": self.flips, "p_fake": p_by_change}


@dataclass(frozen=True)
class Faithfulness:
    """Whether a heatmap points at what the model uses, on this very crop (Petsiuk et al. 2018, arXiv:1806.07421).

    Attributes:
        deletion: mean p of the explained class while patches are blurred, most relevant first: low is good.
        insertion: mean p of it while they are put back into a blurred copy, most relevant first: high is good.
        p_value: share of random maps as smooth as this one that do at least as well (itself counted): one-sided.
        beats_centre: whether it does better than a map of nothing but nearness to the centre.
        num_random: random maps that it was held against.
    """

    deletion: float
    insertion: float
    p_value: float
    beats_centre: bool
    num_random: int

    @property
    def better_than_chance(self) -> bool:
        """At the usual level of one in twenty."""
        return self.p_value <= SIGNIFICANCE

    def to_json(self) -> dict:
        figures = {"deletion": round(self.deletion, 6), "insertion": round(self.insertion, 6)}
        tested = {"p_value": round(self.p_value, 6), "better_than_chance": self.better_than_chance}
        return figures | tested | {"beats_centre": self.beats_centre, "num_random": self.num_random}


@dataclass(frozen=True)
class Explanation:
    """A raw heatmap on the model's patch grid.

    Attributes:
        method: its name in `EXPLAINERS`.
        heatmap: float32, (grid_h, grid_w), higher is more relevant; neither resized nor normalised.
        target: the class it speaks of; None for a method that knows no class.
        signed: whether it is evidence for fake (above 0) and for real (below 0), in logits.
        faithfulness: None where it was not measured.
    """

    method: str
    heatmap: np.ndarray
    target: Label | None
    signed: bool = False
    faithfulness: Faithfulness | None = None

    def to_json(self) -> dict:
        """`heatmap` as grid_h lists of grid_w numbers."""
        heatmap = [[round(float(value), 6) for value in row] for row in self.heatmap]
        row = {"method": self.method, "target": self.target and str(self.target), "signed": self.signed}
        row["faithfulness"] = self.faithfulness.to_json() if self.faithfulness else None
        return row | {"heatmap": heatmap}


@dataclass(frozen=True)
class FaceReport:
    """One face of a picture: judged (`crop` and `p_fake` are set) or too small to be judged (both None).

    Attributes:
        box_xyxy: in pixels of the upright picture; of a whole picture where no face was looked for.
        novelty: see `Prediction`.
        cautions: what makes the verdict less sure.
        stability: None where it was not asked for.
        reason: a sentence, where something else than its p made the outcome `inconclusive`.
    """

    box_xyxy: tuple[float, float, float, float]
    outcome: Outcome
    face: Face | None = None
    crop: FaceCrop | None = None
    p_fake: float | None = None
    explanations: tuple[Explanation, ...] = ()
    novelty: float | None = None
    cautions: tuple[Caution, ...] = ()
    stability: Stability | None = None
    reason: str | None = None

    def to_json(self) -> dict:
        p_fake = None if self.p_fake is None else round(self.p_fake, 6)
        row = {"box_xyxy": [round(v, 1) for v in self.box_xyxy], "p_fake": p_fake, "outcome": str(self.outcome)}
        row |= {"confidence": round(self.face.confidence, 4)} if self.face else {}
        if self.outcome.judged:
            row["cautions"] = [caution.name for caution in self.cautions]
            row["novelty"] = None if self.novelty is None else round(self.novelty, 4)
            row["stability"] = self.stability.to_json() if self.stability else None
        return row | ({"reason": self.reason} if self.reason else {})


@dataclass(frozen=True)
class ImageReport:
    """All there is to say about one picture.

    Attributes:
        outcome: the gravest of its judged faces; otherwise why nothing was judged.
        checkpoint: who judged.
        faces: largest first.
        image_size: width and height of the upright picture; None where it could not be read.
        path: where it came from, when it came from a file.
        reason: a sentence, where nothing was judged.
        prior: share of fakes among photos like this one that every p assumes.
    """

    outcome: Outcome
    checkpoint: CheckpointInfo
    faces: tuple[FaceReport, ...] = ()
    image_size: tuple[int, int] | None = None
    path: str | None = None
    reason: str | None = None
    prior: float = 0.5

    @property
    def p_fake(self) -> float | None:
        """Of the largest judged face; None where nothing was judged."""
        return next((face.p_fake for face in self.faces if face.p_fake is not None), None)

    @property
    def decisive_face(self) -> FaceReport | None:
        """The largest face that came out as the picture did; None where nothing was judged."""
        return next((face for face in self.faces if face.outcome is self.outcome and face.outcome.judged), None)

    def to_json(self) -> dict:
        row = {"path": self.path, "outcome": str(self.outcome), "checkpoint": self.checkpoint.to_json()}
        row["prior"] = self.prior
        row["image_size"] = list(self.image_size) if self.image_size else None
        row["faces"] = [face.to_json() for face in self.faces]
        return row | ({"reason": self.reason} if self.reason else {})
