"""A checkpoint calibrated anew, on labelled pictures that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from virtus.checkpoints import (
    LOCAL,
    Detector,
    examine_checkpoint,
    fit_calibration,
    forget_user_calibration,
    judge,
    locate,
    store_calibration,
    store_user_calibration,
)
from virtus.judging.evaluation import Evaluation, evaluate_labelled
from virtus.labels import label_from_name
from virtus.results import Calibration, CheckpointInfo, Label, Outcome

# Softened so far that no p is rounded to 0 or 1: the margin can be read off it again.
SOFT = Calibration(temperature=100.0, real_below=0.5, fake_above=0.5)


@dataclass(frozen=True)
class Recalibration:
    """A calibration, and what it was made from.

    Attributes:
        evaluation: of the pictures; its p and outcomes are those of no calibration that is used.
        inconclusive: share of the judged pictures that it leaves between the thresholds.
    """

    calibration: Calibration
    evaluation: Evaluation
    inconclusive: float

    def in_words(self) -> str:
        """Lines for the person who asked for it."""
        one, counts = self.calibration, self.evaluation.to_json()
        (real, fake) = (sum(row) for row in counts["confusion"])
        lines = [f"{one.num_pictures} pictures: {real} real, {fake} fake"]
        if unjudged := {name: n for name, n in counts["outcomes"].items() if not Outcome(name).judged}:
            listed = ", ".join(f"{n} {name}" for name, n in unjudged.items())
            lines.append(f"not judged, and left out: {listed}")
        return "\n".join(
            [
                *lines,
                f"calibration error (ECE) {one.ece_before:.3f} before, {one.ece_after:.3f} now, on these same pictures",
                f"temperature {one.temperature:.3f}, bias {one.bias:.3f}",
                f"real below {one.real_below:.3f}, fake from {one.fake_above:.3f}, "
                f"{self.inconclusive:.1%} of these pictures inconclusive between",
            ]
        )


def recalibrate(
    detector: Detector,
    labelled: Sequence[tuple[Path, Label]],
    sources: Sequence[str],
    *,
    whole: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Recalibration:
    """Judge pictures whose class is known, and fit a calibration on the largest face of each.

    Args:
        detector: its own calibration and prior play no part.
        labelled: pictures that its checkpoint was not trained on; otherwise p will be far too sure.
        sources: where each is from: see `fit_calibration`.

    Raises:
        DataError: with too few judged pictures of a class.
    """
    evaluation = evaluate_labelled(_softened(detector), labelled, whole=whole, progress=progress)
    margins = _margins(evaluation)
    judged = np.flatnonzero(~np.isnan(margins))
    calibration = fit_calibration(margins[judged], [labelled[i][1] for i in judged], [sources[i] for i in judged])
    outcomes = [judge(margin, calibration)[1] for margin in margins[judged]]
    return Recalibration(calibration, evaluation, outcomes.count(Outcome.INCONCLUSIVE) / len(outcomes))


def margins_of(detector: Detector, labelled: Sequence[tuple[Path, Label]], *, whole: bool = False) -> np.ndarray:
    """Logit of fake minus real of the largest face of each picture, (N,) float64; NaN where none was judged."""
    return _margins(evaluate_labelled(_softened(detector), labelled, whole=whole))


def _margins(evaluation: Evaluation) -> np.ndarray:
    p_fake = np.array([report.p_fake for _, report in evaluation.rows], dtype=float)  # None becomes NaN
    return SOFT.temperature * np.log(p_fake / (1 - p_fake))


def keep(info: CheckpointInfo, calibration: Calibration) -> Path:
    """Store it where `load_checkpoint` will find it: in a local folder's own virtus.json, else with the user's own.

    Returns:
        The file that it is in.

    Raises:
        InputError: if it cannot be written.
    """
    if info.revision != LOCAL:
        return store_user_calibration(info.name, info.sha256, calibration)
    _, folder, _ = locate(info.name)
    return store_calibration(folder, calibration)


def forget(name: str) -> Path | None:
    """Remove what `keep` stored; the file that it was in, None where there was none.

    Raises:
        CheckpointError: if there is no such checkpoint.
        InputError: if it cannot be removed.
    """
    name, folder, revision = locate(name)
    examined = examine_checkpoint(folder, name=name)
    if revision != LOCAL:
        return forget_user_calibration(name, examined.sha256)
    if examined.own.get("calibration") is None:
        return None
    return store_calibration(folder, None)


def source_from_folders(relative: Path) -> str:
    """The first folder of a labelled tree, unless it is that of a class: `lfw/Real/1.jpg` is of the source `lfw`."""
    first = relative.parts[0]
    return "all" if len(relative.parts) == 1 or label_from_name(first) else first


def _softened(detector: Detector) -> Detector:
    checkpoint = detector.checkpoint
    info = replace(checkpoint.info, calibration=SOFT)
    return Detector(replace(checkpoint, info=info), batch_size=detector.batch_size)
