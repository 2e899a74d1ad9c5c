"""The model card: what it says follows from the files of the run, and it says no more than they do."""

from pathlib import Path

import pytest
import yaml

from tests.train.runs import CALIBRATION, PLOTS, RECORD, write_run
from train.__main__ import main
from train.data.samples import Sample
from train.publish.card import CHANGES, render_card
from train.publish.run import read_run
from train.report.assessment import Assessment
from train.report.evaluate import JudgedSample
from train.report.intervals import Judgements, headline
from train.report.robustness import CHANGES as MEASURED
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Label, Outcome


@pytest.fixture
def make_run(make_checkpoint, tmp_path):
    """Factory: the options of `write_run`, to the folder of a run of the test's own."""
    return lambda **options: write_run(tmp_path / "run", make_checkpoint(), **options)


def card(run, **options):
    """Its metadata, and its text."""
    _, head, text = render_card(read_run(run), **options).split("---\n", 2)
    return yaml.safe_load(head), text


def metrics_json(*rows):
    """Of the pictures of one source, by truth, outcome and p, as a report writes them."""
    info = CheckpointInfo("x", "local", "0")
    judged = [
        JudgedSample(Sample(Path(f"{n}.png"), truth, "dfdc", "val", f"group {n}"), image_report(info, outcome, p_fake))
        for n, (truth, outcome, p_fake) in enumerate(rows)
    ]
    reports, groups = [one.report for one in judged], [one.sample.group for one in judged]
    judgements = Judgements([one.sample.label for one in judged], reports, groups)
    sets, figures = ["dfdc", "all"], headline(judgements, ["dfdc"] * len(judged))
    return Assessment(
        checkpoint=info,
        data="data",
        part="report",
        judged=tuple(judged),
        sets={name: list(range(len(judged))) for name in sets},
        judgements=dict.fromkeys(sets, judgements),
        figures=dict.fromkeys(sets, figures),
        robustness=(),
        pooled=False,
        run=None,
        evaluation={"seconds": 1.0, "device": "cpu"},
    ).to_json()


def image_report(info, outcome, p_fake):
    faces = () if p_fake is None else (FaceReport((0, 0, 9, 9), outcome, p_fake=p_fake),)
    return ImageReport(outcome, info, faces)


def test_the_metadata_is_what_the_hub_lists_and_filters_by(make_run):
    head, _ = card(make_run(), name="mine")
    assert head["license"] == "other"
    assert head["license_name"] == "research-only-data"
    assert head["base_model"] == "facebook/deit-tiny-patch16-224"
    assert (head["library_name"], head["pipeline_tag"]) == ("transformers", "image-classification")
    assert {"deepfake-detection", "vit"} <= set(head["tags"])
    (index,) = head["model-index"]
    found = {
        (result["dataset"]["name"], metric["type"]): metric["value"]
        for result in index["results"]
        for metric in result["metrics"]
    }
    assert index["name"] == "mine"
    assert found["dfdc (held out)", "accuracy"] == 0.8125
    assert found["dfdc (held out)", "roc_auc"] == 0.875
    assert ("own|pics (held out)", "roc_auc") not in found  # it is not defined there


def test_figures_stand_with_their_intervals_and_names_do_not_break_the_table(make_run):
    _, text = card(make_run())
    assert "| dfdc | 40 | 50.0% (40.0 to 60.0) | 0.8125 (0.713 to 0.912) |" in text
    assert "| own\\|pics | 40 |" in text
    assert "| all | 40 |" in text
    assert "95% intervals, from 1000 draws of whole groups" in text
    assert "| JPEG quality 30 | 0.700 | 0.700 | 0.700 |" in text


def test_a_report_as_it_is_written_fills_the_card(make_run):
    """Of four pictures three are judged, one of them wrongly; the fakes have the higher p in both pairs."""
    real, fake = Label.REAL, Label.FAKE
    rows = [
        (real, Outcome.FAKE, 0.6),
        (fake, Outcome.FAKE, 0.9),
        (fake, Outcome.FAKE, 0.8),
        (real, Outcome.NO_FACE, None),
    ]
    head, text = card(make_run(metrics=metrics_json(*rows)))
    (line,) = (line for line in text.splitlines() if line.startswith("| dfdc | 4 |"))
    values = [cell.partition(" (")[0] for cell in line.strip("| ").split(" | ")]
    assert values[2:5] == ["75.0%", "0.6667", "0.4000"]  # judged, accuracy, macro F1: 0 of the reals, 0.8 of the fakes
    assert (values[5], *values[7:]) == ("1.0000", "100.0%", "0.0%", "0.0%")
    assert "| source | pictures | judged | accuracy |" in text
    assert "| all |" not in text  # says nothing new of one source
    assert "when the picture is changed" not in text  # was not measured
    assert {metric["value"] for one in head["model-index"][0]["results"] for metric in one["metrics"]} == {
        0.6667,
        0.4,
        1,
    }


def test_every_change_that_a_report_measures_has_words():
    assert {change.name for change in MEASURED} == set(CHANGES)


