"""Whole small runs, on tiny random models and a few photos: one by the command line, as users drive it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForImageClassification, TrainingArguments, pipeline

from tests.train.faces import write_faces
from train.config.recipes import RECIPES
from train.data.samples import Sample
from train.fit.model import Trainable, load_base
from train.fit.trainer import FitTrainer, fit, source_aucs
from train.pictures.face_cache import FaceCache
from train.pictures.samplers import PairSampler, RowKind
from virtus.checkpoints.load import find_checkpoint, load_checkpoint
from virtus.labels import ClassOutputs
from virtus.models.families import read_architecture
from virtus.models.tensors import file_tensors
from virtus.results import Label


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
    out, _ = run
    steps = sorted((out / "steps").glob("checkpoint-*/trainer_state.json"), key=lambda file: len(str(file)))
    best = json.loads(steps[-1].read_text())["best_model_checkpoint"]
    step = {name.removeprefix("classifier."): t for name, t in load_file(Path(best) / "model.safetensors").items()}
    expected = file_tensors(read_architecture(json.loads((out / "checkpoint" / "config.json").read_text())), step)
    found = load_file(out / "checkpoint" / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(found[name].equal(expected[name].half()) for name in expected)


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


KINDS = ("deit", "vit", "siglip", "deit-with-teacher", "dinov2", "dinov2-with-registers", "clip", "clip", "vit")
SMALL = {"virtus-base": ["tune=last_blocks:1", "cached_block=1"], "flask-vit": ["weights=int8"]}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return FaceCache(tmp_path_factory.mktemp("cache") / "faces.jsonl")


@pytest.mark.parametrize(("name", "kind"), zip(RECIPES, KINDS, strict=True))
def test_every_recipe_runs_to_its_end_and_from_every_family(name, kind, data, cache, make_checkpoint, tmp_path, capsys):
    base = make_checkpoint(kind=kind, labels=("cat", "dog"))
    settings = ["max_steps=2", "batch_size=4", "eval_batch_size=8", "num_workers=0", "eval_steps=1"]
    config = RECIPES[name](str(data), str(base)).override([*settings, *SMALL.get(name, [])])
    config = replace(config, teacher=config.teacher and str(make_checkpoint(kind="clip", seed=1)))
    result = fit(config, out_dir=tmp_path / "run", cache=cache)
    assert "eval_loss" in result.chosen_by
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (record["recipe"], record["num_images_seen"]) == (name, 8)
    assert ("no pairs: no group of the training part has both" in capsys.readouterr().out) == config.pairs
    saved = load_file(result.checkpoint / "model.safetensors").values()
    assert any(tensor.dtype == torch.int8 for tensor in saved) == (config.weights == "int8")
    assert_loads_alike(result.checkpoint)
    found = find_checkpoint(str(result.checkpoint))
    num_trained = int(config.tune.rpartition(":")[2]) if config.tune.startswith("last_blocks") else 3
    assert found.first_trained_block == 3 - num_trained
    judges = found.info.judges
    assert judges == ("pictures" if config.crop == "whole" else "faces")


def test_an_interrupted_run_from_a_probe_ends_at_the_same_weights(data, cache, make_checkpoint, tmp_path, monkeypatch):
    """The probe is not fitted again to blocks that have learned since."""
    settings = ["max_steps=4", "batch_size=4", "eval_batch_size=8", "num_workers=0", "eval_steps=1"]
    base = str(make_checkpoint(kind="clip", labels=("cat", "dog")))
    config = RECIPES["virtus-base"](str(data), base).override([*settings, *SMALL["virtus-base"]])
    whole = fit(config, out_dir=tmp_path / "whole", cache=cache)
    step = FitTrainer.training_step

    def stop_at_the_third(self, *given):
        if self.state.global_step == 2:
            raise KeyboardInterrupt
        return step(self, *given)

    with monkeypatch.context() as patch:
        patch.setattr(FitTrainer, "training_step", stop_at_the_third)
        with pytest.raises(KeyboardInterrupt):
            fit(config, out_dir=tmp_path / "run", cache=cache)
    resumed = fit(config, out_dir=tmp_path / "run", resume=True, cache=cache)
    found, expected = (load_file(result.checkpoint / "model.safetensors") for result in (resumed, whole))
    assert all(found[name].equal(expected[name]) for name in expected)


def assert_loads_alike(folder):
    """The engine and plain transformers give the same logits, all of the classifier read from the file."""
    trunk = load_checkpoint(str(folder), precision="float32").trunk
    load = AutoModelForImageClassification.from_pretrained
    model, told = load(folder, dtype=torch.float32, output_loading_info=True)
    lost = {name for kind in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in told[kind]}
    assert all(name.endswith(".mask_token") for name in lost)  # of DINOv2's pre-training: no classifier reads it
    assert model.config.id2label == {0: "Real", 1: "Fake"}
    pixel_values = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = model.eval()(pixel_values).logits
        torch.testing.assert_close(trunk.logits(trunk.embed(pixel_values)), expected, atol=1e-4, rtol=1e-4)


def test_batches_are_those_of_the_pairs(make_checkpoint, tmp_path):
    """The Trainer's own order would put two of one group into one batch but rarely."""
    kinds = [RowKind(label, str(index)) for label in Label for index in range(6)]
    rows = [{"pixel_values": torch.full((3, 32, 32), float(group)), "labels": 0} for _, group, _ in kinds]
    arguments = TrainingArguments(str(tmp_path), per_device_train_batch_size=2, report_to="none", use_cpu=True)
    model = Trainable(load_base(str(make_checkpoint())).classifier)
    trainer = FitTrainer(PairSampler(kinds, seed=1), model=model, args=arguments, train_dataset=rows)
    groups = [batch["pixel_values"][:, 0, 0, 0].tolist() for batch in trainer.get_train_dataloader()]
    assert all(first == second for first, second in groups)
    assert sorted(first for first, _ in groups) == [0, 1, 2, 3, 4, 5]


