"""Runs that leave a kind out: by the command line as users drive it, and a whole small fit."""

import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.calibration.thresholds import read_runs
from tests.train.faces import write_faces
from train.__main__ import main
from train.checks.look import Look
from train.config.settings import TrainConfig
from train.data.samples import Sample
from train.data.splits import Parts, part_of
from train.fit.left_out import (
    NUM_OF_KIND,
    KindRun,
    MarginLine,
    _Judging,
    check_kinds,
    fit_without,
    margins,
    plan,
)
from train.fit.material import Material, gather
from train.pictures.face_cache import FaceCache
from train.report.left_out import KindFigures, figures_of, summary
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import DataError
from virtus.results import Calibration, Face, Label

KINDS = {"first": ["one/faces/*"], "second": ["two/faces/*"], "composites": ["made/*"]}
SETTINGS = [
    "probe=false",
    "clean_looks=false",
    "cached_draws=0",
    "num_workers=0",
    "bf16=false",
    "batch_size=4",
    "num_epochs=1",
    f"kinds={json.dumps(KINDS)}",
]
FACE = Face((10.0, 6.0, 26.0, 24.0), ((14.0, 12.0), (22.0, 12.0), (18.0, 16.0), (15.0, 20.0), (21.0, 20.0)), 1.0)


@pytest.fixture(scope="module")
def data(tmp_path_factory, astronaut):
    root = tmp_path_factory.mktemp("data")
    for source in ("one", "two"):
        write_faces(root / source, astronaut)
    return root