def test_pictures_are_shown_only_where_they_lie_beside_the_card(make_run):
    run = make_run()
    assert "](" not in card(run)[1]
    shown = card(run, plots="report")[1]
    assert all(f"(report/{name})" in shown for name in PLOTS)
    assert "most_wrong" not in shown  # other people's faces


def test_p_is_called_calibrated_only_if_it_is(make_run, tmp_path, make_checkpoint):
    _, text = card(make_run())
    assert "not calibrated" in text
    assert "temperature" not in text
    _, text = card(write_run(tmp_path / "other", make_checkpoint(), own={"calibration": CALIBRATION}))
    assert "not calibrated" not in text
    assert "temperature 1.700 and bias 0.000, fitted on 400 held-out pictures" in text
    assert "from 0.123 to 0.021" in text
    assert "`real` below 0.310, `fake` from 0.640 on, `inconclusive` between" in text


@pytest.mark.parametrize(
    ("device", "grams"),
    [("1 x x86_64 (2 threads)", 18.0), ("2 x NVIDIA H200 (cuda)", 504.0), ("an abacus", None), (None, None)],
)
def test_carbon_is_estimated_from_hours_and_device(make_run, device, grams):
    """As it is for records of older versions, which say energy and carbon themselves."""
    head, text = card(make_run(record=RECORD | {"device": device, "energy_kwh": 9.0, "carbon_kg": 9.0}))
    assert head.get("co2_eq_emissions") == (grams and {"emissions": grams, "source": "estimated"})
    assert f"1.5 hours on {device or 'a device that was not recorded'}." in text


def test_data_audit_and_cost_are_those_of_the_record(make_run):
    _, text = card(make_run())
    assert "| dfdc | train | 30 | 31 |" in text
    assert "| own\\|pics | - | 7 | 8 |" in text
    assert "Deepfake Detection Challenge" in text
    assert "OpenForensics" not in text  # was not in the data
    assert "- 12 pictures without a face" in text
    assert "- 3 files that lie byte for byte in several splits." in text
    assert "| face\\_size | 0.890 | 0.520 | fine |" in text
    assert "brightness" not in text
    assert "1.5 hours on 1 x x86_64" in text


def test_what_was_not_recorded_is_said_to_be_so(make_run):
    head, text = card(make_run(record=None))
    assert text.count("Not recorded for this run.") == 2
    assert "What it was trained on was not recorded" in text
    assert "co2_eq_emissions" not in head


def test_groups_in_several_splits_are_owned_up_to(make_run):
    _, text = card(make_run(record=RECORD | {"audit": RECORD["audit"] | {"crossing_groups": 4}}))
    assert "**4 groups lie in several splits**" in text
    assert "share no group" not in text


def test_a_pooled_recipe_says_that_its_figures_flatter_it(make_run):
    config = {"recipe": "virtus", "split": "pooled-60-40", "crop": "whole"}
    _, text = card(make_run(config=config))
    assert "**These figures flatter the checkpoint" in text
    assert "neither trained" not in text
    assert "whole pictures as they are" in text
    assert "cropped alike" not in text
    assert "size and place of the face give the class away" in text.lower()  # a fault that is known of the recipe


def test_an_unknown_recipe_has_a_card_too(make_run):
    _, text = card(make_run(config={"recipe": "my own", "base": "/home/somebody/models/secret-base"}))
    assert text.strip().startswith("# my own")
    assert "from `secret-base`" in text
    assert "Mind the licence of its base `secret-base`" in text


def test_no_placeholder_and_no_local_path_is_left(make_run, tmp_path):
    _, text = card(make_run(own={"calibration": CALIBRATION}))
    assert "$" not in text
    assert str(tmp_path) not in text
    assert "../" not in text


@pytest.mark.parametrize(
    ("config", "needed"),
    [
        ({}, "without\ncalibration:\n"),
        ({"quantization_config": {}}, "calibration; it needs `compressed-tensors` for that:\n"),
        (
            {"quantization_config": {}, "model_type": "timm_wrapper"},
            "calibration; it needs `timm` and `compressed-tensors` for that:\n",
        ),
    ],
)
def test_what_plain_transformers_needs_is_said(make_run, config, needed):
    run = read_run(make_run())
    run.model.update(config)
    assert needed in render_card(run)


def test_a_base_that_is_no_hub_id_is_none_in_the_metadata(make_run):
    head, _ = card(make_run(config={"base": "/home/somebody/models/mine"}))
    assert "base_model" not in head


def test_the_command_writes_the_card(make_run, tmp_path, capsys):
    run, file = make_run(), tmp_path / "card.md"
    assert main(["card", str(run), "--out", str(file)]) == 0
    assert file.read_text() == render_card(read_run(run))
    assert str(file) in capsys.readouterr().out
    assert main(["card", str(run)]) == 0
    assert (run / "checkpoint" / "README.md").read_text() == file.read_text()


def test_wrong_use_is_one_sentence(make_run, tmp_path, capsys):
    assert main(["card", str(tmp_path / "nowhere")]) == 2
    assert "There is no folder" in capsys.readouterr().err
    assert main(["card", str(make_run()), "--out", str(tmp_path / "no" / "card.md")]) == 2
    assert "Give another --out" in capsys.readouterr().err
