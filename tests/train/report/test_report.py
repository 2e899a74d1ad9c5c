"""The report folder."""

import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from tests.support.reports import Tags, assessment, with_p
from train.__main__ import main
from train.report.assessment import read_beside, val_share
from train.report.document import Paragraph, Picture, ReportDocument, Section, Table
from train.report.evaluate import held_out
from train.report.folder import most_wrong, write_report
from train.report.intervals import Figure
from train.report.robustness import STEPS
from train.report.wording import figure_cell, say_calibration
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import DataError
from virtus.results import Calibration, Label

PICTURES = ["classification_report", "confusion", "histogram", "most_wrong", "reliability", "robustness", "roc"]
FIGURES = ("judged", "accuracy", "macro_f1", "auc", "ece", "reals_called_fake", "fakes_called_real", "inconclusive")


@pytest.fixture(scope="module")
def run(tmp_path_factory, make_checkpoint):
    """A run's folder, with what `fit` leaves in it."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "checkpoint").symlink_to(make_checkpoint())
    facts = {"hours": 1.5, "device": "an abacus", "energy_kwh": 0.25, "recipe": "x"}  # as of older versions
    (folder / "run.json").write_text(json.dumps(facts))
    (folder / "train_config.json").write_text(json.dumps({"val_share": 0.1, "split": "pooled-60-40"}))
    return folder


@pytest.fixture(scope="module")
def folder(data, make_checkpoint, tmp_path_factory):
    """What the command writes."""
    out = tmp_path_factory.mktemp("out") / "deep" / "report"
    assert main(["evaluate", str(make_checkpoint()), "--data", str(data), "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


# The folder.


def test_all_that_was_asked_for_is_there(folder):
    names = sorted(file.name for file in folder.iterdir())
    assert names == sorted([*(f"{name}.png" for name in PICTURES), "metrics.json", "report.html", "report.md"])
    for name in PICTURES:
        assert Image.open(folder / f"{name}.png").format == "PNG"


def test_metrics_hold_every_figure_with_its_interval(metrics):
    assert set(metrics["sources"]) == {"one", "<b>|two"}
    for own in (metrics["all"], *metrics["sources"].values()):
        for name in FIGURES:
            assert own[name].keys() == {"value", "low", "high"}
            if own[name]["low"] is not None:
                assert own[name]["low"] <= own[name]["high"]
    assert (metrics["all"]["num_images"], metrics["all"]["num_judged"], metrics["all"]["num_groups"]) == (15, 14, 15)
    assert metrics["all"]["judged"]["value"] == pytest.approx(14 / 15)
    assert sum(map(sum, metrics["all"]["confusion"])) == 14
    assert metrics["all"]["outcomes"]["real"]["no_face"] == 1
    assert metrics["bootstrap"]["num_draws"] == 1000
    assert metrics["part"] == "report"


def test_metrics_say_how_robust_it_is(metrics):
    places = {(row["source"], row["change"], row["level"]) for row in metrics["robustness"]}
    assert len(places) == len(metrics["robustness"]) == 3 * (1 + len(STEPS))
    assert ("all", "none", None) in places
    assert ("one", "jpeg", 50) in places


def test_metrics_say_who_judged_on_what_and_for_how_long(metrics, data, detector):
    assert metrics["checkpoint"]["sha256"] == detector.checkpoint.info.sha256
    assert metrics["data"] == data.name  # not where it lies
    assert metrics["run"] is None
    assert metrics["evaluation"]["seconds"] > 0
    assert "cpu" in metrics["evaluation"]["device"]


def test_the_page_asks_for_nothing_and_shows_everything(folder):
    page = (folder / "report.html").read_text()
    seen = Tags(page)
    assert not [value for value in seen.links if not value.startswith(("data:", "#"))]
    assert "url(" not in page
    assert "@import" not in page
    assert len(seen.images) == len(PICTURES)
    assert all(image["alt"] and image["src"].startswith("data:image/png;base64,") for image in seen.images)
    assert seen.scripts == 0
    assert "prefers-color-scheme: dark" in page
    assert {target.removeprefix("#") for target in seen.links if target.startswith("#")} <= seen.ids


def test_names_are_escaped(folder):
    page, text = (folder / "report.html").read_text(), (folder / "report.md").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;|two" in page
    assert r"\<b\>\|two" in text


def test_tables_of_the_text_are_whole(folder):
    """As many cells in each line as in the head: GitHub drops what is over."""
    blocks = re.findall(r"(?:^\|.*\n)+", (folder / "report.md").read_text(), flags=re.MULTILINE)
    assert len(blocks) >= 5
    for block in blocks:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_pictures_of_the_text_are_beside_it(folder):
    names = re.findall(r"!\[[^]]+\]\(([^)]+)\)", (folder / "report.md").read_text())
    assert sorted(names) == sorted(f"{name}.png" for name in PICTURES)


def test_a_report_can_go_without_robustness(data, make_checkpoint, tmp_path):
    out = tmp_path / "report"
    options = ["--no-robustness", "--limit", "2", "--part", "all"]
    assert main(["evaluate", str(make_checkpoint()), "--data", str(data), "--out", str(out), *options]) == 0
    found = json.loads((out / "metrics.json").read_text())
    assert found["robustness"] == []
    assert (found["all"]["num_images"], found["part"]) == (8, "all")
    assert not (out / "robustness.png").exists()
    assert "Robustness" not in (out / "report.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["evaluate", "--data", "."], "Name a checkpoint"),
        (["evaluate", "nothing", "--data", "nowhere", "--out", "out"], "There is no folder nowhere"),
        (["evaluate", "nothing", "--data", ""], "There is no folder . Give one"),
        (["fit", "--recipe", "virtus-tiny", "--data", "nowhere", "--out", "file"], "file is a file: --out is a folder"),
    ],
)
def test_wrong_use_is_one_sentence(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("")
    assert main(arguments) == 2
    assert message in capsys.readouterr().err


def test_a_file_in_the_folders_place_is_found_before_the_judging(data, make_checkpoint, capsys, tmp_path, monkeypatch):
    (tmp_path / "out").write_text("")
    monkeypatch.setattr("train.report.evaluate.judge", None)
    assert main(["evaluate", str(make_checkpoint()), "--data", str(data), "--out", str(tmp_path / "out")]) == 2
    assert "cannot be made" in capsys.readouterr().err


# Data that lacks something.


@pytest.mark.parametrize("label", list(Label))
def test_one_class_gives_a_report_without_what_needs_both(label, detector, judged, tmp_path):
    own = [one for one in judged if one.sample.label is label]
    found = assessment(detector, own, robustness=True)
    write_report(tmp_path, found, detector.checkpoint, data="some")
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert (metrics["all"]["auc"]["value"], metrics["all"]["ece"]["value"]) == (None, None)
    assert metrics["all"]["accuracy"]["value"] is not None
    assert not (tmp_path / "roc.png").exists()
    assert "both classes" in (tmp_path / "report.md").read_text()


def test_nothing_judged_is_said(detector, judged, tmp_path):
    own = [one for one in judged if not one.report.outcome.judged]
    write_report(tmp_path, assessment(detector, own, robustness=True), detector.checkpoint, data="some")
    assert [file.name for file in tmp_path.glob("*.png")] == []
    assert "No picture was judged" in (tmp_path / "report.html").read_text()


def test_a_source_that_is_called_all_is_one(detector, judged):
    """It was taken for all of them, and then there was none."""
    named = [replace(one, sample=replace(one.sample, source="all")) for one in judged if one.sample.source == "one"]
    found = assessment(detector, named, robustness=False)
    assert list(found.to_json()["sources"]) == ["all (source)"]
    assert found.to_json()["all"]["num_images"] == len(named)


def test_no_part_is_advised_to_who_asked_for_it(tmp_path):
    (tmp_path / "train" / "Real").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(tmp_path / "train" / "Real" / "a.png")
    (tmp_path / "val" / "Real").mkdir(parents=True)
    with pytest.raises(DataError, match=r"part 'all': add some to its val split\.$"):
        held_out(tmp_path, part="all", val_share=1e-9)


def test_one_source_is_not_shown_twice(detector, judged):
    own = [one for one in judged if one.sample.source == "one"]
    assert assessment(detector, own).shown_sets == ["one"]
    assert assessment(detector, judged).shown_sets == ["<b>|two", "one", "all"]


# What lies beside a checkpoint.


def test_hours_and_device_are_those_of_the_run(run, judged, tmp_path):
    detector = Detector(load_checkpoint(str(run / "checkpoint"), precision="float32"))
    found = assessment(detector, judged)  # the checkpoint is a link: what belongs to it is beside the link
    assert found.run == {"hours": 1.5, "device": "an abacus"}
    assert found.pooled
    write_report(tmp_path, found, detector.checkpoint, data="some")
    text = (tmp_path / "report.md").read_text()
    assert "an abacus" in text
    assert "These figures flatter" in text


def test_the_least_share_that_was_held_out_counts(run, make_checkpoint):
    own = str(make_checkpoint())
    assert val_share([str(run / "checkpoint")]) == 0.1
    assert val_share([own, str(run / "checkpoint")]) == 0.1
    assert val_share([own, "virtus-fast", "owner/name"]) == 0.2


def test_a_name_is_no_folder_to_look_beside(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    (tmp_path / "virtus-fast").mkdir()
    assert read_beside("virtus-fast", "run.json") is None
    assert read_beside("owner/name", "run.json") is None


# Pieces.


def test_the_most_wrong_come_first_and_none_that_is_right(judged):
    ps = [0.9, 0.2, 0.6, 0.4, 0.1]
    labels = [Label.REAL, Label.REAL, Label.FAKE, Label.FAKE, Label.FAKE]
    some = [one for one in judged if one.report.outcome.judged][:5]
    rows = [with_p(one, p, label) for one, p, label in zip(some, ps, labels, strict=True)]
    assert [one.report.p_fake for one in most_wrong(rows)] == [0.9, 0.1, 0.4]
    assert len(most_wrong(rows, count=2)) == 2


def test_figures_are_written_with_their_intervals():
    assert figure_cell("auc", Figure(0.98765, 0.9, 1.0)) == ("0.9877", "0.900 to 1.000")
    assert figure_cell("judged", Figure(0.5, 0.25, 0.75)) == ("50.0%", "25.0 to 75.0")
    assert figure_cell("difference", Figure(0.01, -0.02, 0.04)) == ("+0.0100", "-0.020 to +0.040")
    assert figure_cell("auc", Figure(0.5)) == "0.5000"
    assert figure_cell("auc", Figure(None)) == "-"


def test_a_calibration_is_said():
    assert "0.5" in say_calibration(None)
    text = say_calibration(Calibration(temperature=1.25, real_below=0.3, fake_above=0.8))
    assert all(number in text for number in ("1.250", "0.300", "0.800"))


def test_a_document_escapes_all_that_it_is_given(tmp_path):
    Image.new("RGB", (2, 2)).save(tmp_path / "a.png")
    evil = '"><script>x</script>|*'
    blocks = [Paragraph(evil), Table([evil], [[evil, (evil, evil)]], evil), Picture("a.png", evil, evil)]
    page = ReportDocument(evil, evil, [Section(evil, blocks)]).to_html(tmp_path)
    seen = Tags(page)
    assert seen.scripts == 0
    assert seen.images[0]["alt"] == evil


def test_one_of_whole_pictures_has_a_report_of_them(data, of_pictures, tmp_path):
    assert main(["evaluate", of_pictures, "--data", str(data), "--out", str(tmp_path), "--limit", "2"]) == 0
    found = json.loads((tmp_path / "metrics.json").read_text())
    assert found["all"]["judged"]["value"] == 1
    assert {row["accuracy"] is None for row in found["robustness"]} == {False}
