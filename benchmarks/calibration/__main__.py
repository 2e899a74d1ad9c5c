"""How far p can be taken at its word, and what calibrates it best: `python -m benchmarks.calibration DATA`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks import parser
from train.report import held_out
from virtus.checkpoints import Detector, calibration_error, load_checkpoint
from virtus.judging import measure_margins
from virtus.results import Label

ALL, NUM_DRAWS, NUM_FOLDS, NUM_REPEATS = "all", 500, 5, 20
Scale = Callable[[np.ndarray], np.ndarray]  # margins to p


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def linear(columns: Callable[[np.ndarray], np.ndarray], num_positive: int) -> Callable[..., Scale]:
    """Logistic regression on columns made of the margin; the first coefficients may not be negative."""

    def fit(margins: np.ndarray, is_fake: np.ndarray, weights: np.ndarray) -> Scale:
        from scipy.optimize import minimize

        x, sign = columns(margins), np.where(is_fake, -1, 1)
        limits = [(0, None) if index < num_positive else (None, None) for index in range(x.shape[1])]
        start = np.where(np.arange(x.shape[1]) < num_positive, 0.5, 0.0)
        found = minimize(lambda b: weights @ np.logaddexp(0, sign * (x @ b)), start, bounds=limits).x
        return lambda new: sigmoid(columns(new) @ found)

    return fit


def isotonic(margins: np.ndarray, is_fake: np.ndarray, weights: np.ndarray) -> Scale:
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.001, y_max=0.999, out_of_bounds="clip")
    return fitted.fit(margins, is_fake.astype(float), sample_weight=weights).predict


def _beta_columns(margins: np.ndarray) -> np.ndarray:
    return np.stack([-np.logaddexp(0, -margins), np.logaddexp(0, margins), np.ones_like(margins)], axis=1)


METHODS = {
    "temperature (Guo et al. 2017)": linear(lambda m: m[:, None], 1),
    "temperature and bias (Platt 1999)": linear(lambda m: np.stack([m, np.ones_like(m)], axis=1), 1),
    "beta (Kull et al. 2017)": linear(_beta_columns, 2),
    "isotonic": isotonic,
}


def weigh_classes(is_fake: np.ndarray, _sources: np.ndarray) -> np.ndarray:
    return np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())


def weigh_sources(is_fake: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Every class of every source alike."""
    weights = np.zeros(len(is_fake))
    for label in (True, False):
        own = is_fake == label
        for source in np.unique(sources[own]):
            weights[own & (sources == source)] = 1 / (own & (sources == source)).sum() / len(np.unique(sources[own]))
    return weights / weights.sum()


WEIGHTS = {"pictures alike": weigh_classes, "sources alike": weigh_sources}


def cross_validate(fit, weigh, margins: np.ndarray, is_fake: np.ndarray, sources: np.ndarray) -> float:
    """Log-loss on the folds left out, both classes weighing alike; mean over divisions."""
    losses = []
    for seed in range(NUM_REPEATS):
        fold, p = np.random.default_rng(seed).permutation(len(margins)) % NUM_FOLDS, np.empty(len(margins))
        for left in range(NUM_FOLDS):
            own = fold != left
            p[~own] = fit(margins[own], is_fake[own], weigh(is_fake[own], sources[own]))(margins[~own])
        right = np.clip(np.where(is_fake, p, 1 - p), 1e-6, 1)
        losses.append(-weigh_classes(is_fake, sources) @ np.log(right))
    return float(np.mean(losses))


def noise_floor(p: np.ndarray) -> float:
    """Mean ECE of so many pictures whose classes are drawn by these very p: of a p that is right."""
    draw = np.random.default_rng(0)
    errors = [calibration_error(draw.random(len(p)) < p, p) for _ in range(NUM_DRAWS)]
    return float(np.mean([error for error in errors if error is not None]))


def judge(detector: Detector, data: Path, part: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Margins, whether each is fake, and sources, of the judged pictures of a part."""
    samples = held_out(data, part=part)
    margins = measure_margins(detector, [(s.path, s.label) for s in samples])
    judged = ~np.isnan(margins)
    is_fake, sources = np.array([s.label is Label.FAKE for s in samples]), np.array([s.source for s in samples])
    return margins[judged], is_fake[judged], sources[judged]


def main() -> None:
    args = parser(__doc__, data=True, model="auto").parse_args()
    detector = Detector(load_checkpoint(args.model))
    fitted_on, (margins, is_fake, sources) = (judge(detector, args.data, part) for part in ("calibrate", "report"))
    kinds = [name for name in np.unique(sources) if (sources == name).sum() >= 50] + [ALL]
    stored = detector.checkpoint.info.calibration
    print(f"| p | log-loss on folds left out | {' | '.join(kinds)} |\n| --- | ---: |{' ---: |' * len(kinds)}")

    def show(name: str, loss: float | None, p: np.ndarray) -> None:
        own = [sources == kind if kind != ALL else np.ones(len(p), bool) for kind in kinds]
        cells = [f"{calibration_error(is_fake[k], p[k]):.3f} ({noise_floor(p[k]):.3f})" for k in own]
        print(f"| {name} | {'' if loss is None else f'{loss:.4f}'} | {' | '.join(cells)} |", flush=True)

    show("uncalibrated", None, sigmoid(margins))
    if stored:
        show("as stored", None, sigmoid(margins / stored.temperature + stored.bias))
    for weighing, weigh in WEIGHTS.items():
        for name, fit in METHODS.items():
            m, y, s = fitted_on
            show(f"{name}, {weighing}", cross_validate(fit, weigh, m, y, s), fit(m, y, weigh(y, s))(margins))


if __name__ == "__main__":
    main()
