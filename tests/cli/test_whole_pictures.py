"""Checkpoints that were made for whole pictures, at the doors of the command line."""

import csv
import json

import pytest

from virtus.cli.commands import main


@pytest.fixture
def of_pictures(make_checkpoint):
    return str(make_checkpoint(own={"judges": "pictures"}, seed=1))


@pytest.fixture
def wall(tmp_path, make_image):
    make_image(seed=4).save(tmp_path / "wall.png")
    return str(tmp_path / "wall.png")


def test_a_picture_without_a_face_is_judged_and_its_row_says_what_was_looked_at(of_pictures, wall, capsys):
    assert main(["scan", wall, "--model", of_pictures, "--format", "json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert (row["faces"][0]["whole_image"], row["faces"][0]["box_xyxy"]) == (True, [0, 0, 64, 48])
    assert "whole_image" in row["settings"]
    assert main(["doctor", of_pictures]) == 0
    assert "judges        whole pictures" in capsys.readouterr().out


def test_beside_one_of_faces_each_row_says_what_was_judged(of_pictures, make_checkpoint, wall, astronaut, capsys):
    models = ["--model", str(make_checkpoint()), "--model", of_pictures]
    assert main(["scan", wall, str(astronaut), *models, "--format", "csv"]) == 1  # one found no face
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [(row["outcome"] == "no_face", row["whole_image"]) for row in rows] == [
        (True, ""),
        (False, "true"),
        (False, ""),
        (False, "true"),
    ]


def test_evaluate_judges_them_too(of_pictures, tmp_path, make_image, capsys):
    for index, name in enumerate(("Real", "Fake")):
        (tmp_path / name).mkdir()
        make_image(seed=index).save(tmp_path / name / "1.png")
    assert main(["evaluate", str(tmp_path), "--model", of_pictures, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["num_judged"] == 2
