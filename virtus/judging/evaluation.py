"""A labelled folder to metrics: how good a checkpoint is on somebody's own pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.checkpoints import EVEN, classification_metrics
from virtus.errors import DataError
from virtus.judging.photo import analyze_paths
from virtus.labels import label_from_folders
from virtus.media import find_pictures
from virtus.results import CheckpointInfo, ImageReport, Label

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


@dataclass(frozen=True)
class Evaluation:
    """The reports of labelled pictures, with the truth of each."""

    checkpoint: CheckpointInfo
    rows: tuple[tuple[Label, ImageReport], ...]

    def to_json(self) -> dict:
        """Metrics over judged pictures (a picture with several faces counts by its largest), counts over all."""
        judged = [(label, report.p_fake) for label, report in self.rows if report.outcome.judged]
        metrics = classification_metrics([label is Label.FAKE for label, _ in judged], [p_fake for _, p_fake in judged])
        counts = Counter(str(report.outcome) for _, report in self.rows)
        return metrics | {
            "num_images": len(self.rows),
            "num_judged": len(judged),
            "outcomes": dict(sorted(counts.items())),
            "prior": self.rows[0][1].prior if self.rows else EVEN,
            "checkpoint": self.checkpoint.to_json(),
        }


def find_labelled(folder: Path) -> list[tuple[Path, Label]]:
    """Pictures below folders named Real and Fake (any case, any depth, synonyms too), sorted by path.

    Raises:
        DataError: if there is no such folder, or no labelled picture in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"There is no folder {folder}. Give one with Real/ and Fake/ folders in it.")
    # The folder itself may be one of the two: `evaluate data/Real`.
    root = folder.resolve().parent
    labelled = [(path, label_from_folders(path.resolve().relative_to(root))) for path in find_pictures(folder)]
    labelled = [(path, label) for path, label in labelled if label is not None]
    if not labelled:
        raise DataError(
            f"No pictures below {folder} lie in a folder named Real or Fake. Sort them into two such folders."
        )
    return labelled


def evaluate_folder(detector: Detector, folder: Path, *, whole: bool = False) -> Evaluation:
    """Judge every labelled picture below a folder: `find_labelled`, then `evaluate_labelled`.

    Raises:
        DataError: if there is nothing labelled.
    """
    return evaluate_labelled(detector, find_labelled(folder), whole=whole)


def evaluate_labelled(
    detector: Detector,
    labelled: Sequence[tuple[Path, Label]],
    *,
    whole: bool = False,
    progress: Callable[[Iterable], Iterable] = iter,
) -> Evaluation:
    """Judge pictures whose class is known.

    Args:
        whole: judge the pictures as they are, without looking for faces.
        progress: wraps the reports as they come, such as a progress bar.
    """
    reports = progress(analyze_paths(detector, [path for path, _ in labelled], whole=whole))
    rows = tuple((label, report) for (_, label), report in zip(labelled, reports, strict=True))
    return Evaluation(detector.checkpoint.info, rows)
