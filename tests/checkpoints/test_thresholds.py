"""Bounds on errors of new pictures: by hand, and by drawing new ones."""

import math

import numpy as np
import pytest

from virtus.checkpoints.calibration import fit_calibration, judge
from virtus.checkpoints.thresholds import ThresholdRule, error_among, fit_thresholds, parts_of, upper_bound
from virtus.results import Label, Outcome


def sigmoid(logit):
    return 1 / (1 + math.exp(-logit))


def test_where_there_are_enough_values_the_bound_is_one_of_them():
    """Of 200, 5 % of 201 are 10.05: the tenth highest."""
    assert upper_bound(np.arange(200.0), 0.05) == 190
    assert upper_bound(np.full(30, 7.0), 0.001) == 7
    assert upper_bound(np.array([3.0]), 0.05) == 3


@pytest.mark.parametrize(
    ("error", "bound"),
    [
        (0.2, 16.0),  # 4.2 of 21: the fourth highest
        (0.05, 19.0),  # 1.05: the highest
        (0.01, 14 + 15 * ((6 / 0.21) ** 0.2 - 1)),
    ],
)
def test_beyond_them_it_goes_by_how_fast_the_tail_falls(error, bound):
    """0 to 19: the sixth highest is 14, and the five above it exceed it by 1 + 2 + 3 + 4 + 5."""
    assert upper_bound(np.random.default_rng(0).permutation(np.arange(20.0)), error) == pytest.approx(bound)


TAILS = {
    "exponential": lambda draw, size: draw.exponential(size=size),
    "light": lambda draw, size: draw.normal(size=size),
    "of a logistic": lambda draw, size: draw.logistic(size=size),
    "heavy": lambda draw, size: draw.standard_t(5, size),
    "of two sources": lambda draw, size: draw.normal(size=size) * np.where(draw.random(size) < 0.2, 2.5, 1),
}


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("num_reals", [60, 180, 450])
def test_however_many_real_faces_a_picture_has_one_in_twenty_is_called_fake(tail, num_reals):
    """In the mean over calibrations, of which each is of other pictures."""
    draw = np.random.default_rng(0)
    new = np.sort(TAILS[tail](draw, 400_000))
    for num_faces in (1, 2, 4, 8, 16):
        bounds = [upper_bound(TAILS[tail](draw, num_reals), error_among(num_faces)) for _ in range(200)]
        above = 1 - np.searchsorted(new, bounds) / len(new)
        # What lies beyond all that was seen is known by the tail's shape alone: a heavy one costs a little.
        assert np.mean(1 - (1 - above) ** num_faces) < (0.07 if tail == "heavy" else 0.06)


def test_small_sources_are_bounded_together():
    values = np.arange(75.0)[:, None]
    names = np.repeat(["large", "small", "tiny", "rest"], [40, 19, 1, 15])
    everything, large, rest = parts_of(values, names)
    assert everything.tolist() == list(range(75))
    assert large.tolist() == list(range(40))
    assert rest.tolist() == list(range(40, 75))
    assert len(parts_of(values[:59], names[:59])) == 2  # too few are left
    assert len(parts_of(values, names, min_part=41)) == 2


def test_looks_of_a_picture_are_no_further_pictures():
    values = np.array([[0.0, 1.0]] * 12 + [[0.0, np.nan]] * 12)
    assert list(map(len, parts_of(values, np.repeat(["a", "b"], 12), min_part=20))) == [36, 36]
    assert len(parts_of(values[:19], np.repeat("a", 19), min_part=20)) == 1
    twice = fit_thresholds(np.tile(np.linspace(-5, 5, 50)[:, None], 2), np.arange(50) % 2 == 1, ["all"] * 50)
    assert twice == fit_thresholds(np.linspace(-5, 5, 50)[:, None], np.arange(50) % 2 == 1, ["all"] * 50)


def test_a_look_in_which_many_err_sets_the_threshold():
    reals, fakes = np.full((100, 2), -3.0), np.full((100, 2), 3.0)
    reals[:, 1], fakes[:, 1] = 1.0, 0.0
    found = fit_thresholds(np.concatenate([reals, fakes]), np.arange(200) >= 100, ["all"] * 200)
    assert found.fake_above == pytest.approx(sigmoid(1.0))
    assert found.real_below == pytest.approx(sigmoid(0.0))


KINDS = ["swap"] * 200 + ["drawn"] * 40
FAKES = np.concatenate([np.full(200, 4.0), np.full(37, 4.0), np.full(3, -1.0)])
LOGITS = np.concatenate([np.linspace(-4.0, -2.0, 101), FAKES])[:, None]
IS_FAKE = np.arange(len(LOGITS)) >= 101


@pytest.mark.parametrize(
    ("rule", "real_below"),
    [
        (ThresholdRule(by_kind=False), 0.5),  # 3 of 240 are far below 5 %
        (ThresholdRule(min_kind=40), sigmoid(-1.0)),  # of 40 they are above
        (ThresholdRule(min_kind=41), 0.5),
        (ThresholdRule(by_kind=False, real_share=0.7), sigmoid(-2.6)),
        (ThresholdRule(min_kind=40, real_share=0.7), sigmoid(-2.6)),
    ],
)
def test_below_which_p_a_face_is_real(rule, real_below):
    found = fit_thresholds(LOGITS, IS_FAKE, ["all"] * len(LOGITS), ["real"] * 101 + KINDS, rule)
    assert found.real_below == pytest.approx(real_below)


@pytest.mark.parametrize(("min_source", "fake_above"), [(20, sigmoid(1.0)), (50, 0.5)])
def test_a_small_source_has_no_bound_of_its_own(min_source, fake_above):
    reals, fakes = np.concatenate([np.full(99, -3.0), [1.0]]), np.full(100, 3.0)  # 1 of 100 is far below 5 %
    sources = ["large"] * 70 + ["small"] * 30 + ["large"] * 100  # and 1 of 30 is not far enough
    rule = ThresholdRule(min_source=min_source)
    found = fit_thresholds(np.concatenate([reals, fakes])[:, None], np.arange(200) >= 100, sources, rule=rule)
    assert found.fake_above == pytest.approx(fake_above)


def test_a_degraded_look_is_calibrated_too():
    """Fakes that look real once degraded: p knows it, and few of them are called real."""
    draw = np.random.default_rng(0)
    plain = np.concatenate([draw.normal(-4, 1, 300), draw.normal(4, 1, 300)])
    degraded = np.concatenate([draw.normal(-4, 1, 300), draw.normal(-1, 1, 300)])
    degraded[:5] = np.nan
    labels = [Label.REAL] * 300 + [Label.FAKE] * 300
    alone, both = fit_calibration(plain, labels), fit_calibration(np.stack([plain, degraded], axis=1), labels)
    assert both.num_pictures == 600
    assert judge(-1.0, alone)[0] < 0.5 < judge(-1.0, both)[0]
    called_real = [judge(margin, both)[1] is Outcome.REAL for margin in (*plain[300:], *degraded[300:])]
    assert np.mean(called_real) <= 0.05
    assert np.mean([judge(margin, alone)[1] is Outcome.REAL for margin in degraded[300:]]) > 0.5
