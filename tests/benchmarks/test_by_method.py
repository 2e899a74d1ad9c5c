import pytest

from benchmarks.by_method import cell, figures_of, method_of
from train.data.samples import Sample
from train.report.evaluate import JudgedSample
from train.report.intervals import Figure
from virtus.results import CheckpointInfo, Face, FaceReport, ImageReport, Label, Outcome

BOX = (0.0, 0.0, 50.0, 50.0)


def judged(label, name, p_fake, outcome, group):
    face = FaceReport(BOX, outcome, Face(BOX, (), 0.99), None, p_fake)
    report = ImageReport(outcome, CheckpointInfo("a", "local", "ab" * 32), (face,))
    return JudgedSample(Sample(name, label, "source", "val", group), report)


@pytest.fixture
def four(tmp_path):
    return [
        judged(Label.REAL, tmp_path / "a_b.jpg", 0.1, Outcome.REAL, "a"),
        judged(Label.REAL, tmp_path / "b.jpg", 0.6, Outcome.FAKE, "b"),
        judged(Label.FAKE, tmp_path / "Deepfakes_a.jpg", 0.9, Outcome.FAKE, "a"),
        judged(Label.FAKE, tmp_path / "FaceSwap_b_c.jpg", 0.5, Outcome.INCONCLUSIVE, "b"),
        judged(Label.FAKE, tmp_path / "FaceSwap_c.jpg", None, Outcome.NO_FACE, "b"),
    ]


def test_the_method_of_a_fake_is_in_its_name(four):
    assert [method_of(one) for one in four] == [None, None, "Deepfakes", "FaceSwap", "FaceSwap"]


def test_shares_are_of_what_was_judged(four):
    figures = figures_of(four)
    assert {name: figure.value for name, figure in figures.items()} == {
        "AUC": 0.75,  # 0.9 above both reals, 0.5 above one of them
        "fakes called fake": 0.5,
        "fakes called real": 0.0,
        "reals called fake": 0.5,
        "inconclusive": 0.25,
    }
    assert figures_of(four[2:])["AUC"].value is None


def test_a_cell_has_its_interval_where_there_is_one():
    assert [cell(Figure(*ends)) for ends in ((None,), (0.5,), (0.5, 0.25, 1.0))] == [
        "-",
        "0.500",
        "0.500 (0.25 to 1.00)",
    ]
