"""Whether so many faces in a picture keep the promise of one: `python -m benchmarks.faces.montages DATA`.

Every picture of the reporting part is judged once; then pictures of n faces are put together from these: n real ones of
one source, drawn with replacement, a source as often as it has pictures, and the same with a fake one of any source in
the place of one of them. "Before": a picture is fake where any face is, as one alone. Intervals (95 %) by drawing the
faces of each source anew (bootstrap).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks import parser
from train.report import held_out
from virtus.checkpoints import (
    Detector,
    at_prior,
    error_among,
    fake_above_among,
    judge,
    load_checkpoint,
    upper_bound,
)
from virtus.judging import measure_margins
from virtus.results import Calibration, Label

COUNTS, NUM_PICTURES, NUM_DRAWS, NUM_FITS = (1, 2, 4, 8, 16), 2000, 200, 2000
COLUMNS = (
    *("fake from p", "reals: fake before", "fake now", "inconclusive now"),
    *(
        "one fake: fake before",
        "fake now",
        "inconclusive now",
        "reals fake that so many calibrating reals leave possible",
    ),
)
Part = dict[str, np.ndarray]
"""p of the real faces of each source."""


def judge_part(detector: Detector, data: Path) -> tuple[Part, np.ndarray]:
    """p of the reporting part: of reals by source, and of all fakes."""
    samples = held_out(data)
    margins = measure_margins(detector, [(sample.path, sample.label) for sample in samples])
    calibration = detector.checkpoint.info.calibration
    p_fake = np.array([judge(margin, calibration)[0] for margin in margins])
    is_fake, sources = np.array([s.label is Label.FAKE for s in samples]), np.array([s.source for s in samples])
    judged = ~np.isnan(margins)
    reals = {source: p_fake[(sources == source) & ~is_fake & judged] for source in np.unique(sources)}
    return {source: p for source, p in reals.items() if len(p)}, p_fake[is_fake & judged]


def draw(reals: Part, fakes: np.ndarray, count: int, dice: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(`NUM_PICTURES`, count) p of real faces, and the same with a fake one each."""
    sizes = np.array([len(p) for p in reals.values()], float)
    chosen = dice.multinomial(NUM_PICTURES, sizes / sizes.sum())
    pictures = np.concatenate([dice.choice(p, (n, count)) for p, n in zip(reals.values(), chosen, strict=True)])
    forged = np.concatenate((dice.choice(fakes, (NUM_PICTURES, 1)), pictures[:, 1:]), axis=1)
    return pictures, forged


def shares(pictures: np.ndarray, used: Calibration, fake_above: float) -> list[float]:
    """Of pictures that were fake before, are now, and are inconclusive now."""
    most = pictures.max(axis=1)
    before, now = most >= used.fake_above, most >= fake_above
    return [float(before.mean()), float(now.mean()), float((~now & (most >= used.real_below)).mean())]


def measure(reals: Part, fakes: np.ndarray, count: int, used: Calibration, fake_above: float) -> list[str]:
    """The cells of a row: each share and its interval."""
    dice, rows = np.random.default_rng(0), []
    for number in range(NUM_DRAWS + 1):
        again = {source: dice.choice(p, len(p)) for source, p in reals.items()} if number else reals
        both = draw(again, dice.choice(fakes, len(fakes)) if number else fakes, count, dice)
        rows.append([share for pictures in both for share in shares(pictures, used, fake_above)])
    low, high = np.quantile(rows[1:], (0.025, 0.975), axis=0)
    return [f"{share:.1%} ({a:.1%} to {b:.1%})" for share, a, b in zip(rows[0], low, high, strict=True)]


def expect(num_reals: int, count: int) -> str:
    """How often a picture of real faces comes out as fake by thresholds of so many calibrating reals: the middle 95 %.

    Of calibrating reals that are drawn again and again, their logits with an exponential tail.
    """
    dice = np.random.default_rng(0)
    bounds = [upper_bound(dice.exponential(size=num_reals), error_among(count)) for _ in range(NUM_FITS)]
    low, high = np.quantile(1 - (1 - np.exp(-np.array(bounds))) ** count, (0.025, 0.975))
    return f"{low:.1%} to {high:.1%}"


def main() -> None:
    args = parser(__doc__, data=True, model="auto").parse_args()
    detector = Detector(load_checkpoint(args.model))
    reals, fakes = judge_part(detector, args.data)
    calibration = detector.checkpoint.info.calibration
    used, num_fitted = at_prior(calibration, detector.prior), calibration.num_pictures // 2 if calibration else 0
    print(f"{sum(map(len, reals.values()))} real and {len(fakes)} fake faces, some {num_fitted} calibrating reals\n")
    print(f"| faces | {' | '.join(COLUMNS)} |\n| ---: |{' ---: |' * len(COLUMNS)}")
    for count in COUNTS:
        fake_above = fake_above_among(calibration, detector.prior, count)
        cells = measure(reals, fakes, count, used, fake_above)
        print(f"| {count} | {fake_above:.3f} | {' | '.join(cells)} | {expect(num_fitted, count)} |", flush=True)


if __name__ == "__main__":
    main()
