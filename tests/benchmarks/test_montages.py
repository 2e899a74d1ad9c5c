import numpy as np
import pytest
from scipy.stats import beta

from benchmarks.faces.montages import NUM_PICTURES, draw, expect, shares
from virtus.results import Calibration

USED = Calibration(1.0, real_below=0.2, fake_above=0.9)


def test_pictures_are_of_one_source_and_one_face_of_the_others_is_fake():
    reals = {"a": np.full(30, 0.1), "b": np.full(10, 0.2)}
    pictures, forged = draw(reals, np.array([0.99]), 3, np.random.default_rng(0))
    assert pictures.shape == forged.shape == (NUM_PICTURES, 3)
    assert (pictures == pictures[:, :1]).all()
    assert (pictures == 0.1).all(axis=1).mean() == pytest.approx(0.75, abs=0.05)
    assert (forged[:, 0] == 0.99).all()
    assert (forged[:, 1:] == pictures[:, 1:]).all()


def test_shares_by_hand():
    pictures = np.array([[0.1, 0.1], [0.1, 0.5], [0.92, 0.1], [0.96, 0.1]])
    assert shares(pictures, USED, 0.95) == [0.5, 0.25, 0.5]


def test_the_share_that_few_calibrating_pictures_leave():
    """Of 400 reals the 20th highest is the threshold, and the share above it is of Beta(20, 381)."""
    low, high = (float(share.rstrip("%")) / 100 for share in expect(400, 1).split(" to "))
    assert (low, high) == pytest.approx(beta.ppf((0.025, 0.975), 20, 381), abs=0.004)
