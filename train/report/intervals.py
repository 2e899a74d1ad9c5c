"""Headline figures with 95 % intervals, by a bootstrap over groups.

Pictures of one group (a person, a video, a photo) resemble each other: drawn one by one, they would make intervals too
narrow. So whole groups are drawn, with replacement, as many as there are, within each source. scipy.stats.bootstrap
cannot draw groups, and scikit-learn's figures take about a millisecond a draw; here a draw is a vector of how often
each picture counts, and every figure is computed from it (tests hold them against scikit-learn's).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from virtus.checkpoints import calibration_error, log_odds
from virtus.results import ImageReport, Label, Outcome

NUM_DRAWS = 1000
CONFIDENCE = 0.95
SEED = 83
THRESHOLD = 0.5  # of accuracy, F1 and the confusion matrix, whatever the checkpoint's own thresholds are
MAX_UNDEFINED = 0.05  # share of the draws; an interval of the others would be one of chosen draws

OUTCOMES = (Outcome.REAL, Outcome.INCONCLUSIVE, Outcome.FAKE)


@dataclass(frozen=True)
class Figure:
    """A figure and the ends of its interval; None where it is not defined (a class is missing, say)."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Judgements:
    """What was said of pictures, as arrays, and the headline figures of it.

    Attributes:
        is_fake: the truth, (N,) bool.
        p_fake: (N,) float; NaN where nothing was judged.
        judged: (N,) bool.
        outcome: (N,) int, index in OUTCOMES; -1 where nothing was judged.
        called_fake: (N,) bool: p is at least THRESHOLD.
        groups: of each picture.
    """

    def __init__(self, labels: Sequence[Label], reports: Sequence[ImageReport], groups: Sequence[str]):
        self.is_fake = np.array([label is Label.FAKE for label in labels], dtype=bool)
        self.p_fake = np.array([np.nan if report.p_fake is None else report.p_fake for report in reports], dtype=float)
        self.judged = np.array([report.outcome.judged for report in reports], dtype=bool)
        codes = {outcome: code for code, outcome in enumerate(OUTCOMES)}
        self.outcome = np.array([codes.get(report.outcome, -1) for report in reports], dtype=int)
        self.called_fake = self.p_fake >= THRESHOLD
        self.groups = np.array(groups, dtype=str)
        is_fake, p_fake = self.is_fake[self.judged], self.p_fake[self.judged]
        self._auc = RankedAuc(is_fake, log_odds(p_fake))
        self._confusion_cell = 2 * is_fake + self.called_fake[self.judged]
        self._outcome_cell = len(OUTCOMES) * is_fake + self.outcome[self.judged]

    def __len__(self) -> int:
        return len(self.is_fake)

    @property
    def num_groups(self) -> int:
        return len(set(self.groups.tolist()))

    def auc(self, weights: np.ndarray) -> float:
        return self._auc(weights[self.judged])

    def confusion(self) -> list[list[int]]:
        """At THRESHOLD: rows are the truth (real, fake), columns the answer (real, fake)."""
        return np.bincount(self._confusion_cell, minlength=4).reshape(2, 2).tolist()

    def figures(self, weights: np.ndarray) -> dict[str, float]:
        """All headline figures, each picture counted `weights` times; NaN where one is not defined."""
        of_judged = weights[self.judged]
        cells = np.bincount(self._confusion_cell, of_judged, 4)
        outcomes = np.bincount(self._outcome_cell, of_judged, 2 * len(OUTCOMES)).reshape(2, -1)
        (of_real, of_fake), inconclusive = outcomes.sum(axis=1), outcomes[:, OUTCOMES.index(Outcome.INCONCLUSIVE)]
        error = calibration_error(self.is_fake[self.judged], self.p_fake[self.judged], weights=of_judged)
        return {
            "judged": _ratio(of_judged.sum(), weights.sum()),
            "accuracy": _ratio(cells[0] + cells[3], cells.sum()),
            "macro_f1": _macro_f1(cells),
            "auc": self._auc(of_judged),
            "ece": np.nan if error is None else error,
            "reals_called_fake": _ratio(outcomes[0, OUTCOMES.index(Outcome.FAKE)], of_real),
            "fakes_called_real": _ratio(outcomes[1, OUTCOMES.index(Outcome.REAL)], of_fake),
            "inconclusive": _ratio(inconclusive.sum(), outcomes.sum()),
        }


