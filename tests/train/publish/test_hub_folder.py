"""The folder for the Hub: complete, loadable, without a place of this machine, and whole or not at all."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from transformers import pipeline

from tests.train.runs import CALIBRATION, FILES, content, write_run
from train.publish import hub_folder
from train.publish.hub import Target
from train.publish.hub_folder import write_folder
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.examine import examine_checkpoint
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.novelty import Novelty, store_novelty
from virtus.errors import CheckpointError, DataError
from virtus.labels import ClassOutputs
from virtus.results import FaceCrop

REPO = "someone/detector"


@pytest.fixture
def make_run(make_checkpoint, tmp_path):
    """Factory: the options of `write_run`, to the folder of a run of the test's own."""
    return lambda checkpoint=None, **options: write_run(tmp_path / "run", checkpoint or make_checkpoint(), **options)


def write(run):
    """The folder, written; returns its files."""
    return write_folder(Target(run, REPO))


def test_the_folder_is_complete_and_holds_nothing_else(make_run):
    run = make_run(own={"calibration": CALIBRATION})
    files = write(run)
    found = content(run / "hub")
    assert set(found) == FILES  # of the report, not what shows faces
    assert files == [(name, len(found[name])) for name in sorted(found)]
    assert found["model.safetensors"] == (run / "checkpoint" / "model.safetensors").read_bytes()
    assert json.loads(found["virtus.json"])["calibration"] == CALIBRATION
    assert json.loads(found["metrics.json"])["checkpoint"]["name"] == REPO
    assert f'pipeline("image-classification", "{REPO}")' in found["README.md"].decode()
    assert "(report/roc.png)" in found["README.md"].decode()
    assert sorted(path.name for path in run.iterdir()) == [
        "checkpoint",
        "hub",
        "report",
        "run.json",
        "train_config.json",
    ]


def test_what_is_unfamiliar_goes_along(make_run):
    run = make_run()
    known, sha256 = Novelty(1, torch.zeros(32), torch.eye(32), 2.5), examine_checkpoint(run / "checkpoint").sha256
    store_novelty(run / "checkpoint", known, sha256=sha256)
    write(run)
    assert load_checkpoint(str(run / "hub")).novelty.threshold == 2.5


def test_it_loads_with_plain_transformers_and_judges_as_the_engine_does(make_run, make_image):
    run = make_run()
    write(run)
    folder, image = str(run / "hub"), make_image(32, 32)
    found = {row["label"]: row["score"] for row in pipeline("image-classification", folder)(image)}
    (own,) = Detector(load_checkpoint(folder, precision="float32")).predict([FaceCrop(image, (0, 0, 32, 32))])
    assert set(found) == {"Real", "Fake"}
    assert found["Fake"] == pytest.approx(own.p_fake, abs=1e-3)


def test_labels_are_called_real_and_fake_whatever_they_were(make_run, make_checkpoint):
    run = make_run(make_checkpoint(labels=("Deepfake", "Realism")))
    write(run)
    config = json.loads((run / "hub" / "config.json").read_text())
    assert config["id2label"] == {"0": "Fake", "1": "Real"}
    assert config["label2id"] == {"Fake": 0, "Real": 1}
    assert load_checkpoint(str(run / "hub")).outputs == ClassOutputs(real=(1,), fake=(0,))


def test_shards_come_with_their_index(make_run, make_checkpoint):
    run = make_run(make_checkpoint(shard_size="50KB"))
    write(run)
    assert load_checkpoint(str(run / "hub")).info.sha256 == load_checkpoint(str(run / "checkpoint")).info.sha256


def test_nobody_learns_where_the_files_lay(make_run, tmp_path):
    config = {"base": f"{tmp_path}/bases/mine", "data": f"{Path.home()}/pictures/faces"}
    run = make_run(config=config, own={"provenance": {"base": "/home/somebody/mine", "seed": 83}})
    write(run)
    text = b"".join(data for name, data in content(run / "hub").items() if name.endswith((".json", ".md"))).decode()
    saved = json.loads((run / "hub" / "train_config.json").read_text())
    assert (saved["base"], saved["data"]) == ("mine", "faces")
    assert not any(place in text for place in (str(tmp_path), f"{Path.home()}/", "/home/", "../"))


def test_a_path_within_a_text_is_refused(make_run):
    run = make_run()
    file = run / "report" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"note": f"made in {run.resolve()} by hand"}))
    with pytest.raises(DataError, match=r"metrics.json would tell everyone the path"):
        write(run)
    assert not (run / "hub").exists()


def test_a_hub_id_is_no_path(make_run):
    run = make_run(config={"base": "someone/base", "data": "someone/faces@v2"})
    write(run)
    saved = json.loads((run / "hub" / "train_config.json").read_text())
    assert (saved["base"], saved["data"]) == ("someone/base", "someone/faces@v2")


def test_a_checkpoint_that_does_not_load_is_not_published_and_the_old_folder_stays(make_run):
    import torch
    from safetensors.torch import load_file, save_file

    run = make_run()
    write(run)
    before = content(run / "hub")
    file = run / "checkpoint" / "model.safetensors"
    save_file({name: torch.full_like(one, float("nan")) for name, one in load_file(file).items()}, file)
    metrics = run / "report" / "metrics.json"
    row = json.loads(metrics.read_text())
    row["checkpoint"]["sha256"] = hashlib.sha256(file.read_bytes()).hexdigest()
    metrics.write_text(json.dumps(row))
    with pytest.raises(CheckpointError) as caught:
        write(run)
    assert f"Nothing is published. {run / 'checkpoint'} is not used. Its weights are damaged" in str(caught.value)
    assert content(run / "hub") == before
    assert not (run / "hub.partial").exists()


def test_a_report_of_other_weights_is_refused(make_run, make_checkpoint):
    run = make_run()
    other = make_checkpoint(seed=9) / "model.safetensors"
    (run / "checkpoint" / "model.safetensors").write_bytes(other.read_bytes())
    with pytest.raises(DataError, match="is of other weights") as caught:
        write(run)
    assert f"python -m train evaluate {run / 'checkpoint'} --data DATA --out {run / 'report'}" in str(caught.value)


def test_what_a_crash_left_behind_is_cleared_away(make_run, monkeypatch):
    run = make_run()
    write(run)
    before = content(run / "hub")
    with monkeypatch.context() as crash:
        crash.setattr(hub_folder, "load_checkpoint", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            write(run)
    assert content(run / "hub") == before
    (run / "hub.partial").mkdir()  # a killed process cleans up nothing
    (run / "hub.partial" / "half").write_text("a file")
    (run / "hub" / "stale.bin").write_text("of an older version")
    write(run)
    assert content(run / "hub") == before
    assert not (run / "hub.partial").exists()
