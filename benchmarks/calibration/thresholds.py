"""Which rule for the thresholds holds on kinds that were left out: `python -m benchmarks.calibration.thresholds TABLE`.

The table (CSV) holds leave-one-out runs, a line for each look at a picture: `run,file,label,source,kind,part,margin`,
with `part` calibrate or judge. Fakes of a kind that no calibrating fake of the run has count as left out. Lines of one
run and file are looks of one picture. Each rule is fitted on the calibrating part of each run and tried on the other;
"chosen on the others" takes for each run the member of a family that decides most among those by which at most 10 % of
the left-out fakes of the other runs, in the mean, are called real. Intervals (95 %): Clopper and Pearson 1934, looks
counting as pictures. `--reals`: a source with so many judged reals counts for the worst.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import parser
from virtus.checkpoints import RULE, ThresholdRule, fit_calibration, judge
from virtus.results import Calibration, Label, Outcome

CALIBRATE, MAX_LEFT_OUT = "calibrate", 0.1
SHARES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
COLUMNS = (
    "reals called fake, worst source and run",
    "mean of worst sources",
    "left-out fakes called real, mean of runs",
    "worst run",
    "other fakes called real",
    "decided, mean of runs",
)
FAMILIES = {
    "fakes together": [ThresholdRule(fake_error=error, by_kind=False) for error in (0.05, 0.02, 0.01, 0.005)],
    "fakes by kind": [ThresholdRule(fake_error=error) for error in (0.05, 0.02, 0.01, 0.005)],
    "the same, sources of 20": [ThresholdRule(fake_error=error, min_source=20) for error in (0.05, 0.02, 0.01, 0.005)],
    "fakes by kind, kinds of 20": [ThresholdRule(fake_error=error, min_kind=20) for error in (0.05, 0.02, 0.01, 0.005)],
    "fakes by kind, kinds of 100": [
        ThresholdRule(fake_error=error, min_kind=100) for error in (0.05, 0.02, 0.015, 0.01, 0.005)
    ],
    "clearest reals": [ThresholdRule(by_kind=False, real_share=share) for share in SHARES],
    "fakes by kind, clearest reals": [ThresholdRule(real_share=share) for share in SHARES],
    "the same, reals 3 %": [ThresholdRule(real_error=0.03, real_share=share) for share in SHARES],
}


@dataclass(frozen=True)
class LeftOutRun:
    """One leave-one-out run: lines of the table, part by part."""

    name: str
    calibrate: list[dict]
    judge: list[dict]

    @property
    def left_out(self) -> list[bool]:
        known = {line["kind"] for line in self.calibrate if line["label"] == Label.FAKE}
        return [line["label"] == Label.FAKE and line["kind"] not in known for line in self.judge]


@dataclass(frozen=True)
class Figures:
    """What a rule did on the judged part of a run: (errors, of how many).

    Attributes:
        reals: called fake, by source.
        left_out, fakes: called real, of the kinds left out and of the others.
        decided: called anything.
    """

    reals: Mapping[str, tuple[int, int]]
    left_out: tuple[int, int]
    fakes: tuple[int, int]
    decided: tuple[int, int]

    def worst_source(self, least: int) -> tuple[int, int]:
        """Of the sources with so many reals; of all together where none has."""
        large = [cell for cell in self.reals.values() if cell[1] >= least]
        return max(large, key=share) if large else add(self.reals.values())


def share(cell: tuple[int, int]) -> float:
    return cell[0] / cell[1] if cell[1] else float("nan")


def add(cells: Iterable[tuple[int, int]]) -> tuple[int, int]:
    counts = list(cells)
    return sum(errors for errors, _ in counts), sum(of for _, of in counts)


def read_runs(table: Path) -> list[LeftOutRun]:
    """Each with lines whose `margin` is a number."""
    runs = defaultdict[str, tuple[list[dict], list[dict]]](lambda: ([], []))
    with table.open(newline="", encoding="utf-8") as stream:
        for line in csv.DictReader(stream):
            line["margin"] = float(line["margin"])
            runs[line["run"]][line["part"] != CALIBRATE].append(line)
    return [LeftOutRun(name, *parts) for name, parts in runs.items()]


def fit(run: LeftOutRun, rule: ThresholdRule) -> Calibration:
    """On its calibrating part, the looks of a picture side by side."""
    looks = defaultdict[str, list[dict]](list)
    for line in run.calibrate:
        looks[line["file"]].append(line)
    margins = np.full((len(looks), max(map(len, looks.values()))), np.nan)
    for row, lines in enumerate(looks.values()):
        margins[row, : len(lines)] = [line["margin"] for line in lines]
    first = [lines[0] for lines in looks.values()]
    sources, kinds = ([line[column] for line in first] for column in ("source", "kind"))
    return fit_calibration(margins, [Label(line["label"]) for line in first], sources, kinds, rule=rule)


def measure(run: LeftOutRun, rule: ThresholdRule) -> Figures:
    calibration = fit(run, rule)
    outcomes = np.array([judge(line["margin"], calibration)[1] for line in run.judge])
    is_fake = np.array([line["label"] == Label.FAKE for line in run.judge])
    sources, left_out = np.array([line["source"] for line in run.judge]), np.array(run.left_out)

    def count(own: np.ndarray, *called: Outcome) -> tuple[int, int]:
        return int(np.isin(outcomes[own], called).sum()), int(own.sum())

    reals = {name: count((sources == name) & ~is_fake, Outcome.FAKE) for name in np.unique(sources[~is_fake])}
    unknown, known = (count(own, Outcome.REAL) for own in (left_out, is_fake & ~left_out))
    return Figures(reals, unknown, known, count(np.ones(len(is_fake), bool), Outcome.REAL, Outcome.FAKE))


def choose(family: Sequence[Sequence[Figures]], others: Sequence[int]) -> int:
    """Which member decides most of those that keep the limit on the other runs; the strictest where none does."""

    def mean(member: Sequence[Figures], what: str) -> float:
        return float(np.nanmean([share(getattr(member[run], what)) for run in others]))

    keep = [place for place, member in enumerate(family) if mean(member, "left_out") <= MAX_LEFT_OUT]
    return max(keep, key=lambda place: mean(family[place], "decided"), default=len(family) - 1)


def row(name: str, figures: Sequence[Figures], least: int) -> str:
    """Name, worst source of reals (worst and mean over runs), left-out fakes (mean and worst), others, decided."""
    worst = [one.worst_source(least) for one in figures]
    left_out = [one.left_out for one in figures if one.left_out[1]]
    cells = [
        in_words(max(worst, key=share)),
        f"{np.mean([share(cell) for cell in worst]):.1%}",
        f"{np.mean([share(cell) for cell in left_out]):.1%}" if left_out else "-",
        in_words(max(left_out, key=share)) if left_out else "-",
        in_words(add(one.fakes for one in figures)),
        f"{np.mean([share(one.decided) for one in figures]):.1%}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def in_words(cell: tuple[int, int]) -> str:
    from scipy.stats import beta

    errors, of = cell
    if not of:
        return "-"
    low = beta.ppf(0.025, errors, of - errors + 1) if errors else 0.0
    high = beta.ppf(0.975, errors + 1, of - errors) if errors < of else 1.0
    return f"{errors / of:.1%} ({low:.1%} to {high:.1%})"


def name_of(rule: ThresholdRule) -> str:
    return f"fakes {rule.fake_error:.1%}, reals {rule.real_error:.0%}, clearest {rule.real_share:.0%}"


def main() -> None:
    options = parser(__doc__, reals=100)
    options.add_argument("table", type=Path, help="CSV of leave-one-out runs")
    args = options.parse_args()
    runs = read_runs(args.table)
    print(f"{len(runs)} runs; sources with at least {args.reals} judged reals\n\n| rule | {' | '.join(COLUMNS)} |")
    print(f"| --- |{' ---: |' * len(COLUMNS)}")
    for family, rules in FAMILIES.items():
        tried = [[measure(run, rule) for run in runs] for rule in rules]
        for rule, figures in zip(rules, tried, strict=True):
            print(row(f"{family}: {name_of(rule)}", figures, args.reals), flush=True)
        places = range(len(runs))
        chosen = [choose(tried, [other for other in places if other != own]) for own in places]
        print(row(f"{family}: chosen on the others", [tried[chosen[own]][own] for own in places], args.reals))
    print(f"\n| left out (the rule in use) | {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * len(COLUMNS)}")
    for run in runs:
        print(row(run.name, [measure(run, RULE)], args.reals))


if __name__ == "__main__":
    main()
