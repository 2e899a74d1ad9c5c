"""What a run left behind, read for those who tell others of it: its model card and its folder for the Hub."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from train.config import CLIP_BASE, CLIP_LARGE, DEIT_BASE, DEIT_TINY, DIMA806, VIT_BASE
from virtus.checkpoints import is_repo_id, read_calibration, read_sidecar
from virtus.errors import DataError
from virtus.results import Calibration

PLOTS = {  # of a report, those that show no one's face
    "roc.png": "ROC curves",
    "reliability.png": "Reliability diagrams: share of fakes against p",
    "robustness.png": "Accuracy and AUC under changes of the picture",
    "confusion.png": "Confusion matrices at p = 0.5",
}
BASES = (DEIT_TINY, DEIT_BASE, VIT_BASE, DIMA806, CLIP_LARGE, CLIP_BASE)
BY_FIT = "it is not the folder of a run of `python -m train fit`"


@dataclass(frozen=True)
class Run:
    """What the files of a run say.

    Attributes:
        folder: what `fit` got as --out; the report lies in its `report/`.
        config: `train_config.json`.
        model: `checkpoint/config.json`.
        sidecar: `checkpoint/virtus.json`; empty where there is none.
        record: `run.json`; None for a run that was made before there was one.
        metrics: `report/metrics.json`, of the part that chose nothing (see `Assessment.to_json`).
    """

    folder: Path
    config: dict
    model: dict
    sidecar: dict
    record: dict | None
    metrics: dict

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint"

    @property
    def report(self) -> Path:
        return self.folder / "report"

    @property
    def plots(self) -> list[str]:
        """The pictures of the report that everybody may see."""
        return [name for name in PLOTS if (self.report / name).is_file()]

    @property
    def shown_sets(self) -> dict[str, dict]:
        """The sets of the report that differ: "all" says nothing new of one source."""
        sources = self.metrics["sources"]
        return sources | ({"all": self.metrics["all"]} if len(sources) > 1 else {})

    @property
    def recipe(self) -> str:
        return str(self.config["recipe"])

    @property
    def base(self) -> str:
        """The Hub id that it was made from; the folder's name where it was one that is not known."""
        return public_base(str(self.config["base"]))

    @property
    def calibration(self) -> Calibration | None:
        return read_calibration(self.sidecar)

    @property
    def pooled(self) -> bool:
        """Whether it may have trained on some of the pictures that it was judged on."""
        return bool(self.metrics["pooled"]) or self.config.get("split", "by-group") != "by-group"


def read_run(folder: Path) -> Run:
    """Read a run that was evaluated.

    Args:
        folder: that `fit` made, with the report in `report/`.

    Raises:
        DataError: if a part is missing or not understood; it says by which command it is made.
        CheckpointError: if `virtus.json` or the calibration in it cannot be used.
    """
    _check_folder(folder)
    checkpoint = folder / "checkpoint"
    run = Run(
        folder,
        config=_read(folder / "train_config.json", BY_FIT, needs=("recipe", "base", "data", "augmentation")),
        model=_read(checkpoint / "config.json", BY_FIT),
        sidecar=read_sidecar(checkpoint),
        record=_read_if_there(folder / "run.json"),
        metrics=_read_metrics(folder),
    )
    read_calibration(run.sidecar)  # it may be refused, and should be at once
    return run


def evaluate_command(folder: Path) -> str:
    """What makes the report of a run."""
    return f"python -m train evaluate {folder / 'checkpoint'} --data DATA --out {folder / 'report'}"


def public_base(base: str) -> str:
    """A Hub id as it is; of a folder its own name, or the Hub id of a recipe's base that has that name."""
    if is_repo_id(base) and not Path(base).is_dir():
        return base
    name = folder_name(base)
    return next((repo_id for repo_id in BASES if repo_id.split("/")[1] == name), name)


def folder_name(path: str) -> str:
    """The last part of a path of any system: nobody needs to know where it lay."""
    return PureWindowsPath(path).name or "data"


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        what = "Give the folder of a run: what `python -m train fit` got as --out."
        raise DataError(f"There is no folder {folder}. {what}")
    if not (folder / "checkpoint").is_dir():
        meant = f" Did you mean {folder.parent}?" if folder.name == "checkpoint" else ""
        what = "give the folder that `python -m train fit` got as --out."
        raise DataError(f"{folder} holds no checkpoint/: {what}{meant}")


def _read_metrics(folder: Path) -> dict:
    remedy = f"make it by `{evaluate_command(folder)}`"
    needs = ("checkpoint", "part", "bootstrap", "all", "sources", "robustness", "pooled")
    metrics = _read(folder / "report" / "metrics.json", remedy, needs=needs)
    if metrics["part"] != "report":
        what = f"is on the part {metrics['part']!r}, which made or chose the checkpoint"
        raise DataError(f"The report in {folder} {what}: {remedy}")
    return metrics


def _read_if_there(file: Path) -> dict | None:
    return _read(file, BY_FIT) if file.exists() else None


def _read(file: Path, remedy: str, *, needs: Sequence[str] = ()) -> dict:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        missing = [key for key in needs if key not in content]
    except FileNotFoundError as exc:
        raise DataError(f"{file} is missing: {remedy}") from exc
    except (OSError, ValueError, TypeError) as exc:
        raise DataError(f"{file} cannot be read ({exc}): {remedy}") from exc
    if missing or not isinstance(content, dict):
        raise DataError(f"{file} is not understood, {(missing or ['an object'])[0]} is missing: {remedy}")
    return content
