"""How much the thresholds hang on which pictures calibrate: `python -m benchmarks.calibration.draws DATA`.

The choosing and the calibrating part are judged as they are and degraded. Then, `--draws` times, a fourth of the groups
is put aside to judge, as they are; of the others a share calibrates, temperature, bias and thresholds, by each rule.
Shares are of all pictures of a class; mean and standard deviation over draws.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks import parser
from train.config import RECIPES
from train.data import Kinds, Sample, fakes_like
from train.pictures import DegradedPhoto
from train.report import held_out
from virtus.checkpoints import RULE, Detector, ThresholdRule, fit_calibration, judge, load_checkpoint
from virtus.judging import measure_margins
from virtus.results import Label, Outcome

JUDGED = 0.25  # of all groups
CALIBRATING = (0.4, 0.9)  # of the others
COLUMNS = ("calibrating pictures", "decided", "reals called fake", "fakes called real", "real below, fake from")
RULES = [
    replace(RULE, fake_error=error, min_kind=size, min_source=size) for size in (50, 100) for error in (0.02, 0.01)
]


@dataclass(frozen=True)
class Looks:
    """Margins (N, 2), of pictures as they are and degraded, and of each whether it is fake, source, kind and group."""

    margins: np.ndarray
    is_fake: np.ndarray
    sources: list[str]
    kinds: list[str]
    groups: np.ndarray

    def draw(self, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Rows that calibrate and rows that are judged; no group in both."""
        groups = np.random.default_rng(seed).permutation(np.unique(self.groups))
        num_judged = round(len(groups) * JUDGED)
        others = groups[num_judged:]
        calibrating = others[: round(len(others) * share)]
        return np.flatnonzero(np.isin(self.groups, calibrating)), np.flatnonzero(
            np.isin(self.groups, groups[:num_judged])
        )

    def figures(self, rule: ThresholdRule, share: float, seed: int) -> list[float]:
        """The columns of one draw, both thresholds apart."""
        own, judged = self.draw(share, seed)
        labels = [Label.FAKE if fake else Label.REAL for fake in self.is_fake[own]]
        sources, kinds = ([names[row] for row in own] for names in (self.sources, self.kinds))
        found = fit_calibration(self.margins[own], labels, sources, kinds, rule=rule)
        outcomes = np.array([judge(margin, found)[1] for margin in self.margins[judged, 0]])
        is_fake = self.is_fake[judged]
        return [
            len(own),
            np.isin(outcomes, [Outcome.REAL, Outcome.FAKE]).mean(),
            (outcomes[~is_fake] == Outcome.FAKE).mean(),
            (outcomes[is_fake] == Outcome.REAL).mean(),
            found.real_below,
            found.fake_above,
        ]


def look(detector: Detector, samples: list[Sample], kinds: Kinds) -> Looks:
    """Judge all of them twice; those without a face in the picture as it is are left out."""
    labels = [sample.label for sample in samples]
    looks = ([sample.path for sample in samples], [DegradedPhoto(sample) for sample in samples])
    margins = np.stack([measure_margins(detector, list(zip(one, labels, strict=True))) for one in looks], axis=1)
    judged = np.flatnonzero(~np.isnan(margins[:, 0]))
    kept = [samples[row] for row in judged]
    return Looks(
        margins[judged],
        np.array([sample.label is Label.FAKE for sample in kept]),
        [sample.source for sample in kept],
        [fakes_like(sample, kinds) for sample in kept],
        np.array([sample.group for sample in kept]),
    )


def rows(looks: Looks, rules: list[ThresholdRule], draws: int) -> Iterator[str]:
    """A line of the table for each share and rule."""
    for share in CALIBRATING:
        for rule in rules:
            found = np.array([looks.figures(rule, share, seed) for seed in range(draws)])
            (num, *means), (_, *spreads) = found.mean(axis=0), found.std(axis=0)
            cells = [f"{mean:.1%} ± {100 * spread:.1f}" for mean, spread in zip(means[:3], spreads, strict=False)]
            name = f"fakes {rule.fake_error:.0%}, bounds of their own from {rule.min_kind} on"
            yield f"| {name} | {num:.0f} | {' | '.join(cells)} | {means[3]:.3f}, {means[4]:.2f} |"


def main() -> None:
    args = parser(__doc__, data=True, model="virtus-base", draws=30).parse_args()
    samples = [sample for part in ("choose", "calibrate") for sample in held_out(args.data, part=part)]
    kinds = RECIPES["virtus-base"](str(args.data), None).kinds
    looks = look(Detector(load_checkpoint(args.model)), samples, kinds)
    print(f"| rule | {' | '.join(COLUMNS)} |\n| --- |{' ---: |' * len(COLUMNS)}")
    for line in rows(looks, RULES, args.draws):
        print(line, flush=True)


if __name__ == "__main__":
    main()
