"""Temperature, bias, thresholds: what a checkpoint's logits are worth, fitted on pictures that it was not made of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from virtus.checkpoints.metrics import calibration_error
from virtus.checkpoints.thresholds import MIN_PICTURES, NUM_FACES, RULE, ThresholdRule, error_among, fit_thresholds
from virtus.errors import DataError, InputError
from virtus.results import Calibration, Label, Outcome

EVEN = 0.5  # p of a face that is as likely real as fake; also the prior that p assumes unless told otherwise
UNCALIBRATED = Calibration(temperature=1.0, real_below=0.5, fake_above=0.5)


def judge(margin: float, calibration: Calibration | None, prior: float = EVEN) -> tuple[float, Outcome]:
    """p of fake and the outcome, from the logit of fake minus the logit of real; uncalibrated where that is None.

    p is for photos of which a share of `prior` is fake: logit(p) is margin / temperature + bias + logit(prior)
    (Bayes' rule; Saerens et al. 2002). At 0.5 that adds nothing.
    """
    used = at_prior(calibration, prior)
    p_fake = _sigmoid(margin / used.temperature + used.bias + math.log(prior / (1 - prior)))
    return p_fake, outcome_of(p_fake, used)


class HasThresholds(Protocol):
    """Below the one p is real, from the other on fake."""

    @property
    def real_below(self) -> float: ...

    @property
    def fake_above(self) -> float: ...


def outcome_of(p_fake: float, used: HasThresholds) -> Outcome:
    """What the thresholds make of a p: see `at_prior`, by whose prior both must go."""
    if p_fake >= used.fake_above:
        return Outcome.FAKE
    return Outcome.REAL if p_fake < used.real_below else Outcome.INCONCLUSIVE


def even_margin_of(calibration: Calibration | None) -> float:
    """The margin whose p is 0.5, at as many fakes as reals."""
    return -calibration.bias * calibration.temperature if calibration else 0.0


def at_prior(calibration: Calibration | None, prior: float) -> Calibration:
    """The thresholds for photos of which a share of `prior` is fake: those that p goes by at that prior.

    The share of a class that a threshold lets err does not depend on how many of that class there are, so that the
    thresholds move along with p. But nothing is called that is not the likelier of the two: where 0.5 lies outside the
    band, the band is widened to it. Without a calibration there is no band: the threshold stays at 0.5.

    Raises:
        InputError: unless the prior is above 0 and below 1.
    """
    check_prior(prior)
    if calibration is None:
        return UNCALIBRATED
    real_below, fake_above = (_shift(p, prior) for p in (calibration.real_below, calibration.fake_above))
    return replace(calibration, real_below=min(real_below, EVEN), fake_above=max(fake_above, EVEN))


def fake_above_among(calibration: Calibration | None, prior: float, num_faces: int) -> float:
    """The p from which a face of so many is called fake, at a prior: none of as many real ones is, 19 times in 20.

    For more faces than there are thresholds for, and for any number where the calibration is of before there were such,
    p is taken at its word: that of reals reaches t in a share of at most (1 - t) / t (Markov's inequality
    for the odds), which is conservative. Without a calibration, which promises nothing, it is 0.5 for any number.
    """
    alone = at_prior(calibration, prior).fake_above
    if calibration is None or num_faces == 1:
        return alone
    known = zip(NUM_FACES, calibration.fake_above_among, strict=False)
    word = max(1 / (1 + error_among(num_faces)), *calibration.fake_above_among, 0.0)
    return max(alone, _shift(next((p for most, p in known if most >= num_faces), word), prior))


def check_prior(prior: float) -> None:
    """Refuse a share of fakes that leaves nothing to judge.

    Raises:
        InputError: unless it is above 0 and below 1.
    """
    if isinstance(prior, bool) or not isinstance(prior, (int, float)) or not 0 < prior < 1:
        raise InputError(f"The prior is a share of fakes, a number above 0 and below 1, not {prior!r}.")


def _shift(p: float, prior: float) -> float:
    """From p at even odds to p at a prior."""
    odds = prior / (1 - prior)
    return p * odds / (p * odds + (1 - p))


def fit_calibration(
    margins: Sequence[float] | np.ndarray,
    labels: Sequence[Label],
    sources: Sequence[str] | None = None,
    kinds: Sequence[str] | None = None,
    *,
    rule: ThresholdRule = RULE,
) -> Calibration:
    """Fit temperature, bias and thresholds on pictures that neither training nor choosing used.

    Temperature and bias minimise the log-loss, both classes weighing alike, as Platt (1999) scales a classifier: with
    his targets, which keep few pictures from giving certainty. A temperature alone (Guo et al. 2017, arXiv:1706.04599)
    cannot mend a network that leans to one class (`benchmarks.calibration`). The thresholds: see `fit_thresholds`.

    Args:
        margins: logit of fake minus logit of real, (N,); or (N, L) of L looks of each picture, such as the picture as
            it is and degraded, NaN where one was not judged. The looks weigh alike in temperature and bias.
        labels: the truth.
        sources: where each picture is from: reals are bounded by them. All are from one where None.
        kinds: by which fakes are bounded; the sources where None.

    Raises:
        DataError: with fewer than 20 pictures of a class.
    """
    margins, is_fake = np.asarray(margins, float), np.array([label is Label.FAKE for label in labels], bool)
    if min(is_fake.sum(), (~is_fake).sum()) < MIN_PICTURES:
        raise DataError(f"A calibration needs {MIN_PICTURES} judged pictures of each class: add some.")
    looks = margins.reshape(len(is_fake), -1)
    judged = ~np.isnan(looks)
    truth = np.broadcast_to(is_fake[:, None], looks.shape)[judged]
    temperature, bias = _fit_scaling(looks[judged], truth)
    sources = ["all"] * len(is_fake) if sources is None else sources
    found = fit_thresholds(looks / temperature + bias, is_fake, sources, kinds, rule)
    return Calibration(
        temperature=temperature,
        real_below=found.real_below,
        fake_above=found.fake_above,
        num_pictures=len(is_fake),
        ece_before=calibration_error(truth, 1 / (1 + np.exp(-looks[judged]))),
        ece_after=calibration_error(truth, 1 / (1 + np.exp(-looks[judged] / temperature - bias))),
        bias=bias,
        fake_above_among=found.fake_above_among,
    )


def _fit_scaling(margins: np.ndarray, is_fake: np.ndarray) -> tuple[float, float]:
    """Temperature and bias, of margins (M,) and whether each is of a fake."""
    from scipy.optimize import minimize

    fakes, reals = is_fake.sum(), (~is_fake).sum()
    targets = np.where(is_fake, (fakes + 1) / (fakes + 2), 1 / (reals + 2))
    weights = np.where(is_fake, 0.5 / fakes, 0.5 / reals)

    def loss(scaling: np.ndarray) -> tuple[float, np.ndarray]:
        logits = margins * scaling[0] + scaling[1]
        error = weights * (1 / (1 + np.exp(-np.clip(logits, -500, 500))) - targets)
        value = weights @ (np.logaddexp(0, logits) - targets * logits)
        return float(value), np.array([error @ margins, error.sum()])

    limits = [(math.exp(-4), math.exp(4)), (None, None)]
    slope, bias = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=limits, method="L-BFGS-B").x
    return float(1 / slope), float(bias)


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value)) if value >= 0 else math.exp(value) / (1 + math.exp(value))
