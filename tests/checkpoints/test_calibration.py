import json
import math

import numpy as np
import pytest

from virtus.checkpoints.calibration import at_prior, fit_calibration, judge
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.sidecar import read_calibration, store_calibration
from virtus.errors import CheckpointError, DataError, InputError
from virtus.results import Calibration, FaceCrop, Label, Outcome

BAND = Calibration(temperature=2.0, real_below=0.25, fake_above=0.75)


def drawn(num=4000, *, temperature=1.0, seed=0):
    """Margins whose calibrated p is right by construction: labels are drawn with p = sigmoid(margin / temperature)."""
    rng = np.random.default_rng(seed)
    true_margins = rng.normal(0, 3, num)
    is_fake = rng.random(num) < 1 / (1 + np.exp(-true_margins))
    return true_margins * temperature, [Label.FAKE if fake else Label.REAL for fake in is_fake]


@pytest.mark.parametrize(
    ("margin", "p_fake", "outcome"),
    [
        (0.0, 0.5, Outcome.INCONCLUSIVE),
        (2 * math.log(3), 0.75, Outcome.FAKE),
        (-2 * math.log(3) - 1e-9, 0.25, Outcome.REAL),
        (-2000.0, 0.0, Outcome.REAL),
        (2000.0, 1.0, Outcome.FAKE),
    ],
)
def test_p_and_outcome_of_a_margin(margin, p_fake, outcome):
    found, judged = judge(margin, BAND)
    assert found == pytest.approx(p_fake)
    assert judged is outcome


def test_without_a_calibration_the_threshold_is_one_half():
    assert judge(0.0, None) == (0.5, Outcome.FAKE)
    assert judge(-1e-6, None)[1] is Outcome.REAL


def test_at_even_odds_nothing_changes():
    for real_below, fake_above in ((0.25, 0.75), (0.1, 0.9), (0.136, 0.948), (0.5, 0.5), (0.0, 1.0)):
        usual = Calibration(2.0, real_below, fake_above)
        assert at_prior(usual, 0.5) == usual


def test_p_and_thresholds_move_along_with_the_prior():
    """One fake in four: odds are a third. A p of 3/4, odds 3, becomes 1/2, odds 1; the threshold 1/4 becomes 1/10."""
    quarter = at_prior(BAND, 0.25)
    assert (quarter.real_below, quarter.fake_above) == pytest.approx((0.1, 0.5))
    p_fake, outcome = judge(2 * math.log(3) + 1e-9, BAND, 0.25)
    assert p_fake == pytest.approx(0.5)
    assert outcome is Outcome.FAKE
    assert judge(0.0, BAND, 0.25) == (pytest.approx(0.25), Outcome.INCONCLUSIVE)


def test_nothing_is_called_that_is_not_the_likelier():
    """At one fake in ten the threshold for fake falls to 1/4, and at nine in ten that for real rises to 3/4."""
    assert judge(2 * math.log(3) + 1e-9, BAND, 0.1) == (pytest.approx(0.25), Outcome.INCONCLUSIVE)
    assert judge(2 * math.log(9) + 1e-9, BAND, 0.1)[1] is Outcome.FAKE
    assert judge(-2 * math.log(3) - 1e-9, BAND, 0.9) == (pytest.approx(0.75), Outcome.INCONCLUSIVE)
    assert judge(-2 * math.log(9) - 1e-9, BAND, 0.9)[1] is Outcome.REAL


def test_without_a_calibration_even_odds_decide_at_every_prior():
    assert judge(math.log(9) + 1e-9, None, 0.1)[1] is Outcome.FAKE
    assert judge(math.log(9) - 1e-9, None, 0.1)[1] is Outcome.REAL
    assert at_prior(None, 0.1) == Calibration(1.0, 0.5, 0.5)


@pytest.mark.parametrize("prior", [0, 1, -0.1, 1.5, math.nan, math.inf, "0.5", True, None])
def test_a_prior_that_leaves_nothing_to_judge_is_refused(prior):
    with pytest.raises(InputError, match="share of fakes"):
        judge(0.0, BAND, prior)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_the_temperature_that_made_the_margins_is_found(temperature):
    found = fit_calibration(*drawn(temperature=temperature))
    assert found.temperature == pytest.approx(temperature, rel=0.1)
    assert found.ece_after < 0.03


def test_a_network_that_leans_to_one_class_is_set_right():
    margins, labels = drawn(temperature=2.0)
    found = fit_calibration(margins + 3.0, labels)
    assert found.bias == pytest.approx(-1.5, abs=0.15)
    assert found.temperature == pytest.approx(2.0, rel=0.1)
    assert judge(3.0, found)[0] == pytest.approx(0.5, abs=0.02)
    assert found.ece_before > 0.1 > 0.03 > found.ece_after


