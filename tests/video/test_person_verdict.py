import math

import pytest

from virtus.checkpoints.calibration import UNCALIBRATED
from virtus.results import Calibration, Caution, FaceReport, Outcome
from virtus.video.report import Sight
from virtus.video.verdict import judge_person

USED = Calibration(temperature=1.0, real_below=0.2, fake_above=0.8)
BLURRED, SEVERAL = Caution("blurred", "It is blurred."), Caution("several_faces", "There are two.")
TOO_CLOSE = Caution("too_close", "It is cut too close.")
BOX = (0.0, 0.0, 100.0, 100.0)


def sight(at, p_fake, novelty=None, cautions=()):
    outcome = Outcome.FACE_TOO_SMALL if p_fake is None else Outcome.INCONCLUSIVE
    return Sight(at, at / 2, FaceReport(BOX, outcome, p_fake=p_fake, novelty=novelty, cautions=cautions))


def judged(*p_fakes, used=USED):
    return judge_person([sight(at, p_fake) for at, p_fake in enumerate(p_fakes)], used)


def test_the_verdict_is_the_median_with_its_quartiles():
    person = judged(0.85, 0.95, 0.9, 0.88, 0.99)
    assert (person.outcome, person.num_counted, person.reason) == (Outcome.FAKE, 5, None)
    assert (person.p_low, person.p_fake, person.p_high) == pytest.approx((0.88, 0.9, 0.95))


def test_between_two_frames_the_mean_is_of_logits():
    person = judged(0.01, 0.01, 0.1, 0.1)
    mean = (math.log(0.01 / 0.99) + math.log(0.1 / 0.9)) / 2
    assert person.p_fake == pytest.approx(1 / (1 + math.exp(-mean)))
    assert person.outcome is Outcome.REAL


@pytest.mark.parametrize("outlier", [0.0, 0.5, 1.0])
def test_one_outlier_flips_nobody(outlier):
    assert judged(0.05, 0.06, outlier, 0.07, 0.05, 0.06).outcome is Outcome.REAL
    assert judged(0.95, 0.96, outlier, 0.97, 0.95, 0.96).outcome is Outcome.FAKE


def test_certain_frames_are_counted_like_others():
    assert judged(0.0, 0.0, 0.0, 1.0).p_fake < 1e-6
    assert judged(0.0, 0.0, 1.0, 1.0).p_fake == pytest.approx(0.5)


def test_between_the_thresholds_nobody_can_tell():
    person = judged(0.4, 0.5, 0.6)
    assert (person.outcome, person.reason) == (Outcome.INCONCLUSIVE, None)
    assert person.telling == 1


def test_a_spread_across_a_threshold_is_inconclusive():
    person = judged(0.1, 0.1, 0.15, 0.3, 0.4)
    assert person.outcome is Outcome.INCONCLUSIVE
    assert person.p_fake == pytest.approx(0.15)
    assert "p of half of them lies between 0.10 and 0.30, across a threshold" in person.reason
    assert judged(0.1, 0.1, 0.15, 0.19, 0.4).outcome is Outcome.REAL


@pytest.mark.parametrize(("num_fake", "outcome"), [(1, Outcome.REAL), (2, Outcome.REAL), (3, Outcome.INCONCLUSIVE)])
def test_frames_that_contradict_each_other_are_inconclusive(num_fake, outcome):
    """Of 20 frames two may be called fake; the quartiles are far away from them."""
    person = judged(*[0.05] * (20 - num_fake), *[0.95] * num_fake)
    assert person.outcome is outcome
    if outcome is Outcome.INCONCLUSIVE:
        assert person.reason == ("The frames contradict each other: 17 came out as real and 3 as fake, of 20 frames.")


def test_half_real_and_half_fake_is_no_mean():
    person = judged(*[0.05] * 5, *[0.95] * 5)
    assert person.outcome is Outcome.INCONCLUSIVE
    assert "contradict" in person.reason


@pytest.mark.parametrize(("p_fakes", "said"), [([0.99], "1 frame"), ([0.99, 0.98], "2 frames")])
def test_too_few_frames_are_no_verdict(p_fakes, said):
    person = judged(*p_fakes)
    assert person.outcome is Outcome.INCONCLUSIVE
    assert f"Judged in {said}: fewer than the 3" in person.reason
    assert person.p_fake > 0.97