class RankedAuc:
    """The AUC of fixed p under many weightings: sorted once, then one pass a weighting.

    The share of (fake, real) pairs in which the fake has the higher p; equal ones count half (Mann & Whitney 1947).
    """

    def __init__(self, is_fake: np.ndarray, p_fake: np.ndarray):
        self._order = np.argsort(p_fake, kind="stable")
        self._is_fake = is_fake[self._order]
        ranked = p_fake[self._order]
        self._starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]]) if len(ranked) else np.array([], int)

    def __call__(self, weights: np.ndarray) -> float:
        if not len(self._order):
            return np.nan
        ranked = weights[self._order]
        fakes, reals = (
            np.add.reduceat(ranked * of_class, self._starts) for of_class in (self._is_fake, ~self._is_fake)
        )
        lower_reals = np.cumsum(reals) - reals
        return _ratio((fakes * (lower_reals + reals / 2)).sum(), fakes.sum() * reals.sum())


def headline(judgements: Judgements, sources: Sequence[str]) -> dict[str, Figure]:
    """The headline figures with their intervals.

    Args:
        sources: of each picture: groups are drawn within a source.
    """
    return with_intervals(judgements.figures, judgements.groups, sources)


def with_intervals(
    figures: Callable[[np.ndarray], dict[str, float]], groups: ArrayLike, sources: ArrayLike
) -> dict[str, Figure]:
    """Figures of pictures that each count once, with the percentile intervals of NUM_DRAWS draws.

    Args:
        figures: from weights (N,) to figures by name.

    Returns:
        No interval where there are fewer than two groups, or the figure is undefined in over 5 % of the draws.
    """
    values = figures(np.ones(np.size(groups)))
    drawn = [figures(weights) for weights in draw_weights(groups, sources)]
    return {name: _figure(value, np.array([draw[name] for draw in drawn])) for name, value in values.items()}


def draw_weights(
    groups: ArrayLike, sources: ArrayLike, *, num_draws: int = NUM_DRAWS, seed: int = SEED
) -> Iterator[np.ndarray]:
    """How often each picture counts in each draw, (N,) float: the same for all pictures of a group.

    The draws depend on groups and sources alone: checkpoints that judged the same pictures can be compared draw by
    draw. None at all where there are fewer than two groups.
    """
    draw = np.random.default_rng(seed)
    source_of = np.asarray(sources, dtype=str)
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    if len(names) < 2:
        return
    blocks = [np.unique(index[source_of == source]) for source in np.unique(source_of)]
    for _ in range(num_draws):
        counts = np.zeros(len(names))
        for block in blocks:
            counts[block] = np.bincount(draw.integers(len(block), size=len(block)), minlength=len(block))
        yield counts[index]


def _figure(value: float, drawn: np.ndarray) -> Figure:
    if np.isnan(value):
        return Figure(None)
    if not len(drawn) or np.isnan(drawn).mean() > MAX_UNDEFINED:
        return Figure(float(value))
    low, high = np.nanquantile(drawn, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Figure(float(value), float(low), float(high))


def _macro_f1(cells: np.ndarray) -> float:
    """The mean F1 over the classes that occur in truth or answer, from the weights of (truth, answer) pairs."""
    real_real, real_fake, fake_real, fake_fake = cells
    wrong = real_fake + fake_real
    f1 = [_ratio(2 * right, 2 * right + wrong) for right in (real_real, fake_fake)]
    known = [value for value in f1 if not np.isnan(value)]
    return float(np.mean(known)) if known else np.nan


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan
