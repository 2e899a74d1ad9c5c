import numpy as np
import pytest

from train.fit.frozen import RIDGE, SOURCES_COUNT, fit_frozen
from train.pictures.samplers import RowKind
from virtus.results import Label

REAL, FAKE = Label.REAL, Label.FAKE


def square(x: float, y: float, side: float = 2.0) -> np.ndarray:
    """Four features around a point: covariance side^2 / 4 in each direction."""
    return np.array([[x + dx, y + dy] for dx in (-side / 2, side / 2) for dy in (-side / 2, side / 2)])


def kinds(*strata: tuple[Label, str]) -> list[RowKind]:
    return [RowKind(label, "", stratum) for label, stratum in strata for _ in range(4)]


def test_the_discriminant_is_fisher_s_with_a_ridge():
    """Two squares 6 apart: standard deviations sqrt(9 + 1) and 1, within the strata variances 1/10 and 1."""
    fitted = fit_frozen(np.concatenate([square(0, 0), square(6, 0)]), kinds((REAL, "a"), (FAKE, "b")))
    apart = 6 / np.sqrt(10)
    expected = apart / (0.1 + RIDGE)
    np.testing.assert_allclose(fitted.weights, [expected / np.sqrt(10), 0], atol=1e-9)
    np.testing.assert_allclose(fitted.margins(np.array([[3.0, 5.0], [6.0, 0.0]])), [0, expected * apart / 2], atol=1e-9)


def test_how_sources_of_reals_differ_counts_as_noise():
    """The fakes lie where one source of reals does not, and above both: what is left is above."""
    features = np.concatenate([square(-4, 0), square(4, 0), square(4, 2)])
    fitted = fit_frozen(features, kinds((REAL, "a"), (REAL, "b"), (FAKE, "c")))
    spread = features.std(axis=0)
    within = np.diag(1 / spread**2)
    between = SOURCES_COUNT[REAL] * np.diag([16 / spread[0] ** 2, 0])
    apart = np.array([4, 2]) / spread
    expected = np.linalg.solve(within + between + RIDGE * np.eye(2), apart) / spread
    np.testing.assert_allclose(fitted.weights, expected)
    assert fitted.weights[1] > 8 * fitted.weights[0]


@pytest.mark.parametrize(("weights", "centre"), [({}, 2.0), ({"b": 3}, 3.0)])
def test_strata_weigh_alike_in_their_class_however_many_rows_they_have(weights, centre):
    """The margin is 0 half-way between the classes' centres."""
    reals = np.concatenate([square(0, 0), square(0, 0), square(4, 0)])
    features = np.concatenate([reals, square(20, 0)])
    rows = kinds((REAL, "a"), (REAL, "a"), (REAL, "b"), (FAKE, "c"))
    fitted = fit_frozen(features, rows, weights)
    assert fitted.margins(np.array([[(centre + 20) / 2, 0.0]])) == pytest.approx(0, abs=1e-9)


def test_a_feature_that_is_always_the_same_says_nothing():
    features = np.concatenate([square(0, 0), square(6, 0)])
    features[:, 1] = 7
    fitted = fit_frozen(features, kinds((REAL, "a"), (FAKE, "b")))
    assert np.isfinite(fitted.weights).all()
    assert fitted.weights[1] == 0


def test_a_stratum_at_0_is_not_looked_at():
    features = np.concatenate([square(0, 0), square(6, 1), square(3, 9, side=8)])
    fitted = fit_frozen(features, kinds((REAL, "a"), (FAKE, "b"), (REAL, "c")), {"c": 0})
    variances = features.var(axis=0)
    np.testing.assert_allclose(fitted.weights, np.array([6, 1]) / (1 / variances + RIDGE) / variances)
    assert fitted.margins(np.array([[3.0, 0.5]])) == pytest.approx(0, abs=1e-9)