def test_few_pictures_that_lie_apart_do_not_make_it_certain():
    """Platt's targets for 20 of each class are 1/22 and 21/22: no p is farther out where the margins are all alike."""
    found = fit_calibration([-5.0] * 20 + [7.0] * 20, [Label.REAL] * 20 + [Label.FAKE] * 20)
    assert judge(-5.0, found)[0] == pytest.approx(1 / 22, abs=1e-3)
    assert judge(7.0, found)[0] == pytest.approx(21 / 22, abs=1e-3)


def test_a_calibration_without_a_bias_is_of_before_there_was_one():
    old = read_calibration({"calibration": {"temperature": 2.0, "real_below": 0.25, "fake_above": 0.75}})
    assert old == BAND
    assert old.bias == 0


def test_overconfident_margins_become_calibrated():
    found = fit_calibration(*drawn(temperature=4.0))
    assert found.ece_before > 0.1
    assert found.ece_after < found.ece_before / 3


def test_at_most_one_real_in_twenty_and_one_fake_in_a_hundred_is_called_the_other_on_new_pictures_of_the_same_kind():
    calibration = fit_calibration(*drawn(temperature=2.0))
    margins, labels = drawn(temperature=2.0, seed=1)
    outcomes = [judge(margin, calibration)[1] for margin in margins]
    for label, wrong, least, most in ((Label.REAL, Outcome.FAKE, 0.03, 0.06), (Label.FAKE, Outcome.REAL, 0.005, 0.015)):
        own = [outcome for outcome, truth in zip(outcomes, labels, strict=True) if truth is label]
        assert least < own.count(wrong) / len(own) < most
    assert Outcome.INCONCLUSIVE in outcomes


def test_classes_that_lie_apart_leave_no_band():
    margins = np.concatenate([np.linspace(-9, -5, 40), np.linspace(5, 9, 40)])
    found = fit_calibration(margins, [Label.REAL] * 40 + [Label.FAKE] * 40)
    assert found.real_below == found.fake_above == 0.5


def test_thresholds_hold_for_the_hardest_source():
    """100 reals far below, and 100 of another source of which nine look like fakes: under 5 % of all, 9 % of theirs."""
    easy, hard = np.full(100, -8.0), np.concatenate([np.full(91, -8.0), np.full(9, 4.0)])
    margins = np.concatenate([easy, hard, np.tile([4.0, 9.0], 100)])
    labels = [Label.REAL] * 200 + [Label.FAKE] * 200
    sources = ["easy"] * 100 + ["hard"] * 100 + ["easy"] * 100 + ["hard"] * 100
    assert judge(4.0, fit_calibration(margins, labels))[1] is Outcome.FAKE
    assert judge(4.0, fit_calibration(margins, labels, sources))[1] is not Outcome.FAKE


def test_too_few_pictures_are_refused():
    with pytest.raises(DataError, match="needs 20 judged pictures of each class"):
        fit_calibration([0.0] * 40, [Label.FAKE] * 39 + [Label.REAL])


def test_it_is_stored_beside_the_weights_and_judges(copy_checkpoint, make_image):
    folder = copy_checkpoint(own={"margin": 1.5})
    plain = Detector(load_checkpoint(str(folder), precision="float32"))
    store_calibration(folder, BAND)
    calibrated = Detector(load_checkpoint(str(folder), precision="float32"))
    crop = FaceCrop(make_image(32, 32), (0, 0, 32, 32))
    (before,), (after,) = plain.predict([crop]), calibrated.predict([crop])
    logit = math.log(before.p_fake / (1 - before.p_fake))
    assert after.p_fake == pytest.approx(1 / (1 + math.exp(-logit / 2)), abs=1e-6)
    assert calibrated.predict_state(calibrated.encode([crop])) == [after]
    assert (calibrated.checkpoint.margin, calibrated.checkpoint.info.calibration) == (1.5, BAND)
    assert calibrated.checkpoint.info.to_json()["calibration"] == {
        "temperature": 2.0, "bias": 0.0, "real_below": 0.25, "fake_above": 0.75
    }  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        {"temperature": 0.0, "real_below": 0.5, "fake_above": 0.5},
        {"temperature": 1.0, "real_below": 0.8, "fake_above": 0.5},
        {"temperature": 1.0, "real_below": 0.5, "fake_above": 0.5, "bias": "much"},
        {"temperature": 1.0, "real_below": 0.5, "fake_above": 0.5, "bias": math.nan},
        {"temperature": "1", "real_below": 0.5, "fake_above": 0.5},
        {"temperature": 1.0, "real_below": 0.5, "fake_above": 0.8, "fake_above_among": [0.7]},
        {"temperature": 1.0, "real_below": 0.5, "fake_above": 0.8, "fake_above_among": 0.9},
        {"temperature": 1.0},
        {"temperature": 1.0, "real_below": 0.5, "fake_above": 0.5, "magic": 1},
        [1.0],
    ],
)
def test_a_calibration_that_cannot_be_used_is_refused(row):
    with pytest.raises(CheckpointError, match="calibrate again"):
        read_calibration(json.loads(json.dumps({"calibration": row})))


def test_no_calibration_is_none():
    assert read_calibration({}) is None
    assert read_calibration({"calibration": None}) is None
