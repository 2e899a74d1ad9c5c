"""`--fake-label`: checkpoints whose labels do not say which class is fake, at every door of the command line."""

import json

import pytest

from virtus.cli.commands import main


@pytest.fixture
def wall(tmp_path, make_image):
    make_image(seed=4).save(tmp_path / "wall.png")
    return tmp_path / "wall.png"


@pytest.fixture
def folder(copy_checkpoint):
    """As transformers writes it for `num_labels=2` and nothing else."""
    folder = copy_checkpoint(labels=("LABEL_0", "LABEL_1"))
    assert "id2label" not in json.loads((folder / "config.json").read_text())
    return folder


def scan(wall, capsys, *options):
    """Its one row."""
    assert main(["scan", str(wall), "--whole-image", "--format", "json", *map(str, options)]) == 0
    return json.loads(capsys.readouterr().out)


def test_unclear_labels_are_refused_with_the_mend_and_read_with_the_option(folder, wall, capsys):
    assert main(["doctor", str(folder)]) == 1
    assert (
        "id2label in its config.json, or say which one is fake: --fake-label NAME_OR_INDEX" in capsys.readouterr().out
    )
    assert main(["doctor", str(folder), "--fake-label", "0"]) == 0
    assert "0 is fake, 1 is real" in capsys.readouterr().out
    rows = [scan(wall, capsys, "--model", folder, "--fake-label", label) for label in ("0", "LABEL_1")]
    assert [row["checkpoint"]["name"] for row in rows] == [f"{folder}#0", f"{folder}#1"]
    assert rows[0]["faces"][0]["p_fake"] == pytest.approx(1 - rows[1]["faces"][0]["p_fake"], abs=1e-5)


def test_a_scan_goes_on_only_with_the_same_fake_class(folder, wall, tmp_path, capsys):
    command = ["scan", str(wall), "--whole-image", "--model", str(folder), "--out", str(tmp_path / "rows.jsonl")]
    assert main([*command, "--fake-label", "0"]) == 0
    assert main([*command, "--fake-label", "LABEL_0", "--resume"]) == 0
    assert main([*command, "--fake-label", "1", "--resume"]) == 2
    assert "fake_label_0, not " in capsys.readouterr().err


def test_several_checkpoints_have_the_label_behind_their_name(folder, make_checkpoint, wall, capsys):
    several = ["--model", str(make_checkpoint(seed=1)), "--model"]
    assert main(["scan", str(wall), *several, str(folder), "--fake-label", "1"]) == 2
    assert "write the label behind each name: --model NAME#LABEL" in capsys.readouterr().err
    row = scan(wall, capsys, *several, f"{folder}#1")
    assert f"{folder}#1" in json.dumps(row)


def test_a_report_is_replayed_with_the_fake_class_that_it_names(folder, wall, tmp_path, capsys):
    page = tmp_path / "report.html"
    options = ["--whole-image", "--model", str(folder), "--methods", "evidence", "--out", str(tmp_path / "maps")]
    assert main(["explain", str(wall), *options, "--fake-label", "0", "--report", str(page)]) == 0
    record = str(page.with_suffix(".json"))
    assert main(["replay", record, str(wall)]) == 0
    assert main(["replay", record, str(wall), "--model", str(folder)]) == 0
    assert main(["replay", record, str(wall), "--fake-label", "1"]) == 1
    capsys.readouterr()


def test_a_calibration_counts_for_the_fake_class_that_it_was_made_with(folder, tmp_path, capsys, monkeypatch):
    from virtus.checkpoints import load_checkpoint
    from virtus.judging import keep_calibration
    from virtus.results import Calibration

    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    calibration = Calibration(temperature=2.0, real_below=0.3, fake_above=0.7, num_pictures=40)
    keep_calibration(load_checkpoint(f"{folder}#1").info, calibration)
    assert load_checkpoint(str(folder), fake_label="LABEL_1").info.calibration == calibration
    assert load_checkpoint(f"{folder}#0").info.calibration is None
    assert main(["doctor", str(folder), "--fake-label", "1"]) == 0
    assert f"(yours, {tmp_path / 'config'}" in capsys.readouterr().out
    assert main(["calibrate", "--forget", "--model", str(folder), "--fake-label", "1"]) == 0
    assert "removed from" in capsys.readouterr().out
    assert load_checkpoint(f"{folder}#1").info.calibration is None


def test_every_label_that_names_a_fake_counts(make_checkpoint, capsys):
    folder = make_checkpoint(kind="siglip", labels=("AI", "Deepfake", "Real"))
    assert main(["doctor", str(folder)]) == 0
    assert "0 is fake, 1 is fake, 2 is real" in capsys.readouterr().out


def test_a_single_output_is_read_by_a_sigmoid_once_somebody_says_what_it_means(make_checkpoint, wall, capsys):
    folder = make_checkpoint(labels=("LABEL_0",))
    assert main(["doctor", str(folder)]) == 1
    assert "--fake-label 0 where it means fake, --fake-label none where it means real" in capsys.readouterr().out
    high, low = (scan(wall, capsys, "--model", folder, "--fake-label", label) for label in ("0", "none"))
    assert high["faces"][0]["p_fake"] == pytest.approx(1 - low["faces"][0]["p_fake"], abs=1e-5)
