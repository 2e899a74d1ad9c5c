"""Calibrating on a user's own pictures, by subprocess as users do it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.support.command import virtus_here
from virtus.checkpoints.bundled import FAST
from virtus.checkpoints.calibration import fit_calibration
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.sidecar import read_calibration, store_calibration, user_file
from virtus.cli.commands import main
from virtus.errors import CheckpointError
from virtus.faces.find import whole_image
from virtus.judging.evaluation import source_from_folders
from virtus.results import Label


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    """Two sources with 12 pictures of each class, darker fakes, and one file that is no picture."""
    folder, draw = tmp_path_factory.mktemp("labelled"), np.random.default_rng(0)
    for source in ("phone", "web"):
        for label, brightest in (("Real", 256), ("Fake", 160)):
            (folder / source / label).mkdir(parents=True)
            for index in range(12):
                pixels = draw.integers(0, brightest, (40, 40, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / source / label / f"{index}.png")
    (folder / "web" / "Real" / "broken.jpg").write_bytes(b"")
    return folder


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config"


def test_a_local_folder_is_calibrated_in_its_own_file_and_forgets(copy_checkpoint, labelled, config, capsys):
    folder = copy_checkpoint(own={"margin": 1.5})
    command = ["calibrate", "--model", str(folder), "--precision", "float32"]
    done = virtus_here(*command, "--data", labelled, "--whole-image")
    assert (done.returncode, done.stderr) == (1, "")  # one picture was not judged
    for words in (
        "48 pictures: 24 real, 24 fake",
        "left out: 1 unreadable",
        str(folder / "virtus.json"),
        "trained on",
        "a face of several: fake from 0.",
    ):
        assert words in done.stdout
    own = json.loads((folder / "virtus.json").read_text())
    assert own["margin"] == 1.5
    assert own["calibration"]["num_pictures"] == 48
    found = read_calibration(own)
    assert found == load_checkpoint(str(folder)).info.calibration
    expected = expected_calibration(folder, labelled)
    assert found.temperature == pytest.approx(expected.temperature, rel=1e-3)
    assert found.bias == pytest.approx(expected.bias, abs=1e-3)
    assert (found.real_below, found.fake_above) == pytest.approx((expected.real_below, expected.fake_above), abs=1e-4)
    assert not config.exists()
    assert list(folder.glob("*.part")) == []
    main([*command, "--forget"])
    assert f"removed from {folder / 'virtus.json'}" in capsys.readouterr().out
    assert json.loads((folder / "virtus.json").read_text()) == {"margin": 1.5, "calibration": None}
    main([*command, "--forget"])
    assert "no calibration to remove" in capsys.readouterr().out


def expected_calibration(folder, labelled):
    """By `fit_calibration` from p of the uncalibrated checkpoint, by source."""
    shutil.copy(folder / "virtus.json", folder / "kept.json")
    store_calibration(folder, None)
    detector = Detector(load_checkpoint(str(folder), precision="float32"))
    shutil.move(folder / "kept.json", folder / "virtus.json")
    files = sorted(labelled.glob("*/*/*.png"))
    p = np.array([one.p_fake for one in detector.predict([whole_image(Image.open(file)) for file in files])])
    labels = [Label(file.parts[-2].lower()) for file in files]
    return fit_calibration(np.log(p / (1 - p)), labels, [file.parts[-3] for file in files])


def test_the_bundled_one_is_calibrated_in_the_users_folder_and_forgets(labelled, config, capsys):
    shipped = load_checkpoint(FAST).info
    main(["doctor", FAST])
    assert "the checkpoint's own" in capsys.readouterr().out
    done = virtus_here("calibrate", "--model", FAST, "--data", labelled, "--whole-image")
    file = config / "virtus" / "calibrations" / FAST / f"{shipped.sha256}.json"
    assert f"kept in {file}" in done.stdout
    own = load_checkpoint(FAST).info
    assert own.calibration == read_calibration({"calibration": json.loads(file.read_text())})
    assert own.calibration.num_pictures == 48
    main(["doctor", FAST])
    assert f"yours, {file}" in capsys.readouterr().out
    main(["calibrate", "--forget", "--model", FAST])
    assert f"removed from {file}" in capsys.readouterr().out
    assert load_checkpoint(FAST).info == shipped


@pytest.mark.usefixtures("config")
def test_too_few_pictures_are_refused_and_nothing_is_kept(copy_checkpoint, labelled, tmp_path, capsys):
    few = tmp_path / "few"
    shutil.copytree(labelled / "phone", few)
    folder = copy_checkpoint()
    for data in ([str(few), "--whole-image"], [str(labelled)]):  # noise has no faces
        assert main(["calibrate", "--model", str(folder), "--data", *data]) == 2
        said = capsys.readouterr()
        assert "needs 20 judged pictures of each class" in said.err
        assert said.out == ""
    assert not (folder / "virtus.json").exists()


@pytest.mark.parametrize("words", [[], ["--data", "x", "--forget"]])
def test_data_or_forget(words):
    with pytest.raises(SystemExit) as stopped:
        main(["calibrate", *words])
    assert stopped.value.code == 2


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"temperature": 0, "real_below": 0.5, "fake_above": 0.5}'])
@pytest.mark.usefixtures("config")
def test_a_broken_file_is_refused_by_its_name_and_can_be_forgotten(text):
    sha256 = load_checkpoint(FAST).info.sha256
    file = user_file(FAST, sha256)
    file.parent.mkdir(parents=True)
    file.write_text(text)
    with pytest.raises(CheckpointError, match="calibrate again") as refused:
        load_checkpoint(FAST)
    assert str(file) in str(refused.value)
    assert main(["calibrate", "--forget", "--model", FAST]) == 0
    load_checkpoint(FAST)


@pytest.mark.parametrize(
    ("path", "source"),
    [("lfw/Real/1.jpg", "lfw"), ("Real/1.jpg", "all"), ("1.jpg", "all"), ("dfdc/val/Fake/1.jpg", "dfdc")],
)
def test_the_source_is_the_first_folder(path, source):
    assert source_from_folders(Path(path)) == source
