"""A labelled folder to metrics, or to a calibration: how good a checkpoint is on somebody's own pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from virtus.checkpoints import (
    EVEN,
    NUM_FACES,
    RULE,
    ThresholdRule,
    classification_metrics,
    examine_named,
    fit_calibration,
    forget_user_calibration,
    judge,
    locate,
    name_of_user_calibration,
    store_calibration,
    store_user_calibration,
)
from virtus.errors import DataError
from virtus.judging.paths import Item, analyze_paths
from virtus.labels import class_folder, label_from_folders, unlabelled_in_words
from virtus.media import LeftOut, find_pictures
from virtus.parallel import default_jobs
from virtus.results import Calibration, CheckpointInfo, ImageReport, Label, Outcome

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

# Softened so far that no p is rounded to 0 or 1: the margin can be read off it again.
SOFT = Calibration(temperature=100.0, real_below=0.5, fake_above=0.5)


@dataclass(frozen=True)
class Evaluation:
    """The reports of labelled pictures, with the truth of each."""

    checkpoint: CheckpointInfo
    rows: tuple[tuple[Label, ImageReport], ...]

    def to_json(self) -> dict:
        """Metrics over judged pictures (a picture with several faces counts by its largest), counts over all."""
        judged = [(label, report.p_fake) for label, report in self.rows if report.p_fake is not None]
        metrics = classification_metrics([label is Label.FAKE for label, _ in judged], [p_fake for _, p_fake in judged])
        counts = Counter(str(report.outcome) for _, report in self.rows)
        return metrics | {
            "num_images": len(self.rows),
            "num_judged": len(judged),
            "outcomes": dict(sorted(counts.items())),
            "prior": self.rows[0][1].prior if self.rows else EVEN,
            "checkpoint": self.checkpoint.to_json(),
        }


def find_labelled(folder: Path, notes: list[str] | None = None) -> list[tuple[Path, Label]]:
    """Pictures below folders named Real and Fake (any case, any depth, synonyms, numbers and splits too: see
    `virtus.labels.label_from_folder`), sorted by path.

    Args:
        notes: gets a sentence on each thing that is missing or left out, and what to do.

    Raises:
        DataError: if there is no such folder, or no labelled picture in it.
    """
    folder, left_out = Path(folder), LeftOut()
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Give one with Real/ and Fake/ folders in it.")
    # The folder itself may be one of the two: `evaluate data/Real`.
    own = folder.resolve().name
    places = {path: path.relative_to(folder) for path in find_pictures(folder, left_out)}
    labels = {path: label_from_folders(Path(own, place)) for path, place in places.items()}
    labelled = [(path, label) for path, label in labels.items() if label is not None]
    unlabelled = unlabelled_in_words(places[path] for path, label in labels.items() if label is None)
    if not labelled:
        nothing = f"No pictures below {folder} lie in a folder named Real or Fake. Sort them into two such folders."
        raise DataError(" ".join(filter(None, [nothing, unlabelled, *left_out.in_words()])))
    if notes is not None:
        notes += [f"of the pictures below {folder} {unlabelled}"] if unlabelled else []
        notes += [
            f"there is no {label} picture below {folder}. Put some in a folder named {label.capitalize()}."
            for label in Label
            if label not in {label for _, label in labelled}
        ]
        notes += left_out.in_words()
    return labelled


def evaluate_folder(detector: Detector, folder: Path, *, whole: bool = False) -> Evaluation:
    """Judge every labelled picture below a folder: `find_labelled`, then `evaluate_labelled`.

    Raises:
        DataError: if there is nothing labelled.
    """
    return evaluate_labelled(detector, find_labelled(folder), whole=whole)


def evaluate_labelled(
    detector: Detector,
    labelled: Sequence[tuple[Item, Label]],
    *,
    whole: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Evaluation:
    """Judge pictures whose class is known, several at once.

    Args:
        whole: judge the pictures as they are, without looking for faces.
        progress: wraps the reports as they come, such as a progress bar.
    """
    reports = progress(analyze_paths(detector, [path for path, _ in labelled], whole=whole, jobs=default_jobs()))
    rows = tuple((label, report) for (_, label), report in zip(labelled, reports, strict=True))
    return Evaluation(detector.checkpoint.info, rows)


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
        among = zip(NUM_FACES, self.calibration.fake_above_among, strict=False)
        several = ", ".join(f"{above:.3f} of up to {most}" for most, above in among)
        fitted, counts = self.calibration, self.evaluation.to_json()
        (real, fake) = (sum(row) for row in counts["confusion"])
        lines = [f"{fitted.num_pictures} pictures: {real} real, {fake} fake"]
        if unjudged := {name: n for name, n in counts["outcomes"].items() if not Outcome(name).judged}:
            listed = ", ".join(f"{n} {name}" for name, n in unjudged.items())
            lines.append(f"not judged, and left out: {listed}")
        return "\n".join(
            [
                *lines,
                f"calibration error (ECE) {fitted.ece_before:.3f} before, {fitted.ece_after:.3f} now, "
                "on these same pictures",
                f"temperature {fitted.temperature:.3f}, bias {fitted.bias:.3f}",
                f"real below {fitted.real_below:.3f}, fake from {fitted.fake_above:.3f}, "
                f"{self.inconclusive:.1%} of these pictures inconclusive between",
                f"a face of several: fake from {several}",
            ]
        )


def recalibrate(
    detector: Detector,
    labelled: Sequence[tuple[Path, Label]],
    sources: Sequence[str],
    *,
    kinds: Sequence[str] | None = None,
    rule: ThresholdRule = RULE,
    degraded: Sequence[Item] = (),
    whole: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Recalibration:
    """Judge pictures whose class is known, and fit a calibration on the largest face of each.

    Args:
        detector: its own calibration and prior play no part.
        labelled: pictures that its checkpoint was not trained on; otherwise p will be far too sure.
        sources: where each is from; `kinds` and `rule` likewise: see `fit_calibration`.
        degraded: the same pictures once more, as bad copies of them: p and thresholds are then fitted on both.

    Raises:
        DataError: with too few judged pictures of a class.
    """
    labels = [label for _, label in labelled]
    looks = [labelled, *([list(zip(degraded, labels, strict=True))] if degraded else [])]
    detector = detector.with_calibration(SOFT)
    evaluation, *others = (evaluate_labelled(detector, look, whole=whole, progress=progress) for look in looks)
    margins = np.stack([_margins(one) for one in (evaluation, *others)], axis=1)
    judged = np.flatnonzero(~np.isnan(margins[:, 0])).tolist()
    origins, likes = ([names[i] for i in judged] for names in (sources, kinds or sources))
    calibration = fit_calibration(margins[judged], [labels[i] for i in judged], origins, likes, rule=rule)
    outcomes = [judge(margin, calibration)[1] for margin in margins[judged, 0]]
    return Recalibration(calibration, evaluation, outcomes.count(Outcome.INCONCLUSIVE) / len(outcomes))


def measure_margins(detector: Detector, labelled: Sequence[tuple[Item, Label]], *, whole: bool = False) -> np.ndarray:
    """Logit of fake minus real of the largest face of each picture, (N,) float64; NaN where none was judged."""
    return _margins(evaluate_labelled(detector.with_calibration(SOFT), labelled, whole=whole))


def _margins(evaluation: Evaluation) -> np.ndarray:
    p_fake = np.array([report.p_fake for _, report in evaluation.rows], dtype=float)  # None becomes NaN
    return SOFT.temperature * np.log(p_fake / (1 - p_fake))


def keep_calibration(info: CheckpointInfo, calibration: Calibration) -> Path:
    """Store it where `load_checkpoint` will find it: in a local folder's own virtus.json, else with the user's own.

    Returns:
        The file that it is in.

    Raises:
        InputError: if it cannot be written.
    """
    if user_name := name_of_user_calibration(info.name, info.revision):
        return store_user_calibration(user_name, info.sha256, calibration)
    _, folder, _ = locate(info.name)
    return store_calibration(folder, calibration)


def forget_calibration(name: str) -> Path | None:
    """Remove what `keep_calibration` stored; the file that it was in, None where there was none.

    Raises:
        CheckpointError: if there is no such checkpoint.
        InputError: if it cannot be removed.
    """
    name, revision, examined = examine_named(name)
    if user_name := name_of_user_calibration(name, revision):
        return forget_user_calibration(user_name, examined.sha256)
    if examined.sidecar.get("calibration") is None:
        return None
    return store_calibration(examined.folder, None)


def source_from_folders(relative: Path) -> str:
    """The first folder of a labelled tree, unless it is that of a class: `lfw/Real/1.jpg` is of the source `lfw`."""
    return "all" if len(relative.parts) == 1 or class_folder(relative) == 0 else relative.parts[0]
