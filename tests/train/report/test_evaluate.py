"""Held-out pictures judged, and their figures with intervals."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from train.data.samples import Sample
from train.report import evaluate, intervals
from train.report.evaluate import JudgedSample, held_out, indices_by_source, judge, judge_again, source_table
from train.report.intervals import Figure, Judgements, RankedAuc, draw_weights, headline, with_intervals
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import DataError
from virtus.media.images import load_image
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Label, Outcome

INFO = CheckpointInfo("some", "local", "0" * 64)


def report(p_fake, outcome=None):
    """Of a picture with one face; p of None is one without."""
    if p_fake is None:
        return ImageReport(Outcome.NO_FACE, INFO)
    outcome = outcome or (Outcome.FAKE if p_fake >= 0.5 else Outcome.REAL)
    return ImageReport(outcome, INFO, (FaceReport((0, 0, 1, 1), outcome, p_fake=p_fake),))


def judgements(rows, groups=None):
    """Of (is_fake, p_fake) or (is_fake, p_fake, outcome)."""
    labels = [Label.FAKE if row[0] else Label.REAL for row in rows]
    return Judgements(labels, [report(*row[1:]) for row in rows], groups or [str(i) for i in range(len(rows))])


def random_judgements(count=200, seed=3):
    draw = np.random.default_rng(seed)
    truth = draw.random(count) < 0.4
    p = np.clip(draw.normal(0.4 + 0.2 * truth, 0.25), 0, 1).round(1)  # rounded: many are equal
    return judgements(list(zip(truth.tolist(), p.tolist(), strict=True)), [f"g{index // 3}" for index in range(count)])


# Figures.


def test_figures_by_hand():
    rows = [(False, 0.1), (False, 0.6), (False, 0.5, Outcome.INCONCLUSIVE), (False, None), (True, 0.9), (True, 0.2)]
    found = judgements(rows).figures(np.ones(6))
    assert found["judged"] == 5 / 6
    assert found["accuracy"] == 2 / 5
    assert found["auc"] == (3 + 1) / 6
    assert (found["reals_called_fake"], found["fakes_called_real"]) == (1 / 3, 1 / 2)
    assert found["inconclusive"] == 1 / 5
    assert judgements(rows).confusion() == [[1, 2], [1, 1]]


def test_figures_are_those_of_scikit_learn_on_copies():
    """A picture that counts three times is a data set with three of it."""
    own = random_judgements()
    weights = np.random.default_rng(1).integers(0, 4, len(own))
    found = own.figures(weights.astype(float))
    truth, p = np.repeat(own.is_fake, weights), np.repeat(own.p_fake, weights)
    assert found["auc"] == pytest.approx(roc_auc_score(truth, p))
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, p >= 0.5))
    assert found["macro_f1"] == pytest.approx(f1_score(truth, p >= 0.5, average="macro"))


def test_ranked_auc_of_equal_p_is_chance():
    assert RankedAuc(np.array([True, False, True]), np.full(3, 0.3))(np.array([1.0, 5.0, 2.0])) == 0.5


def test_one_class_leaves_figures_undefined():
    found = headline(judgements([(True, 0.9), (True, 0.2)]), ["s", "s"])
    assert (found["auc"], found["ece"], found["reals_called_fake"]) == (Figure(None),) * 3
    assert found["fakes_called_real"].value == 0.5


def test_nothing_judged_leaves_all_but_the_share_undefined():
    found = headline(judgements([(True, None), (False, None)]), ["s", "s"])
    assert found.pop("judged") == Figure(0.0, 0.0, 0.0)
    assert set(found.values()) == {Figure(None)}


# Intervals.


def test_pictures_of_a_group_are_drawn_together():
    groups, sources = ["a", "a", "b", "c", "c", "c"], ["s"] * 6
    for weights in draw_weights(groups, sources, num_draws=50):
        assert weights[0] == weights[1]
        assert len(set(weights[3:])) == 1
        assert weights[0] + weights[2] + weights[3] == 3  # as many groups as there are


def test_groups_are_drawn_within_their_source():
    groups, sources = ["a", "b", "c", "d"], ["s", "s", "t", "t"]
    drawn = list(draw_weights(groups, sources, num_draws=50))
    assert {(w[:2].sum(), w[2:].sum()) for w in drawn} == {(2, 2)}


def test_draws_are_the_same_for_the_same_groups():
    first, second = (np.array(list(draw_weights(list("abcd"), ["s"] * 4, num_draws=5))) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_larger_groups_make_wider_intervals():
    """Copies of a picture tell nothing new: ten of each, in a group of its own, leave the interval as it was."""
    rows = [(index % 2 == 0, 0.9 if index % 3 else 0.1) for index in range(30)]
    single = headline(judgements(rows), ["s"] * 30)["accuracy"]
    names = [str(index) for index in range(30) for _ in range(10)]
    copied = headline(judgements([row for row in rows for _ in range(10)], names), ["s"] * 300)["accuracy"]
    ungrouped = headline(judgements([row for row in rows for _ in range(10)]), ["s"] * 300)["accuracy"]
    assert copied.high - copied.low == pytest.approx(single.high - single.low, abs=0.05)
    assert ungrouped.high - ungrouped.low < (single.high - single.low) / 2


def test_an_interval_is_about_that_of_theory():
    """A share of 0.3 among 400: 0.3 +- 1.96 sqrt(0.3 x 0.7 / 400)."""
    rows = [(True, 0.9 if index % 10 < 3 else 0.1) for index in range(400)]
    found = headline(judgements(rows), ["s"] * 400)["accuracy"]
    assert found.value == 0.3
    assert (found.low, found.high) == pytest.approx((0.255, 0.345), abs=0.008)


def test_one_group_has_no_interval():
    found = headline(judgements([(True, 0.9), (False, 0.2)], ["a", "a"]), ["s", "s"])
    assert found["auc"] == Figure(1.0)


def test_a_figure_that_most_draws_lack_has_no_interval():
    """Two groups, a class in each: half of the draws have no AUC."""
    assert headline(judgements([(True, 0.9), (False, 0.2)]), ["s", "s"])["auc"] == Figure(1.0)


def test_paired_figures_share_their_draws():
    own = random_judgements()
    found = with_intervals(lambda w: {"difference": own.auc(w) - own.auc(w)}, own.groups, ["s"] * len(own))
    assert found["difference"] == Figure(0.0, 0.0, 0.0)


# Judging.


@pytest.fixture(scope="module")
def data(tmp_path_factory, astronaut):
    """Two sources with `val` only, twelve faces of each class, one picture without a face and one broken."""
    root = tmp_path_factory.mktemp("data")
    face = load_image(astronaut).crop((140, 20, 310, 210))
    for source in ("one", "two"):
        for label in ("Real", "Fake"):
            folder = root / source / "val" / label
            folder.mkdir(parents=True)
            for index in range(6):
                face.crop((0, 0, 170 - index, 190)).save(folder / f"{index}.png")
    Image.new("RGB", (80, 80), "grey").save(root / "one" / "val" / "Real" / "empty.png")
    (root / "one" / "val" / "Real" / "broken.jpg").write_bytes(b"no picture")
    return root


@pytest.fixture(scope="module")
def detectors(make_checkpoint):
    options = [{"seed": 0}, {"seed": 1, "own": {"margin": 1.7}}]
    return [Detector(load_checkpoint(str(make_checkpoint(**one)), precision="float32")) for one in options]


@pytest.fixture(scope="module")
def judged(data, detectors):
    return judge(detectors[0], held_out(data, part="all"))


def test_parts_share_nothing_and_are_all(data):
    parts = [{s.path for s in held_out(data, part=part)} for part in ("report", "choose", "calibrate")]
    assert sum(map(len, parts)) == len(set.union(*parts)) == len(held_out(data, part="all")) == 26


def test_a_limit_is_of_each_source_and_class(data):
    kept = held_out(data, part="all", limit=2)
    assert [(s.source, str(s.label)) for s in kept] == [
        (source, label) for source in ("one", "two") for label in ("fake", "real") for _ in range(2)
    ]
    assert len({s.path for s in kept}) == 8


def test_an_empty_part_says_what_to_do(tmp_path):
    file = tmp_path / "test" / "Real" / "a.png"
    file.parent.mkdir(parents=True)
    Image.new("RGB", (50, 50)).save(file)
    assert len(held_out(tmp_path)) == 1
    with pytest.raises(DataError, match="--part all"):
        held_out(tmp_path, part="choose")


def test_every_picture_has_its_report_and_no_crop(judged, data):
    by_name = {one.sample.path.relative_to(data).as_posix(): one.report for one in judged}
    assert all(one.report.path == str(one.sample.path) for one in judged)
    assert by_name["one/val/Real/empty.png"].outcome == "no_face"
    assert by_name["one/val/Real/broken.jpg"].outcome == "unreadable"
    assert all(face.crop is None for report in by_name.values() for face in report.faces)
    assert sum(report.outcome.judged for report in by_name.values()) == 24


def test_faces_found_before_are_judged_as_if_found_anew(detectors, judged, monkeypatch):
    """By another checkpoint with another margin: the same as judging from the start, but no face is looked for."""
    _, second = detectors
    expected = judge(second, [one.sample for one in judged])
    monkeypatch.setattr("virtus.judging.photo.find_faces", None)
    monkeypatch.setattr(evaluate, "READ_AHEAD", 7)
    again = judge_again(second, judged)
    for found, wanted in zip(again, expected, strict=True):
        assert found.sample == wanted.sample
        assert (found.report.outcome, found.report.checkpoint) == (wanted.report.outcome, second.checkpoint.info)
        assert found.report.p_fake == pytest.approx(wanted.report.p_fake, abs=1e-5)
    assert [one.report.p_fake for one in again] != [one.report.p_fake for one in judged]


def test_a_picture_is_as_grave_as_its_gravest_face(detectors, data):
    """And has the p of its largest one, whoever judges."""
    sample = Sample(data / "one" / "val" / "Real" / "0.png", Label.REAL, "one", "val", "one/0")
    (found,) = judge(detectors[0], [sample])
    large = found.report.faces[0]
    small = FaceReport((0, 0, 10, 10), Outcome.FACE_TOO_SMALL, large.face)
    both = JudgedSample(sample, ImageReport(Outcome.REAL, INFO, (large, small, large), (170, 190), str(sample.path)))
    (again,) = judge_again(detectors[1], [both])
    assert [face.outcome for face in again.report.faces] == [
        again.report.outcome,
        "face_too_small",
        again.report.outcome,
    ]
    assert again.report.faces[0].p_fake == again.report.p_fake
    assert again.report.faces[2].p_fake == pytest.approx(again.report.p_fake, abs=1e-6)  # elsewhere in the batch


def test_the_table_counts_outcomes():
    rows = [(False, 0.1), (False, 0.6), (False, 0.5, Outcome.INCONCLUSIVE), (False, None), (True, 0.9), (True, 0.2)]
    samples = [
        Sample(Path(f"{i}"), Label.FAKE if row[0] else Label.REAL, "s", "val", f"{i}") for i, row in enumerate(rows)
    ]
    table = source_table([JudgedSample(s, report(*row[1:])) for s, row in zip(samples, rows, strict=True)])
    cells = [cell.strip() for cell in table.splitlines()[2].strip("|").split("|")]
    assert cells == ["s", "6", "83.3%", "0.4000", "0.4000", "0.6667", "33.3%", "50.0%", "20.0%"]
    assert table.splitlines()[0].endswith("| reals called fake | fakes called real | inconclusive |")


def test_sources_are_evaluated_one_by_one(data, make_checkpoint):
    detector = Detector(load_checkpoint(str(make_checkpoint(seed=0))))
    judged = judge(detector, held_out(data, part="all", limit=1))
    assert indices_by_source(judged) == {"one": [0, 1], "two": [2, 3]}


def test_the_interval_is_of_so_many_draws():
    assert (intervals.NUM_DRAWS, intervals.CONFIDENCE) == (1000, 0.95)
    assert len(list(draw_weights(["a", "b"], ["s", "s"]))) == 1000
