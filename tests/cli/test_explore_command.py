"""`explore` as users drive it: what it says, what it writes, and what it refuses."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command import virtus
from virtus.cli.commands import main


@pytest.fixture(scope="module")
def explored(tmp_path_factory, make_checkpoint, astronaut):
    folder = tmp_path_factory.mktemp("explored")
    return folder, virtus("explore", astronaut, "--model", make_checkpoint(), "--out", folder / "new", "--flip")


def test_it_says_where_the_model_looked_when_it_decided_and_what_flips_it(explored):
    folder, ran = explored
    assert (ran.returncode, ran.stderr.count("Traceback")) == (0, 0)
    verdict, looked, by_block, since, flipping, manifest = ran.stdout.splitlines()
    assert "p_fake 0." in verdict
    assert "it looked most at: " in looked
    assert len(by_block.partition(": ")[2].split()) == 4  # before the first of three blocks, and after each
    assert "never trained for the head" in since
    assert "of 16 patches" in flipping
    about = json.loads((folder / "new" / "eileen-collins.json").read_text())["flipping"]
    assert ("replaced by grey" in flipping) == about["flipped"] == ("p_fake_otherwise" in about)
    assert manifest.endswith("eileen-collins.json")


def test_arrays_and_pictures_are_those_that_the_manifest_names(explored):
    folder, _ = explored
    manifest = json.loads((folder / "new" / "eileen-collins.json").read_text())
    assert {path.name for path in (folder / "new").iterdir()} == {"eileen-collins.json", *manifest["files"]}
    arrays = np.load(folder / "new" / "eileen-collins.npz")
    assert arrays["attention_codes"].shape == (3, 2, 17, 17)
    assert arrays["head_distances"].shape == arrays["head_entropies"].shape == (3, 2)
    assert len(arrays["patch_names"]) == 16
    np.testing.assert_allclose(arrays["lens_decided"], manifest["p_fake_by_block"], atol=1e-4)
    assert manifest["face"]["p_fake"] == pytest.approx(manifest["p_fake_by_block"][-1], abs=2e-4)
    with Image.open(folder / "new" / "eileen-collins-rollout.webp") as growing:
        assert (growing.n_frames, growing.info["loop"]) == (3, 0)
    assert manifest["python"].startswith("virtus.explore(")


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        (["--face", "3"], "There is no face 3: the photo has 1, counted from 0."),
        (["--discard-ratio", "1"], "discard_ratio is a share of at least 0 and less than 1"),
    ],
)
def test_what_there_is_not_is_said(make_checkpoint, astronaut, tmp_path, capsys, extra, sentence):
    assert main(["explore", str(astronaut), "--model", str(make_checkpoint()), "--out", str(tmp_path), *extra]) == 2
    assert sentence in capsys.readouterr().err


def test_a_picture_without_a_face_and_a_folder_that_is_a_file_are_refused(make_checkpoint, tmp_path, capsys):
    picture, model = tmp_path / "wall.png", ["--model", str(make_checkpoint())]
    Image.new("RGB", (100, 100)).save(picture)
    assert main(["explore", str(picture), *model, "--out", str(tmp_path / "out")]) == 2
    assert "No face was found" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["explore", str(picture), *model, "--whole-image", "--out", str(picture)]) == 2
    assert "cannot be written to" in capsys.readouterr().err


def test_a_name_that_is_no_text_is_shown_by_its_code(make_checkpoint, make_image, tmp_path):
    """Its files were written, and then it ended in a traceback."""
    photo = Path(os.fsdecode(os.fsencode(tmp_path / "caf") + b"\xe9.png"))
    make_image().save(photo)
    done = virtus("explore", photo, "--whole-image", "--model", make_checkpoint(), "--out", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("caf\\udce9.json\n")
