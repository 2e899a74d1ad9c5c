"""Several checkpoints side by side, on the same pictures."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.reports import Tags, assessment, with_p
from train.__main__ import main
from train.report.comparison import compare, compare_assessments, write_comparison
from train.report.evaluate import JudgedSample, held_out, judge
from train.report.intervals import Figure
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.results import Label, Outcome


@pytest.fixture(scope="module")
def comparison(data, detector, make_checkpoint):
    other = Detector(load_checkpoint(str(make_checkpoint(seed=5)), precision="float32"))
    return compare([detector, other, detector], held_out(data), data=str(data), part="report")


def test_a_checkpoint_is_like_itself(comparison):
    same = comparison.differences["all"]["C"]
    assert same == Figure(0.0, 0.0, 0.0)
    pair = next(one for one in comparison.disagreements if (one.first, one.second) == ("A", "C"))
    assert (pair.outcomes, pair.only_first_right, pair.only_second_right) == (Figure(0.0, 0.0, 0.0), 0, 0)


def test_differences_are_those_of_the_figures(comparison):
    for name in comparison.first.sets:
        first, second = (comparison.assessments[label].figures[name]["auc"].value for label in "AB")
        assert comparison.differences[name]["B"].value == pytest.approx(second - first)


def test_all_judge_the_same_pictures(comparison):
    paths = [[one.sample.path for one in each.judged] for each in comparison.assessments.values()]
    assert paths[0] == paths[1] == paths[2]
    names = [each.checkpoint.sha256 for each in comparison.assessments.values()]
    assert names[0] == names[2] != names[1]


def test_disagreement_by_hand(detector, judged):
    some = [one for one in judged if one.report.outcome.judged][:4]
    labels = [Label.REAL, Label.REAL, Label.FAKE, Label.FAKE]
    said = [[0.1, 0.9, 0.9, 0.9], [0.9, 0.1, 0.1, 0.9]]
    rows = [[called(one, p, label) for one, p, label in zip(some, ps, labels, strict=True)] for ps in said]
    (found,) = compare_assessments([assessment(detector, own) for own in rows]).disagreements
    assert (found.outcomes.value, found.only_first_right, found.only_second_right) == (0.75, 2, 1)


def called(judged, p_fake, label):
    one = with_p(judged, p_fake, label)
    outcome = Outcome.FAKE if p_fake >= 0.5 else Outcome.REAL
    faces = tuple(replace(face, outcome=outcome) for face in one.report.faces)
    return JudgedSample(one.sample, replace(one.report, outcome=outcome, faces=faces))


def test_a_comparison_needs_two(detector):
    with pytest.raises(ValueError, match="two"):
        compare([detector], [], data="some", part="report")


def test_a_comparison_of_one_class_is_written(detector, judged, tmp_path):
    own = [one for one in judged if one.sample.label is Label.REAL]
    write_comparison(tmp_path, compare_assessments([assessment(detector, own)] * 2))
    assert not (tmp_path / "compare_roc.png").exists()
    assert json.loads((tmp_path / "compare.json").read_text())["auc_minus_first"]["all"]["B"]["value"] is None


def test_the_command_compares(data, make_checkpoint, tmp_path, capsys):
    names = [str(make_checkpoint()), str(make_checkpoint(seed=5))]
    assert main(["evaluate", "--compare", *names, "--data", str(data), "--out", str(tmp_path), "--limit", "2"]) == 0
    assert "AUC - A" in capsys.readouterr().out
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["compare.html", "compare.json", "compare.md", "compare_roc.png"]
    found = json.loads((tmp_path / "compare.json").read_text())
    assert list(found["checkpoints"]) == ["A", "B"]
    assert all(value.startswith(("data:", "#")) for value in Tags((tmp_path / "compare.html").read_text()).links)


def test_beside_one_of_faces_each_is_shown_what_it_was_made_for(data, detector, of_pictures, make_checkpoint):
    """Whoever comes first, and as if each judged alone."""
    samples = held_out(data)
    others = [detector, *(Detector(load_checkpoint(one)) for one in (of_pictures, str(make_checkpoint(seed=1))))]
    alone = [[one.report.p_fake for one in judge(other, samples)] for other in others]
    for order in ((0, 1, 2), (1, 2, 0)):
        found = compare([others[at] for at in order], samples, data=str(data), part="report")
        for at, own in zip(order, found.assessments.values(), strict=True):
            assert [one.report.p_fake for one in own.judged] == pytest.approx(alone[at], abs=1e-5)


def test_the_first_may_stand_before_compare(data, make_checkpoint, capsys):
    names = [str(make_checkpoint()), str(make_checkpoint(seed=5))]
    assert main(["evaluate", names[0], "--data", str(data), "--limit", "1", "--compare", names[1]]) == 0
    out = capsys.readouterr().out
    assert Path(names[0]).name in out
    assert out.index("| A |") < out.index("| B |")
