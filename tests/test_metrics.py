import pytest

from virtus.metrics import area_under_roc, classification_metrics


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