@pytest.fixture(scope="module")
def words(data, make_checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("home") / "out"
    command = ["leave-one-out", "--recipe", "virtus-base", "--data", data, "--base", make_checkpoint(), "--out", out]
    return [str(word) for word in (*command, *(word for one in SETTINGS for word in ("--set", one)))]


def test_each_kind_is_left_out_and_judged_by_the_command(words, train_command, capsys):
    out = Path(words[words.index("--out") + 1])
    done = train_command(out.parent, *words, "--fast")
    assert "last 3 blocks" in done.stdout
    assert "| kind left out | fakes | reals | AUC | fakes called real | reals called fake | decided |" in done.stdout
    table = json.loads((out / "leave_one_out.json").read_text())
    assert [one["classifier"] for one in table["classifiers"]] == ["last 3 blocks", "last block"]
    rows = {row["kind"]: row for row in table["classifiers"][0]["kinds"]}
    assert rows.keys() == KINDS.keys()
    assert rows["composites"]["num_fakes"] == rows["composites"]["num_reals"] > 5  # one is made of each
    assert all(0 <= row["auc"] <= 1 for row in rows.values())
    runs = {run.name: run for run in read_runs(out / "margins-last-3-blocks.csv")}
    assert {name: sum(run.left_out) for name, run in runs.items()} == {k: row["num_fakes"] for k, row in rows.items()}
    assert {line["source"] for line in runs["first"].calibrate} == {"two/faces"}
    assert main([*words, "--fast"]) == 2
    assert "holds a run. Go on with it by --resume" in capsys.readouterr().err
    kept = {file: file.stat().st_mtime_ns for file in out.glob("*/choose_fast.json")}
    assert len(kept) == 3
    train_command(out.parent, *words, "--fast", "--resume")
    assert {file: file.stat().st_mtime_ns for file in out.glob("*/choose_fast.json")} == kept
    assert json.loads((out / "leave_one_out.json").read_text()) == table
    train_command(out.parent, *words, "--fast", "--resume", "--kinds", "first")
    assert json.loads((out / "leave_one_out.json").read_text()) == table  # the others have ended, and stay in it


def test_a_whole_fit_without_a_kind_never_sees_it_and_is_not_done_again(data, make_checkpoint, tmp_path):
    config = TrainConfig("own", str(make_checkpoint()), str(data)).override([*SETTINGS, "learning_rate=0.001"])
    cache = FaceCache(tmp_path / "faces.jsonl")
    material = gather(config, anyway=False, cache=cache)
    (left_out,) = plan(config, material, ["second"], "choose")
    (run,) = fit_without(left_out, material, tmp_path / "second", cache)
    judged = [line for line in run.lines if line.part == "judge"]
    assert {line.source for line in judged if line.label == "fake"} == {"two/faces"}
    assert {line.source for line in run.lines if line.part == "calibrate"} == {"one/faces"}
    saved = json.loads((tmp_path / "second" / "train_config.json").read_text())
    assert saved["leave_out"] == ["second"]
    weights = tmp_path / "second" / "checkpoint" / "model.safetensors"
    written = weights.stat().st_mtime_ns
    (again,) = fit_without(left_out, material, tmp_path / "second", cache)
    assert again == run
    assert weights.stat().st_mtime_ns == written


def test_kept_tokens_say_what_the_whole_checkpoint_says(data, make_checkpoint, tmp_path):
    """Of fakes made here too; and the tokens are those of the run: the store of no other base appears."""
    kept = ["tune=last_blocks:1", "cached_draws=1", "cached_block=1", "weights=int8", "head=class_token", "bf16=true"]
    base = make_checkpoint(kind="clip", labels=("cat", "dog"))
    config = TrainConfig("own", str(base), str(data)).override([*SETTINGS, *kept, "learning_rate=0.001"])
    cache = FaceCache(tmp_path / "faces.jsonl")
    material = gather(config, anyway=False, cache=cache)
    (left_out,) = plan(config, material, ["composites"], "choose")
    (run,) = fit_without(left_out, material, tmp_path / "run", cache)
    assert len(list((tmp_path / "tokens").iterdir())) == 1
    whole = load_checkpoint(str(tmp_path / "run" / "checkpoint"), precision="float32")
    judging = _Judging(left_out, material, whole.transform, lambda pictures: margins(whole, pictures))
    lines = [*judging.calibrating(), *judging.judged()]
    assert [line._replace(margin=0.0) for line in run.lines] == [line._replace(margin=0.0) for line in lines]
    found, expected = ([line.margin for line in of] for of in (run.lines, lines))
    np.testing.assert_allclose(found, expected, atol=np.std(expected) / 5)  # bfloat16, where there are units
    assert np.std(expected) > 0.01


def test_what_cannot_be_left_out_is_refused(words, capsys):
    assert main([*words, "--kinds", "third"]) == 2
    assert "There is no kind 'third' to leave out. There are: first, second, composites." in capsys.readouterr().err
    with pytest.raises(DataError, match="recipe own names no kinds"):
        check_kinds(TrainConfig("own", "x", "y"), [])


def picture(source, split, label, index):
    return Sample(Path(source, split, label, f"{index}.png"), label, source, split, f"{source}/{split}/{label}/{index}")


def material(samples):
    return Material(samples, {sample.path: FACE for sample in samples}, Look((), 0, 0, 0, ()), Parts([], [], []))


def pictures(*counts):
    """Of (source, label, how many in train and in val)."""
    return [
        picture(source, split, label, index)
        for source, label, *nums in counts
        for split, num in zip(("train", "val"), nums, strict=True)
        for index in range(num)
    ]


CONFIG = TrainConfig("own", "x", "y", kinds={"drawn": ("gan/*",), "composites": ("made/*",)})
OTHERS = pictures(("web", Label.REAL, 40, 60), ("swap", Label.FAKE, 40, 60))


def test_a_kind_is_judged_on_what_nothing_of_the_run_used():
    samples = [*OTHERS, *pictures(("gan", Label.REAL, 30, 20), ("gan", Label.FAKE, 400, 40))]
    chosen, made = plan(CONFIG, material(samples), [], "choose")
    assert {sample.source for sample in (*chosen.fakes, *chosen.reals)} == {"gan"}
    assert len(chosen.fakes) == NUM_OF_KIND
    assert {part_of(sample) for sample in chosen.reals} == {None, "choose"}
    assert chosen.hows == made.fakes == []
    assert made.hows == ["made/blended", "made/swapped"]
    assert {part_of(sample) for sample in made.reals} == {"choose"}
    (reported,) = plan(CONFIG, material(samples), ["drawn"], "report")
    assert {part_of(sample) for sample in reported.fakes} == {"report"}
    everything = {sample.path for part in (chosen.parts.train, chosen.parts.choose) for sample in part}
    assert not everything & {sample.path for sample in chosen.fakes}


def test_where_the_origin_has_few_reals_those_of_all_sources_stand_beside():
    samples = [*OTHERS, *pictures(("gan", Label.REAL, 5, 5), ("gan", Label.FAKE, 30, 30))]
    (chosen,) = plan(CONFIG, material(samples), ["drawn"], "choose")
    assert {sample.source for sample in chosen.reals} >= {"web"}
    assert {part_of(sample) for sample in chosen.reals} == {"choose"}


def test_a_kind_without_which_a_class_is_missing_is_refused():
    samples = pictures(("web", Label.REAL, 40, 60), ("gan", Label.FAKE, 40, 60))
    with pytest.raises(DataError, match="Without 'drawn': The training part needs pictures of both classes; it has re"):
        plan(CONFIG, material(samples), ["drawn"], "choose")
    with pytest.raises(DataError, match="There are no fakes of 'drawn'"):
        plan(CONFIG, material(OTHERS), ["drawn"], "choose")


def test_a_limit_takes_the_same_pictures_whatever_is_left_out():
    samples = [*OTHERS, *pictures(("gan", Label.REAL, 30, 20), ("gan", Label.FAKE, 40, 40))]
    config = replace(CONFIG, limit=10)
    random.Random(1).shuffle(samples)
    drawn, made = plan(config, material(samples), [], "choose")
    assert set(drawn.parts.train) == {sample for sample in made.parts.train if sample.source != "gan"}


def test_figures_of_a_run_go_by_its_own_thresholds():
    margins = [("real", -3.0), ("real", 2.0), ("real", 0.0), ("fake", -2.0), ("fake", 3.0)]
    lines = [MarginLine("a", "x", label, "s", "k", "judge", margin) for label, margin in margins]
    calibrating = MarginLine("a", "x", "real", "s", "k", "calibrate", 9.0)
    run = KindRun("a", "", Calibration(1.0, real_below=0.2, fake_above=0.8), [*lines, calibrating])
    figures = figures_of(run)
    assert (figures.num_fakes, figures.num_reals, figures.auc) == (2, 3, pytest.approx(4 / 6))
    assert (figures.fakes_called_real, figures.reals_called_fake) == (0.5, pytest.approx(1 / 3))
    assert figures.decided == 0.8
    other = KindFigures("b", 1, 1, None, 0.1, 0.5, 0.9)
    worst = summary([figures, other])["worst"]
    assert (worst.auc, worst.fakes_called_real, worst.reals_called_fake, worst.decided) == (figures.auc, 0.5, 0.5, 0.8)
    mean = summary([figures, other])["mean"]
    assert (mean.auc, mean.fakes_called_real, mean.decided) == (figures.auc, pytest.approx(0.3), pytest.approx(0.85))
