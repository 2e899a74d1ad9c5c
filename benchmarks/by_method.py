"""How well fakes of one source are told, by the method that made them: `python -m benchmarks.by_method DATA`.

The method is what stands before the first `_` of a fake's file name (FaceForensics++: Deepfakes, Face2Face, FaceSwap,
NeuralTextures); each is held against all reals of the source. Intervals (95 %) by drawing whole groups.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from benchmarks import interval_cell, parser
from train.report import Figure, JudgedSample, as_judgements, held_out, judge, with_intervals
from virtus.checkpoints import Detector, load_checkpoint
from virtus.results import Label, Outcome

COLUMNS = ("AUC", "fakes called fake", "fakes called real", "reals called fake", "inconclusive")
ALL = "all methods"


def main() -> None:
    args = parser(__doc__, data=True, model="auto", source="ffpp_c23", part="report").parse_args()
    detector = Detector(load_checkpoint(args.model))
    judged = judge(detector, [one for one in held_out(args.data, part=args.part) if one.source == args.source])
    info = detector.checkpoint.info
    print(f"{info.name}, sha256 {info.sha256[:12]}; `{args.part}` part of {args.source}\n")
    print_methods(judged)


def print_methods(judged: Sequence[JudgedSample]) -> None:
    """A table with a row for each method, and one for all."""
    print(f"| method | real, fake | groups | {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * (2 + len(COLUMNS))}")
    methods = sorted(filter(None, {method_of(one) for one in judged}))
    for method in [*methods, ALL]:
        own = [one for one in judged if method == ALL or method_of(one) in (None, method)]
        fakes, groups = (sum(one.sample.label is Label.FAKE for one in own), {one.sample.group for one in own})
        cells = map(cell, figures_of(own).values())
        print(f"| {method} | {len(own) - fakes}, {fakes} | {len(groups)} | {' | '.join(cells)} |")


def method_of(judged: JudgedSample) -> str | None:
    """None for a real picture."""
    return judged.sample.path.name.partition("_")[0] if judged.sample.label is Label.FAKE else None


def figures_of(judged: Sequence[JudgedSample]) -> dict[str, Figure]:
    """`COLUMNS`, of what was judged."""
    judgements = as_judgements(judged)
    outcomes = np.array([one.report.outcome for one in judged])
    fake, seen = judgements.is_fake, judgements.judged

    def figures(weights: np.ndarray) -> dict[str, float]:
        def share(which: np.ndarray, of: np.ndarray) -> float:
            return float((weights * which * of).sum() / total) if (total := (weights * of).sum()) else np.nan

        shares = (
            share(outcomes == Outcome.FAKE, fake & seen),
            share(outcomes == Outcome.REAL, fake & seen),
            share(outcomes == Outcome.FAKE, ~fake & seen),
            share(outcomes == Outcome.INCONCLUSIVE, seen),
        )
        return dict(zip(COLUMNS, (judgements.auc(weights), *shares), strict=True))

    return with_intervals(figures, judgements.groups, [one.sample.source for one in judged])


def cell(figure: Figure) -> str:
    return interval_cell(figure, digits=3, missing="-")


if __name__ == "__main__":
    main()
