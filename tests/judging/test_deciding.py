"""What several faces make of a picture: thresholds and boxes by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from virtus.checkpoints.calibration import fake_above_among, fit_calibration, outcome_of
from virtus.checkpoints.thresholds import MAX_ERROR, NUM_FACES, error_among
from virtus.judging.deciding import decide_picture, thresholds_of
from virtus.results import Calibration, Caution, CheckpointInfo, FaceReport, ImageReport, Label, Outcome

KNOWN = Calibration(1.0, 0.2, 0.9, fake_above_among=(0.94, 0.97))  # for 2, and for 3 and 4
OLD = replace(KNOWN, fake_above_among=())
BLURRED, CUT_OFF, SMALL, UNFAMILIAR = (Caution(name, name) for name in ("blurred", "cut_off", "small", "unfamiliar"))


def face(p_fake, side=100.0, *cautions, calibration=KNOWN):
    above = calibration.fake_above if calibration else 0.5
    outcome = Outcome.FAKE if p_fake >= above else Outcome.REAL if p_fake < 0.2 else Outcome.INCONCLUSIVE
    return FaceReport((0.0, 0.0, side, side), outcome, p_fake=p_fake, cautions=cautions)


def decide(*faces, calibration=KNOWN, prior=0.5):
    return decide_picture(
        ImageReport(Outcome.FAKE, CheckpointInfo("a", "local", "ab" * 32, calibration), faces, prior=prior)
    )


@pytest.mark.parametrize(
    ("p_fakes", "outcome", "decided_by"),
    [
        ((0.91,), "fake", 0),
        ((0.1, 0.91), "inconclusive", 1),
        ((0.1, 0.95), "fake", 1),
        ((0.1, 0.1, 0.95), "inconclusive", 2),
        ((0.1, 0.98, 0.1, 0.91), "fake", 1),
        ((0.1, 0.05), "real", 0),
        ((0.1, 0.98, 0.1, 0.1, 0.1), "inconclusive", 1),  # for five p is taken at its word
        ((0.1, 0.991, 0.1, 0.1, 0.1), "fake", 1),
    ],
)
def test_one_of_several_must_look_the_surer_fake(p_fakes, outcome, decided_by):
    report = decide(*map(face, p_fakes))
    assert (report.outcome, report.decided_by) == (outcome, decided_by)
    if outcome == "inconclusive":
        assert f"Among {len(p_fakes)} real faces" in report.decisive_face.reason
    assert [one.p_fake for one in report.faces] == list(p_fakes)


@pytest.mark.parametrize(
    ("bystander", "outcome"),
    [
        (face(0.99, 31, BLURRED), "inconclusive"),
        (face(0.99, 31, CUT_OFF), "inconclusive"),
        (face(0.99, 31, SMALL), "fake"),
        (face(0.99, 31), "fake"),
        (face(0.99, 32, BLURRED), "fake"),  # 0.1024 of the main face's area
        (face(0.1, 31, BLURRED), "real"),
    ],
)
def test_a_bystander_out_of_focus_proves_nothing(bystander, outcome):
    report = decide(face(0.1), bystander)
    assert report.outcome == outcome
    assert (report.decided_by == 1) is (outcome != "real")
    if outcome == "inconclusive":
        assert "less than a tenth as large" in report.decisive_face.reason


def test_bystanders_are_no_further_chances_to_err():
    blurred = [face(0.5, 30, BLURRED)] * 6
    assert decide(face(0.91), *blurred).outcome == "fake"
    assert decide(face(0.91), face(0.5, 30)).outcome == "inconclusive"


@pytest.mark.parametrize("p_fake", [0.1, 0.3, 0.91, 0.95, 1.0])
@pytest.mark.parametrize("others", [(), (0.3,), (0.1, 0.1), (0.1,) * 40])
@pytest.mark.parametrize("cautions", [(), (BLURRED,), (UNFAMILIAR,)])
@pytest.mark.parametrize("side", [30, 100])
def test_the_outcome_of_a_face_follows_from_its_p_by_its_own_thresholds(p_fake, others, cautions, side):
    one = face(p_fake, side, *cautions)
    if UNFAMILIAR in cautions:
        one = replace(one, outcome=Outcome.INCONCLUSIVE)
    report = decide(one, *map(face, others))
    assert [outcome_of(one.p_fake, thresholds_of(report, at)) for at, one in enumerate(report.faces)] == [
        one.outcome for one in report.faces
    ]


def test_thresholds_of_a_face_by_hand():
    report = decide(face(0.91), face(0.1), face(0.99, 30, BLURRED), replace(face(0.5), cautions=(UNFAMILIAR,)))
    bands = [thresholds_of(report, at) for at in range(4)]
    assert [band.real_below for band in bands] == [0.2, 0.2, 0.2, 0.0]
    assert [band.fake_above for band in bands[:2]] == [0.97, 0.97]  # three faces count
    assert all(1 < band.fake_above < 1 + 1e-15 for band in bands[2:])


def test_a_face_too_small_to_be_judged_counts_for_nothing():
    small = FaceReport((0.0, 0.0, 40.0, 40.0), Outcome.FACE_TOO_SMALL)
    assert decide(face(0.91), small).outcome == "fake"
    assert decide(small).outcome == "face_too_small"


def test_without_a_calibration_nothing_is_promised_and_a_bystander_still_proves_nothing():
    sides = {"calibration": None}
    assert decide(face(0.1), face(0.6, **sides), calibration=None).outcome == "fake"
    assert decide(face(0.1), face(0.6, 30, BLURRED, **sides), calibration=None).outcome == "inconclusive"


def test_the_chance_of_one_in_twenty_is_shared_among_the_faces():
    assert error_among(1) == pytest.approx(MAX_ERROR)
    for num in NUM_FACES:
        assert (1 - error_among(num)) ** num == pytest.approx(0.95)


def test_thresholds_of_old_calibrations_take_p_at_its_word():
    """Of reals a share of at most (1 - t) / t reaches t: it is 1 - 0.95^(1/2) at the reciprocal of 1 and that."""
    assert fake_above_among(OLD, 0.5, 1) == 0.9
    assert fake_above_among(OLD, 0.5, 2) == pytest.approx(1 / (2 - math.sqrt(0.95)))
    assert fake_above_among(KNOWN, 0.5, 5) == pytest.approx(1 / (2 - 0.95**0.2))
    assert fake_above_among(replace(KNOWN, fake_above_among=(0.94, 0.999)), 0.5, 5) == 0.999
    assert fake_above_among(None, 0.5, 7) == 0.5


def test_thresholds_of_several_move_with_the_prior():
    """Odds of 0.94 are 47/3; at one fake in four a third of that."""
    assert fake_above_among(KNOWN, 0.25, 2) == pytest.approx((47 / 9) / (1 + 47 / 9))
    assert fake_above_among(KNOWN, 1e-6, 2) == 0.5


@pytest.mark.parametrize("num_reals", [20, 180])
def test_there_are_thresholds_for_every_number_however_few_the_reals(num_reals):
    margins = np.concatenate([np.linspace(-9, 1, num_reals), np.linspace(0, 9, 50)])
    found = fit_calibration(margins, [Label.REAL] * num_reals + [Label.FAKE] * 50)
    assert len(found.fake_above_among) == len(NUM_FACES)
    assert sorted((found.fake_above, *found.fake_above_among)) == [found.fake_above, *found.fake_above_among]


def test_of_new_pictures_of_real_faces_one_in_twenty_is_called_fake_however_many_they_are():
    draw = np.random.default_rng(0)
    fit, new = (draw.normal(-2, 1.5, (num, 1)) for num in (4000, 40_000))
    found = fit_calibration(
        np.concatenate([fit[:, 0], draw.normal(2, 1.5, 4000)]), [Label.REAL] * 4000 + [Label.FAKE] * 4000
    )
    p_fake = 1 / (1 + np.exp(-new[:, 0] / found.temperature - found.bias))
    for num in (1, 2, 4, 8):
        pictures = p_fake[: len(p_fake) // num * num].reshape(-1, num).max(axis=1)
        assert (pictures >= fake_above_among(found, 0.5, num)).mean() == pytest.approx(0.05, abs=0.02)
