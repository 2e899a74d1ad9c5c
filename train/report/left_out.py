"""The table of runs that each left a kind of fakes out: how a detector does on what it never saw."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from train.config import TrainConfig
from train.fit import CONFIG, KindRun, MarginLine, find_last_step
from train.report.wording import or_dash
from virtus.checkpoints import area_under_roc, judge
from virtus.results import Calibration, Label, Outcome

TABLE = "leave_one_out.json"
COLUMNS = ("fakes", "reals", "AUC", "fakes called real", "reals called fake", "decided")


@dataclass(frozen=True)
class KindFigures:
    """What a run said of the kind that it left out.

    Attributes:
        num_fakes, num_reals: that were judged.
        auc: None without both classes.
        fakes_called_real, reals_called_fake: shares of these, at the thresholds of the run.
        decided: share of all that was called anything.
    """

    kind: str
    num_fakes: int
    num_reals: int
    auc: float | None
    fakes_called_real: float
    reals_called_fake: float
    decided: float


def figures_of(run: KindRun) -> KindFigures:
    """By the margins alone: what a checkpoint says of unfamiliar faces is not in them."""
    lines = [line for line in run.lines if line.part == "judge"]
    is_fake = np.array([line.label == Label.FAKE for line in lines])
    outcomes = np.array([judge(line.margin, run.calibration)[1] for line in lines])
    return KindFigures(
        run.kind,
        int(is_fake.sum()),
        int((~is_fake).sum()),
        area_under_roc(is_fake, [line.margin for line in lines]),
        float(np.mean(outcomes[is_fake] == Outcome.REAL)),
        float(np.mean(outcomes[~is_fake] == Outcome.FAKE)),
        float(np.mean(outcomes != Outcome.INCONCLUSIVE)),
    )


def left_out_table(rows: Sequence[KindFigures]) -> str:
    """A Markdown table: a line for each kind, their mean, and the worst of each column."""
    lines = [["kind left out", *COLUMNS], ["---", *["---:"] * len(COLUMNS)]]
    lines += [[row.kind, str(row.num_fakes), str(row.num_reals), *_cells(row)] for row in rows]
    lines += [[name, "", "", *_cells(row)] for name, row in summary(rows).items()]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(rows: Sequence[KindFigures]) -> dict[str, KindFigures]:
    """The mean over kinds and the worst of each figure, which may be of different kinds."""

    def over(name: str, low: Callable, high: Callable) -> KindFigures:
        aucs = [row.auc for row in rows if row.auc is not None]
        return KindFigures(
            name,
            sum(row.num_fakes for row in rows),
            sum(row.num_reals for row in rows),
            float(low(aucs)) if aucs else None,
            float(high([row.fakes_called_real for row in rows])),
            float(high([row.reals_called_fake for row in rows])),
            float(low([row.decided for row in rows])),
        )

    return {"mean": over("mean", np.mean, np.mean), "worst": over("worst", min, max)}


def begin_left_out(out_dir: Path, config: TrainConfig, *, resume: bool) -> None:
    """Make a folder for runs that leave kinds out, or find that it holds those of the same recipe.

    Raises:
        DataError: if it holds runs that are not to be gone on with, or of other settings.
    """
    find_last_step(config, out_dir, resume=resume)
    out_dir.mkdir(parents=True, exist_ok=True)
    config.save(out_dir / CONFIG)


def folder_of(out_dir: Path, kind: str) -> Path:
    """Where the run without a kind lies."""
    return out_dir / re.sub(r"\W+", "-", kind.lower()).strip("-")


def keep_runs(file: Path, runs: Sequence[KindRun]) -> None:
    """Write what runs without one kind said: whole or not at all."""
    content = [asdict(run) | {"lines": run.lines} for run in runs]
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".part")
    unfinished.write_text(json.dumps(content), encoding="utf-8")
    unfinished.replace(file)


def read_runs(file: Path) -> list[KindRun]:
    """What `keep_runs` wrote."""
    return [_read_run(row) for row in json.loads(file.read_text(encoding="utf-8"))]


def _read_run(row: dict) -> KindRun:
    given = row["calibration"]
    calibration = given and Calibration(**given | {"fake_above_among": tuple(given["fake_above_among"])})
    return KindRun(row["kind"], row["classifier"], calibration, [MarginLine(*line) for line in row["lines"]])


def write_left_out(out_dir: Path, runs: Sequence[KindRun], *, part: str) -> None:
    """`leave_one_out.json`, and for each classifier a CSV of margins for `benchmarks.calibration.thresholds`."""
    content = {"part": part, "classifiers": [_to_json(name, same) for name, same in by_classifier(runs).items()]}
    (out_dir / TABLE).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    for name, same in by_classifier(runs).items():
        file = folder_of(out_dir, f"margins {name}").with_suffix(".csv")
        with file.open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([MarginLine._fields, *(line for run in same for line in run.lines)])


def by_classifier(runs: Iterable[KindRun]) -> dict[str, list[KindRun]]:
    """The runs of each, in the order in which they came."""
    grouped = dict[str, list[KindRun]]()
    for run in runs:
        grouped.setdefault(run.classifier, []).append(run)
    return grouped


def _to_json(classifier: str, runs: Sequence[KindRun]) -> dict:
    rows = [figures_of(run) for run in runs]
    calibrations = {run.kind: run.calibration and asdict(run.calibration) for run in runs}
    kinds = [asdict(row) | {"calibration": calibrations[row.kind]} for row in rows]
    return {"classifier": classifier, "kinds": kinds} | {name: asdict(row) for name, row in summary(rows).items()}


def _cells(row: KindFigures) -> list[str]:
    shares = (row.fakes_called_real, row.reals_called_fake, row.decided)
    return [or_dash(row.auc), *(f"{share:.1%}" for share in shares)]
