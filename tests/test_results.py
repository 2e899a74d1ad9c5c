import pytest

from virtus.results import (
    Caution,
    CheckpointInfo,
    FaceReport,
    Faithfulness,
    ImageReport,
    Outcome,
    Stability,
    count_outcomes,
    gravest,
)

INFO = CheckpointInfo("virtus-fast", "bundled", "ab" * 32)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        (["real", "fake", "inconclusive"], "fake"),
        (["real", "inconclusive", "face_too_small"], "inconclusive"),
        (["real", "face_too_small"], "real"),
        (["face_too_small"], "face_too_small"),
        ([], "no_face"),
    ],
)
def test_a_picture_has_the_gravest_outcome_of_its_judged_faces(outcomes, expected):
    assert gravest(map(Outcome, outcomes)) == expected


def test_outcomes_are_counted_gravest_first():
    came = [Outcome.UNREADABLE, Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.FAKE]
    counts = count_outcomes(ImageReport(outcome, INFO) for outcome in came)
    assert list(counts.items()) == [("fake", 2), ("inconclusive", 1), ("real", 1), ("unreadable", 1)]


def test_only_three_outcomes_carry_a_number():
    assert {outcome for outcome in Outcome if outcome.judged} == {"real", "fake", "inconclusive"}


def test_json_of_a_picture_with_a_judged_and_a_small_face():
    judged = FaceReport((0.0, 1.0, 50.04, 60.0), Outcome.FAKE, p_fake=0.75)
    small = FaceReport((5.0, 5.0, 9.0, 9.0), Outcome.FACE_TOO_SMALL)
    report = ImageReport(Outcome.FAKE, INFO, (small, judged), (100, 80), "a.jpg")
    assert report.p_fake == 0.75
    assert report.to_json() == {
        "path": "a.jpg",
        "outcome": "fake",
        "decided_by": 1,
        "checkpoint": {"name": "virtus-fast", "revision": "bundled", "sha256": "ab" * 32, "calibration": None},
        "prior": 0.5,
        "image_size": [100, 80],
        "faces": [
            {"box_xyxy": [5.0, 5.0, 9.0, 9.0], "p_fake": None, "outcome": "face_too_small", "whole_image": True},
            {
                "box_xyxy": [0.0, 1.0, 50.0, 60.0],
                "p_fake": 0.75,
                "outcome": "fake",
                "whole_image": True,
                "cautions": [],
                "novelty": None,
                "stability": None,
            },
        ],
    }


def test_json_of_a_face_says_what_makes_its_verdict_less_sure():
    stability = Stability({"JPEG 50": 0.4, "mirrored": 0.8}, low=0.4, high=0.8, flips=True)
    blurred = Caution("blurred", "The face is blurred: use a sharper photo.")
    face = FaceReport(
        (0.0, 0.0, 60.0, 60.0),
        Outcome.INCONCLUSIVE,
        p_fake=0.75,
        novelty=1.25,
        cautions=(blurred,),
        stability=stability,
        reason="It flips.",
    )
    row = face.to_json()
    assert (row["cautions"], row["novelty"], row["reason"]) == (["blurred"], 1.25, "It flips.")
    assert row["stability"] == {
        "low": 0.4,
        "high": 0.8,
        "flips": True,
        "p_fake": {"JPEG 50": 0.4, "mirrored": 0.8},
    }


def test_json_says_why_nothing_was_judged():
    row = ImageReport(Outcome.UNREADABLE, INFO, path="a.jpg", reason="The file is empty.").to_json()
    assert (row["reason"], row["faces"], row["image_size"]) == ("The file is empty.", [], None)


def test_the_face_that_decided_is_the_largest_with_the_pictures_outcome():
    faces = [
        FaceReport((0.0, 0.0, 90.0, 90.0), Outcome.REAL, p_fake=0.1),
        FaceReport((0.0, 0.0, 60.0, 60.0), Outcome.FAKE, p_fake=0.8),
        FaceReport((0.0, 0.0, 50.0, 50.0), Outcome.FAKE, p_fake=0.9),
    ]
    report = ImageReport(Outcome.FAKE, INFO, tuple(faces))
    assert report.decisive_face is faces[1]
    assert report.decided_by == report.to_json()["decided_by"] == 1
    assert report.p_fake == 0.1
    assert ImageReport(Outcome.NO_FACE, INFO).decisive_face is None
    assert (
        ImageReport(Outcome.FACE_TOO_SMALL, INFO, (FaceReport((0, 0, 9, 9), Outcome.FACE_TOO_SMALL),)).decided_by
        is None
    )


@pytest.mark.parametrize(("p_value", "better"), [(0.01, True), (0.05, True), (0.06, False), (1.0, False)])
def test_a_map_is_better_than_chance_at_one_in_twenty(p_value, better):
    found = Faithfulness(deletion=0.2, insertion=0.9, p_value=p_value, beats_centre=True, num_random=99)
    assert found.to_json()["better_than_chance"] is better