def test_frames_unlike_anything_do_not_count():
    sights = [sight(0, 0.05), sight(1, 0.06), sight(2, 0.07), sight(3, 0.99, 1.5), sight(4, 0.99, 1.5)]
    person = judge_person(sights, USED)
    assert (person.outcome, person.num_counted) == (Outcome.REAL, 3)
    assert person.p_fake == pytest.approx(0.06)
    assert person.novelty == 1.5


def test_a_person_mostly_unlike_anything_is_inconclusive():
    sights = [sight(at, 0.99, novelty) for at, novelty in enumerate((0.5, 1.5, 1.2))]
    person = judge_person(sights, USED)
    assert person.outcome is Outcome.INCONCLUSIVE
    assert "unlike anything" in person.reason
    assert (person.num_counted, person.novelty) == (3, 1.2)


def test_frames_that_are_cut_too_close_do_not_count_either():
    close = [sight(at, 0.99, cautions=(TOO_CLOSE,)) for at in (3, 4)]
    person = judge_person([sight(0, 0.05), sight(1, 0.06), sight(2, 0.07), *close], USED)
    assert (person.outcome, person.num_counted) == (Outcome.REAL, 3)
    person = judge_person([sight(0, 0.05), *close], USED)
    assert (person.outcome, person.num_counted) == (Outcome.INCONCLUSIVE, 3)
    assert "cut closer" in person.reason


def test_small_faces_are_seen_but_not_counted():
    person = judge_person([sight(0, None), sight(1, 0.9), sight(2, 0.95), sight(3, 0.99)], USED)
    assert (person.outcome, person.num_counted, len(person.sights)) == (Outcome.FAKE, 3, 4)
    assert person.sights[person.telling].face.p_fake == 0.99
    none = judge_person([sight(0, None)] * 4, USED)
    assert (none.outcome, none.p_fake, none.telling, none.num_counted) == (Outcome.FACE_TOO_SMALL, None, None, 0)


@pytest.mark.parametrize(
    ("p_fakes", "telling"),
    [
        ([0.9, 0.99, 0.85, 0.95], 1),
        ([0.1, 0.15, 0.02, 0.9, 0.1], 2),
        ([0.3, 0.75, 0.5, 0.45, 0.6], 2),
    ],
)
def test_the_most_telling_frame_is_where_the_verdict_is_plainest(p_fakes, telling):
    assert judged(*p_fakes).telling == telling


def test_a_frame_that_does_not_count_is_not_the_most_telling():
    sights = [sight(0, 0.99, 1.5), sight(1, 0.9), sight(2, 0.95), sight(3, 0.91)]
    assert judge_person(sights, USED).telling == 2


def test_cautions_are_those_of_most_frames():
    both, alone = (BLURRED, SEVERAL), (SEVERAL,)
    assert judge_person([sight(at, 0.9, None, both) for at in range(3)], USED).cautions == (BLURRED,)
    half = [sight(0, 0.9, None, both), sight(1, 0.9, None, both), sight(2, 0.9, None, alone), sight(3, 0.9)]
    assert judge_person(half, USED).cautions == ()


def test_without_a_calibration_the_threshold_is_one_half():
    assert judged(0.6, 0.7, 0.8, used=UNCALIBRATED).outcome is Outcome.FAKE
    assert "2 came out as real and 3 as fake" in judged(0.4, 0.45, 0.6, 0.7, 0.8, used=UNCALIBRATED).reason


def test_the_json_has_every_frame():
    row = judge_person([sight(0, None), sight(1, 0.9), sight(2, 0.95), sight(3, 0.85)], USED).to_json()
    assert (row["outcome"], row["p_fake"], row["num_frames"], row["num_counted"]) == ("fake", 0.9, 4, 3)
    assert row["telling"] == 2
    assert [one["time_s"] for one in row["sights"]] == [0, 0.5, 1, 1.5]
    assert [one["p_fake"] for one in row["sights"]] == [None, 0.9, 0.95, 0.85]
    assert "reason" not in row