def test_faces_are_looked_for_once(data, tmp_path):
    paths = sorted(data.rglob("train/Real/*"))
    first = FaceCache(tmp_path / "faces.jsonl").find(paths, num_workers=1)
    before = (tmp_path / "faces.jsonl").read_text()
    (tmp_path / "faces.jsonl").write_text(before + '{"key": "cut o')
    again = FaceCache(tmp_path / "faces.jsonl").find(paths, num_workers=1)
    assert (tmp_path / "faces.jsonl").read_text() == before + '{"key": "cut o'
    assert first == again
    assert [path.name for path, face in again.items() if face is None] == ["broken.jpg"]


def test_mean_auc_is_over_sources_and_skips_those_of_one_class_and_auc_is_of_all():
    rows = [("a", "real"), ("a", "fake"), ("b", "fake"), ("c", "real"), ("c", "fake")]
    samples = [Sample(Path("x"), Label(label), source, "val", source) for source, label in rows]
    logits = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 3.0], [0.0, 2.0], [0.0, 1.0]]).numpy()
    expected = {"auc_a": 1.0, "auc_c": 0.0, "mean_auc": 0.5, "auc": pytest.approx(4 / 6)}
    assert source_aucs(logits, samples) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit", "--recipe", "virtus-tiny", "--data", "nowhere", "--out", "out"], "There is no folder"),
        (["evaluate", "nothing", "--data", "nowhere"], "There is no folder"),
        (["swap", "nope.jpg", "nope.jpg", "out.jpg"], "There is no such file"),
        (["swap", "nope.jpg", "nope.jpg", "fake"], "How to write fake? Give it the suffix .png"),
        (["swap", "nope.jpg", "nope.jpg", "fake.txt"], "How to write fake.txt?"),
        (["swap", "nope.jpg", "nope.jpg", "nowhere/out.jpg"], "There is no folder nowhere. Make it"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    from train.__main__ import main

    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
