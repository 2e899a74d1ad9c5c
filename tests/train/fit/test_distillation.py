"""A student beside its teacher: what is refused, what is kept, what the loss is."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from tests.train.faces import write_faces
from train.config.recipes import RECIPES
from train.fit import distillation
from train.fit.distillation import Student, Teacher, softened_divergence
from train.fit.model import load_base
from train.fit.tokens import TokenDataset, open_store
from train.fit.trainer import fit
from train.pictures.datasets import CropDataset
from train.pictures.face_cache import FaceCache
from virtus.errors import DataError

OTHER = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.25]}  # than the student's own


@pytest.fixture
def config(make_checkpoint):
    teacher = make_checkpoint(kind="clip", seed=1, processor=OTHER)
    return replace(RECIPES["virtus-fast"]("nowhere", str(make_checkpoint())), teacher=str(teacher))


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"own": {"margin": 1.5}}, "its crop has a margin of 1.5, the run's 1.3"),
        ({"own": {"judges": "pictures"}}, "it judges pictures, the run's crop is face"),
        ({"labels": ("Fake", "Real")}, "its classes are not Real and Fake, two and in this order"),
        ({"labels": ("Real", "Fake", "GAN")}, "its classes are not Real and Fake, two and in this order"),
        ({"processor": {"do_center_crop": True, "size": {"height": 40, "width": 40}, "crop_size": 32}}, "cuts out the"),
    ],
)
def test_a_teacher_that_sees_or_says_something_else_is_refused(options, cause, config, make_checkpoint):
    teacher = make_checkpoint(**options)
    with pytest.raises(DataError, match=f"{teacher} is no teacher for this run: .*{cause}"):
        Teacher(replace(config, teacher=str(teacher)))


def test_a_teacher_that_does_not_load_or_takes_pictures_of_another_size_is_refused(config, make_checkpoint, tmp_path):
    with pytest.raises(DataError, match=r"The teacher does not load: .*config.json is missing.*--set teacher=FOLDER"):
        Teacher(replace(config, teacher=str(tmp_path)))
    larger = replace(config, teacher=str(make_checkpoint(image_size=48)))
    with pytest.raises(DataError, match="it takes pictures of 48x48, the student 32x32"):
        Teacher(larger).prepare(load_base(config.base))


@pytest.mark.parametrize("setting", ["cached_draws=0", "label_smoothing=0.1"])
def test_settings_that_do_not_go_with_a_teacher_are_refused(config, setting):
    with pytest.raises(DataError, match=r"With a teacher cached_draws is 1 or more"):
        config.override([setting])


def test_the_divergence_of_softened_logits_by_hand():
    student, teacher = torch.tensor([[0.0, 2.0]]), torch.tensor([[1.0, -1.0]])
    p, q = 1 / (1 + np.exp(1.0)), 1 / (1 + np.exp(-1.0))  # of real, at a temperature of 2
    expected = 4 * (q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)))
    assert softened_divergence(student, teacher, 2.0).item() == pytest.approx(expected, rel=1e-5)
    assert softened_divergence(teacher, teacher, 2.0).item() == pytest.approx(0, abs=1e-6)


def test_the_loss_is_the_sum_of_its_three_parts(config):
    teacher, rows = Teacher(config), {"labels": torch.tensor([0, 1])}
    start = teacher.prepare(load_base(config.base))
    pixels = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows |= {"teacher_logits": torch.tensor([[1.0, 0.0], [0.0, 3.0]]), "teacher_token": torch.eye(2, 32)}

    def loss(**weights):
        return Student(start, teacher, replace(config, **weights)).eval()(pixels, **rows)["loss"].item()

    alone = loss(teacher_weight=0.0, token_weight=0.0)
    student = Student(start, teacher, config)
    pooled = student.features(distillation._pixel_values(pixels, start.transform))
    logits, token = start.classifier.decide(pooled), student.projection(pooled.flatten(1))
    assert alone == pytest.approx(torch.nn.functional.cross_entropy(logits, rows["labels"]).item())
    softened = softened_divergence(logits, rows["teacher_logits"], 2.0).item()
    assert loss(teacher_weight=3.0, token_weight=0.0) == pytest.approx(alone + 3 * softened, rel=1e-5)
    cosines = [(token[row, row] / token[row].norm()).item() for row in (0, 1)]
    assert loss(teacher_weight=0.0, token_weight=2.0) == pytest.approx(alone + 2 * (1 - np.mean(cosines)), rel=1e-5)


def test_half_of_the_pictures_are_mirrored_in_training_and_none_in_evaluation(config):
    pixels = torch.arange(8, dtype=torch.uint8).reshape(1, 1, 2, 4).repeat(400, 3, 1, 1)
    torch.manual_seed(0)
    shown = distillation.half_mirrored(pixels)
    turned = (shown == pixels.flip(-1)).all(dim=(1, 2, 3))
    assert ((shown == pixels).all(dim=(1, 2, 3)) ^ turned).all()
    assert 150 < turned.sum() < 250
    teacher = Teacher(config)
    student = Student(teacher.prepare(load_base(config.base)), teacher, replace(config, keep_tokens=1.0))
    lopsided = torch.zeros(8, 3, 32, 32, dtype=torch.uint8)
    lopsided[..., :9] = 250
    for training, number in ((False, 1), (True, 2)):
        logits = student.train(training)(lopsided)["logits"].detach()
        assert len(set(logits.numpy().round(4)[:, 0].tolist())) == number


@pytest.fixture
def cache(tmp_path):
    return FaceCache(tmp_path / "cache" / "faces.jsonl")


def test_both_see_the_same_pixels_and_what_is_kept_is_what_the_teacher_says(config, tmp_path, astronaut, cache):
    from train.data import load_samples

    samples = load_samples(str(write_faces(tmp_path, astronaut))).samples[:3]
    faces = cache.find([sample.path for sample in samples])
    teacher = Teacher(config)
    start = teacher.prepare(load_base(config.base))
    assert start.transform.to_config()["image_mean"] == OTHER["image_mean"]
    crops = CropDataset(samples, faces, start.transform, margin=1.3)
    taught = TokenDataset(crops, teacher.open_store(tmp_path / "kept"))
    teacher.fill(taught, tmp_path / "kept", bf16=False, num_workers=0)
    assert len(list((tmp_path / "kept").iterdir())) == 1  # no store of tokens is begun
    for row in range(len(crops)):
        seen, kept = crops[row]["pixel_values"], taught[row]
        picture = crops.picture(row, "0")
        assert kept["pixels"].permute(1, 2, 0).numpy().tobytes() == start.transform.resize(picture).tobytes()
        torch.testing.assert_close(distillation._pixel_values(kept["pixels"], start.transform), seen)
        theirs = torch.from_numpy(teacher.checkpoint.transform(picture))
        torch.testing.assert_close(kept["teacher_logits"], teacher.classifier(theirs[None])[0], atol=1e-4, rtol=1e-4)


def test_a_teacher_goes_on_from_tokens_that_its_own_run_kept(config, make_checkpoint, tmp_path, astronaut, cache):
    from train.data import load_samples

    theirs = make_checkpoint(kind="clip", seed=1, processor=OTHER, own={"first_trained_block": 2})
    teacher = Teacher(replace(config, teacher=str(theirs)))
    samples = load_samples(str(write_faces(tmp_path, astronaut))).samples[:3]
    faces = cache.find([sample.path for sample in samples])
    crops = CropDataset(samples, faces, teacher.prepare(load_base(config.base)).transform, margin=1.3)
    classifier, names = teacher.classifier, [crops.name(row, "0") for row in range(len(crops))]
    kept = open_store(tmp_path / "kept", teacher.config, classifier, teacher.checkpoint.transform, block=2)
    told = torch.randn(len(names), *kept.shape, generator=torch.Generator().manual_seed(0)).half()  # nobody's tokens
    kept.add(names, told.numpy())
    taught = TokenDataset(crops, teacher.open_store(tmp_path / "kept"))
    teacher.fill(taught, tmp_path / "kept", bf16=False, num_workers=0)
    expected = classifier.judge(told.float(), first_block=2).detach()
    logits = torch.stack([taught[row]["teacher_logits"] for row in range(len(crops))])
    torch.testing.assert_close(logits, expected, atol=1e-5, rtol=1e-5)
    assert taught[0]["pixels"].numpy().tobytes() == crops_bytes(crops, 0)


def crops_bytes(crops, row):
    resized = np.asarray(crops.transform.resize(crops.picture(row, "0")))
    return np.ascontiguousarray(resized.transpose(2, 0, 1)).tobytes()


def test_a_run_that_is_gone_on_with_ends_at_the_same_weights_and_draws_nothing_anew(
    config, tmp_path, astronaut, cache, capsys
):
    data = write_faces(tmp_path, astronaut)
    settings = ["max_steps=4", "eval_steps=2", "batch_size=4", "num_workers=0", "bf16=false", "learning_rate=0.01"]
    config = replace(config, data=str(data)).override(settings)
    whole = fit(config, out_dir=tmp_path / "whole", cache=cache).checkpoint
    steps = sorted(path.name for path in (tmp_path / "whole" / "steps").iterdir())
    assert steps == ["checkpoint-2", "checkpoint-4"]
    shutil.copytree(tmp_path / "whole", tmp_path / "killed")
    shutil.rmtree(tmp_path / "killed" / "steps" / "checkpoint-4")
    shutil.rmtree(tmp_path / "killed" / "checkpoint")
    capsys.readouterr()
    again = fit(config, out_dir=tmp_path / "killed", cache=cache, resume=True).checkpoint
    assert "taught" not in capsys.readouterr().err  # the bar of what is computed
    expected, found = (load_file(folder / "model.safetensors") for folder in (whole, again))
    assert found.keys() == expected.keys()
    assert all(found[name].equal(expected[name]) for name in expected)
    state = json.loads((tmp_path / "killed" / "steps" / "checkpoint-4" / "trainer_state.json").read_text())
    assert state["global_step"] == 4
    best = tmp_path / "whole" / "steps" / Path(state["best_model_checkpoint"]).name / "model.safetensors"
    began, kept = (load_base(str(folder)).classifier.state_dict() for folder in (config.base, whole))
    for name, ended in load_file(best).items():
        if (name := name.removeprefix("classifier.")) in kept:  # what the student hands on is dropped
            expected = 0.75 * ended + 0.25 * began[name]  # as the recipe says
            torch.testing.assert_close(kept[name], expected, atol=1e-3, rtol=1e-3)  # in float16
    assert json.loads((again / "preprocessor_config.json").read_text())["image_mean"] == OTHER["image_mean"]
