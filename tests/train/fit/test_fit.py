"""A whole small run, by the command line as users drive it, on a tiny random model and a few photos."""

import json
from pathlib import Path

import pytest
import torch
from transformers import ViTForImageClassification, pipeline

from tests.train.faces import write_faces
from train.config.recipes import RECIPES
from train.fit.model import load_base
from train.fit.trainer import fit, source_aucs
from train.pictures.face_cache import FaceCache
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import CheckpointError
from virtus.labels import ClassOutputs


@pytest.fixture(scope="module")
def data(tmp_path_factory, astronaut):
    """Two classes that brightness tells apart, in both splits; enough groups for all parts of `val`."""
    return write_faces(tmp_path_factory.mktemp("data"), astronaut)


@pytest.fixture(scope="module")
def run(data, make_checkpoint, train_command, tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    base, out = make_checkpoint(labels=("cat", "dog")), home / "run"
    command = ["fit", "--recipe", "virtus-tiny", "--data", data, "--out", out, "--base", base]
    settings = ["batch_size=4", "num_epochs=2", "num_workers=0", "bf16=false", "learning_rate=0.001"]
    done = train_command(home, *command, *(word for s in settings for word in ("--set", s)))
    return out, done


def test_the_checkpoint_loads_as_any_other(run):
    checkpoint = load_checkpoint(str(run[0] / "checkpoint"), precision="float32")
    assert checkpoint.outputs == ClassOutputs(real=(0,), fake=(1,))
    assert checkpoint.margin == 1.3


def test_the_checkpoint_is_the_best_epoch_to_the_last_tensor(run):
    """transformers' own load_best_model_at_end keeps the last epoch's blocks."""
    out, _ = run
    steps = sorted((out / "steps").glob("checkpoint-*/trainer_state.json"), key=lambda file: len(str(file)))
    best = json.loads(steps[-1].read_text())["best_model_checkpoint"]
    load = ViTForImageClassification.from_pretrained
    found, expected = (load(folder).state_dict() for folder in (out / "checkpoint", best))
    assert all(torch.equal(found[name].float(), expected[name].half().float()) for name in expected)


def test_the_checkpoint_loads_with_plain_transformers(run, astronaut):
    found = pipeline("image-classification", str(run[0] / "checkpoint"))(str(astronaut))
    assert {row["label"] for row in found} == {"Real", "Fake"}


def test_what_was_done_lies_beside_it(run):
    out, done = run
    config = json.loads((out / "train_config.json").read_text())
    own = json.loads((out / "checkpoint" / "virtus.json").read_text())
    assert config["batch_size"] == 4
    assert own["provenance"]["recipe"] == "virtus-tiny"
    assert "eval_mean_auc" in done.stdout


def test_evaluate_reports_on_the_part_that_served_nothing_else(run, data, capsys):
    from train.__main__ import main

    arguments = ["evaluate", str(run[0] / "checkpoint"), "--data", str(data)]
    assert main(arguments) == 0
    reported = int(capsys.readouterr().out.splitlines()[2].split("|")[2])
    main([*arguments, "--part", "all"])
    everything = int(capsys.readouterr().out.splitlines()[2].split("|")[2])
    assert 0 < reported < everything == 24


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_runs_to_its_end_on_a_tiny_model(name, data, make_checkpoint, tmp_path):
    base = make_checkpoint(kind="vit" if name == "virtus-tiny" else "deit", labels=("cat", "dog"))
    settings = ["max_steps=2", "batch_size=4", "eval_batch_size=8", "num_workers=0", "eval_steps=1"]
    config = RECIPES[name](str(data), str(base)).override(settings)
    result = fit(config, out_dir=tmp_path / "run", cache=FaceCache(tmp_path / "faces.jsonl"))
    assert "eval_loss" in result.chosen_by
    assert load_checkpoint(str(result.checkpoint)).outputs == ClassOutputs(real=(0,), fake=(1,))
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["recipe"], record["num_images_seen"]) == (name, 8)


def test_faces_are_looked_for_once(data, tmp_path):
    paths = sorted(data.rglob("train/Real/*"))
    first = FaceCache(tmp_path / "faces.jsonl").find(paths, num_workers=1)
    before = (tmp_path / "faces.jsonl").read_text()
    (tmp_path / "faces.jsonl").write_text(before + '{"key": "cut o')
    again = FaceCache(tmp_path / "faces.jsonl").find(paths, num_workers=1)
    assert (tmp_path / "faces.jsonl").read_text() == before + '{"key": "cut o'
    assert first == again
    assert [path.name for path, face in again.items() if face is None] == ["broken.jpg"]


def test_a_base_that_lacks_its_backbone_is_refused(copy_checkpoint):
    """ViTForImageClassification.from_pretrained starts the blocks of DeiT weights at random, and only logs it."""
    folder = copy_checkpoint(kind="deit")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "vit"}))
    with pytest.raises(CheckpointError, match="tensors of the backbone"):
        load_base(str(folder))


def test_a_deit_with_teacher_becomes_a_classifier_with_a_loss(make_checkpoint):
    model, _ = load_base(str(make_checkpoint(kind="deit-with-teacher")))
    out = model(torch.zeros(1, 3, model.config.image_size, model.config.image_size), labels=torch.tensor([1]))
    assert out.loss is not None


def test_mean_auc_is_over_sources_and_skips_those_of_one_class():
    from train.data.samples import Sample
    from virtus.results import Label

    rows = [("a", "real"), ("a", "fake"), ("b", "fake"), ("c", "real"), ("c", "fake")]
    samples = [Sample(Path("x"), Label(label), source, "val", source) for source, label in rows]
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [0.0, 2.0], [0.0, 1.0]]).numpy()
    assert source_aucs(logits, samples) == {"auc_a": 1.0, "auc_c": 0.0, "mean_auc": 0.5}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--recipe", "virtus-tiny", "--data", "nowhere", "--out", "out"], "There is no folder"),
        (["evaluate", "nothing", "--data", "nowhere"], "There is no folder"),
        (["swap", "nope.jpg", "nope.jpg", "out.jpg"], "There is no such file"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    from train.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
