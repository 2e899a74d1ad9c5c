"""How the figures change when pictures are compressed, scaled, blurred, made noisy, darker or brighter.

The picture is changed, then cropped where its face was found before the change: this measures the classifier, and is an
order of magnitude faster. A face finder that misses faces in bad pictures is not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from tqdm import tqdm

from train.report.evaluate import JudgedSample
from virtus.checkpoints import Detector, classification_metrics
from virtus.faces import cut_out
from virtus.judging import blur, brightness, jpeg, noise, rescale
from virtus.media import load_image
from virtus.parallel import in_chunks
from virtus.results import FaceCrop, Label

READ_AHEAD = 8  # pictures whose changed crops, one for each level, are judged together


@dataclass(frozen=True)
class PictureChange:
    """A way to change a picture, and how far.

    Attributes:
        name: in metrics.json.
        title, unit: for people.
        levels: mildest first.
        clean: the level that changes nothing.
        change: from picture and level to a picture of the same size; with `seeded`, and from a seed.
    """

    name: str
    title: str
    unit: str
    levels: tuple[float, ...]
    clean: float
    change: Callable[..., Image.Image]
    seeded: bool = False

    def apply(self, image: Image.Image, level: float, seed: int) -> Image.Image:
        return self.change(image, level, seed=seed) if self.seeded else self.change(image, level)


CHANGES = (
    PictureChange("jpeg", "JPEG", "quality", (90, 70, 50, 30), 100, jpeg),
    PictureChange("scale", "Scaled down and up", "factor", (0.5, 0.35, 0.25), 1, rescale),
    PictureChange("blur", "Gaussian blur", "sigma (px)", (1, 2), 0, blur),
    PictureChange("noise", "Gaussian noise", "sigma (of 255)", (5, 10), 0, noise, seeded=True),
    PictureChange("brightness", "Brightness", "factor", (0.6, 1.4), 1, brightness),
)
STEPS = tuple((change, level) for change in CHANGES for level in change.levels)


@dataclass(frozen=True)
class Robustness:
    """Accuracy (of p at 0.5) and AUC of one set of pictures under one change.

    Attributes:
        source: "all" for all pictures.
        change: its name; "none" for the pictures as they are, whose level is None.
        accuracy, auc: None where they are not defined.
    """

    source: str
    change: str
    level: float | None
    accuracy: float | None
    auc: float | None


def measure_robustness(
    detector: Detector, judged: Sequence[JudgedSample], *, sets: dict[str, list[int]]
) -> list[Robustness]:
    """Judge the largest face of each picture, or all of it where that was judged, again under every change.

    Args:
        judged: by the same checkpoint, as the pictures are; those without a p are left out.
        sets: for each source the indices in `judged`, and so for "all".
    """
    with_face = [index for index, picture in enumerate(judged) if picture.judged_faces]
    p_fake = np.full((1 + len(STEPS), len(judged)), np.nan)
    p_fake[0, with_face] = [judged[index].report.p_fake for index in with_face]
    for chunk in in_chunks(tqdm(with_face, desc="robustness", unit="img"), READ_AHEAD):
        crops = [crop for index in chunk for crop in _changed_crops(judged[index], index, detector.checkpoint.margin)]
        predictions = [prediction.p_fake for prediction in detector.predict(crops)]
        p_fake[1:, chunk] = np.reshape(predictions, (len(chunk), len(STEPS))).T
    is_fake = np.array([picture.sample.label is Label.FAKE for picture in judged], dtype=bool)
    return [
        _row(source, step, is_fake[kept], p_fake[row, kept])
        for source, indices in sets.items()
        for kept in [np.intersect1d(indices, with_face).astype(int)]
        for row, step in enumerate([None, *STEPS])
    ]


def _changed_crops(judged: JudgedSample, seed: int, margin: float) -> list[FaceCrop]:
    image, face = load_image(judged.sample.path), judged.judged_faces[0]
    return [cut_out(change.apply(image, level, seed), face, margin=margin) for change, level in STEPS]


def _row(source: str, step: tuple[PictureChange, float] | None, is_fake: np.ndarray, p_fake: np.ndarray) -> Robustness:
    metrics = classification_metrics(is_fake.tolist(), p_fake.tolist())
    name, level = (step[0].name, step[1]) if step else ("none", None)
    return Robustness(source, name, level, metrics["accuracy"], metrics["auc"])
