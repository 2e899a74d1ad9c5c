import numpy as np
import pytest

from virtus.checkpoints.metrics import area_under_roc, calibration_error, classification_metrics, log_odds, reliability


def test_figures_of_four_pictures_by_hand():
    # Called: real, fake, fake, fake. Right: 1st, 3rd, 4th. Of the 4 real-fake pairs, 3 are in the right order.
    metrics = classification_metrics([False, False, True, True], [0.1, 0.6, 0.5, 0.9])
    assert metrics["accuracy"] == 0.75
    assert metrics["auc"] == 0.75
    assert metrics["confusion"] == [[1, 1], [0, 2]]
    assert metrics["macro_f1"] == pytest.approx((2 / 3 + 4 / 5) / 2)


def test_a_constant_model_has_auc_one_half():
    assert area_under_roc([True, False, True], [0.3, 0.3, 0.3]) == 0.5


def test_one_class_has_no_auc():
    metrics = classification_metrics([True, True], [0.9, 0.2])
    assert metrics["auc"] is None
    assert metrics["accuracy"] == 0.5
    assert metrics["confusion"] == [[0, 0], [1, 1]]


def test_nothing_judged_gives_no_figures():
    assert classification_metrics([], []) == {
        "accuracy": None,
        "macro_f1": None,
        "auc": None,
        "confusion": [[0, 0], [0, 0]],
    }


def test_calibration_error_by_hand():
    # Two bins, half of all in each, one of two a fake in each: |0.3 - 0.5| below and |0.75 - 0.5| above.
    assert calibration_error([False, True, True, False], [0.2, 0.4, 0.6, 0.9], num_bins=2) == pytest.approx(0.225)


def test_classes_weigh_alike_in_the_calibration_error():
    """Three reals to one fake, all at p 0.5: as many of each, by weight, are in the only bin that is used."""
    truth, p = [False, False, False, True], [0.5] * 4
    assert calibration_error(truth, p) == pytest.approx(0)
    assert calibration_error(truth, [0.25] * 4, num_bins=1) == pytest.approx(0.25)


def test_a_sure_and_right_model_has_no_calibration_error():
    assert calibration_error([False, True, True], [0.0, 1.0, 1.0]) == 0
    assert calibration_error([True, False, False], [0.0, 1.0, 1.0]) == 1


def test_weights_count_pictures_several_times():
    truth, p, weights = [False, True, True, False], [0.1, 0.7, 0.3, 0.6], [1, 3, 0, 2]
    expected = calibration_error(np.repeat(truth, weights), np.repeat(p, weights))
    assert calibration_error(truth, p, weights=weights) == pytest.approx(expected)


def test_bins_of_a_reliability_diagram():
    share, mean_p, share_fake = reliability([False, True, True], [0.5, 0.6, 1.0], num_bins=2)
    np.testing.assert_allclose(share, [0, 1])  # 0.5 and 1 are in the upper bin
    np.testing.assert_allclose(mean_p, [np.nan, 0.5 * 0.5 + 0.5 * 0.8])
    np.testing.assert_allclose(share_fake, [np.nan, 0.5])


@pytest.mark.parametrize(("truth", "p"), [([], []), ([True, True], [0.1, 0.9]), ([False], [0.5])])
def test_calibration_needs_both_classes(truth, p):
    assert calibration_error(truth, p) is None
    assert reliability(truth, p) is None


def test_p_that_differ_by_arithmetic_noise_are_tied():
    metrics = classification_metrics([True, False], [0.42, 0.42 + 3e-8])
    assert metrics["auc"] == 0.5
    assert classification_metrics([True, False], [1 - 1e-9, 1 - 1e-8])["auc"] == 1.0  # saturated, and told apart
    assert log_odds([0.0, 1.0, 0.5]).tolist() == [pytest.approx(-690.78, abs=0.01), pytest.approx(36.7, abs=0.1), 0]
