"""Thresholds of p that keep errors rare on new pictures: bounds by source and kind, from few calibrating ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

MAX_ERROR = 0.05  # of the reals of a source called fake, however many faces a picture has
MIN_PICTURES = 20  # of a class, or of a part of it: with fewer no order statistic promises an error of one in twenty
NUM_FACES = (2, 4, 8, 16, 32)  # of a picture, that thresholds are kept for: those between go by the next
NUM_TAIL = 5  # highest values that say how fast a tail falls


@dataclass(frozen=True)
class ThresholdRule:
    """What thresholds are to keep on new pictures; compared on kinds left out by `benchmarks.calibration.thresholds`.

    Attributes:
        real_error: of the reals of each source at most this share is called fake.
        fake_error: of the fakes of each kind at most this share is called real.
        by_kind: False bounds the fakes of all kinds together.
        real_share: of all reals at most this share is called real. Fakes of a kind that training never saw look less
            fake than those that calibrate: no quantile of these bounds them, but they seldom look as real as the
            clearest reals.
        min_source: reals of a source that get a bound of their own; smaller ones share one. The bound of few is the
            highest of them, or beyond: with a dozen sources of 25 the worst luck of all would be the threshold.
        min_kind: fakes of a kind likewise: of 50 round trips the one that looks most real would bound all.
    """

    real_error: float = MAX_ERROR
    fake_error: float = 0.05
    by_kind: bool = True
    real_share: float = 1.0
    min_source: int = 50
    min_kind: int = 50


RULE = ThresholdRule(fake_error=0.01, min_kind=100)  # see docs/benchmarks.md: what it costs, and what others would
LENIENT_RULE = ThresholdRule(fake_error=0.05, by_kind=False)


@dataclass(frozen=True)
class Thresholds:
    """See `virtus.results.Calibration`."""

    real_below: float
    fake_above: float
    fake_above_among: tuple[float, ...]


def fit_thresholds(
    logits: np.ndarray,
    is_fake: np.ndarray,
    sources: Sequence[str],
    kinds: Sequence[str] | None = None,
    rule: ThresholdRule = RULE,
) -> Thresholds:
    """The thresholds of p that a rule asks for. Where both could be 0.5, they are; else they come as near as they may.

    Args:
        logits: (N, L), of p, of L looks of each picture; NaN where one was not judged. What is promised is for
            new pictures that are as often of each look.
        is_fake: (N,), the truth.
        sources: N names of where each is from: reals are bounded by them.
        kinds: N names by which fakes are bounded; the sources where None.
    """
    reals = parts_of(logits[~is_fake], np.asarray(sources)[~is_fake], rule.min_source)
    fakes = parts_of(logits[is_fake], np.asarray(sources if kinds is None else kinds)[is_fake], rule.min_kind)
    fakes, looks = fakes if rule.by_kind else fakes[:1], logits.shape[1]

    def highest(error: float) -> float:
        # A source is too small to say how its tail goes on beyond its highest.
        of_sources = (upper_bound(part, max(error, 1 / (len(part) // looks + 1)), looks) for part in reals[1:])
        return _above(max([upper_bound(reals[0], error, looks), *of_sources]))

    highest_real = highest(rule.real_error)
    lowest_fake = 1 - _above(max(upper_bound(-part, rule.fake_error, looks) for part in fakes))
    clear_real = _sigmoid(np.nanquantile(logits[~is_fake], rule.real_share)) if rule.real_share < 1 else 1.0
    fake_above = max(highest_real, min(0.5, lowest_fake))
    real_below = min(lowest_fake, max(0.5, highest_real), clear_real, fake_above)
    among = tuple(max(fake_above, highest(error_among(num, rule.real_error))) for num in NUM_FACES)
    return Thresholds(float(real_below), float(fake_above), among)


def error_among(num_faces: int, error: float = MAX_ERROR) -> float:
    """Share of real faces that may be called fake where a picture has so many: 1 - 0.95^(1/n) (Sidak 1967)."""
    return 1 - (1 - error) ** (1 / num_faces)


def parts_of(values: np.ndarray, names: np.ndarray, min_part: int = MIN_PICTURES) -> list[np.ndarray]:
    """What bounds hold for: all pictures, those of each name that has enough, and the rest together if it has.

    Args:
        values: (N, L), of L looks of each picture; NaN for none.

    Returns:
        First all values, then those of each part; never a NaN.
    """
    sizes = {name: (names == name).sum() for name in np.unique(names)}
    large = [name for name, size in sizes.items() if size >= min_part]
    owned = [*(names == name for name in large), ~np.isin(names, large)]
    parts = [values, *(values[own] for own in owned if own.sum() >= min_part)]
    return [part[~np.isnan(part)] for part in parts]


def upper_bound(values: np.ndarray, error: float, looks: int = 1) -> float:
    """The value that a new one of the same kind is above with a chance of at most `error`.

    The conformal order statistic (Vovk et al. 2005), which asks nothing of the values but that they are drawn alike.
    Where it would lie beyond all of them, the bound is at least that of an exponential
    tail above the sixth highest u: with S the sum of the five excesses over u, a new excess is above x with a chance of
    6 / (n + 1) (1 + x / S)^-5, by the F distribution of the ratio of sums of exponential variables. The logit of a p
    that is right has such a tail, or a lighter one: the density of reals is that of fakes times exp(-logit).

    Args:
        looks: values of each picture, which count as one: a picture and its degraded copy are no two.
    """
    ordered, num_pictures = np.sort(values)[::-1], len(values) // looks
    num_above = error * (num_pictures + 1)
    highest = ordered[looks * max(math.floor(num_above), 1) - 1]
    num_tail = min(NUM_TAIL, num_pictures - 1)
    if num_above >= 1 or not num_tail:
        return float(highest)
    start = ordered[looks * num_tail]
    excesses = (ordered[: looks * num_tail] - start).sum() / looks
    excess = excesses * (((num_tail + 1) / num_above) ** (1 / num_tail) - 1)
    return float(max(highest, start + excess))


def _above(logit: float) -> float:
    """The least p that is above this one's."""
    return min(float(np.nextafter(_sigmoid(logit), 2.0)), 1.0)


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))
