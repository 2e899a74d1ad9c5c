"""A run that is stopped goes on where it was."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file

from train.__main__ import main


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As the runs in processes of their own have: sums of floats depend on it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def whole(fit_command, train_command, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    train_command(out.parent, *fit_command.words[1:], "--out", out, "--report-to", "tensorboard")
    return out


def last_state(out):
    states = [json.loads(file.read_text()) for file in (out / "steps").glob("*/trainer_state.json")]
    return max(states, key=lambda state: state["global_step"])


def test_a_stopped_run_that_is_resumed_ends_as_if_nothing_had_happened(fit_command, train_command, whole, tmp_path):
    """To the last tensor, from the middle of an epoch: blocks, random numbers and the order of pictures are back."""
    out = tmp_path / "run"
    stopped = fit_command.start(out)
    fit_command.stop_after(stopped, out / "steps" / "checkpoint-6" / "trainer_state.json")
    said = stopped.stderr.read()
    assert stopped.returncode == 130, said
    line = "train: stopped. The same command with --resume goes on from the last step that was saved."
    assert line in said.replace("\r", "\n").splitlines()
    assert "Traceback" not in said
    torn = out / "steps" / "checkpoint-999"  # what a kill in the middle of saving leaves behind
    shutil.copytree(out / "steps" / "checkpoint-6", torn)
    (torn / "trainer_state.json").write_text('{"global_st')
    train_command(tmp_path, *fit_command.words[1:], "--out", out, "--resume")
    shutil.rmtree(torn, ignore_errors=True)
    assert [row["step"] for row in last_state(out)["log_history"] if "eval_loss" in row] == [3, 6, 9, 12, 15, 16]
    found, expected = (load_file(run / "checkpoint" / "model.safetensors") for run in (out, whole))
    assert all(found[name].equal(expected[name]) for name in expected)


def test_a_run_that_had_ended_keeps_what_it_cost(fit_command, train_command, whole):
    """It took no hours after that."""
    before = json.loads((whole / "run.json").read_text())
    train_command(whole.parent, *fit_command.words[1:], "--out", whole, "--report-to", "tensorboard", "--resume")
    assert json.loads((whole / "run.json").read_text())["hours"] == before["hours"] > 0


def test_a_run_is_not_overwritten_and_not_gone_on_with_otherwise(fit_command, whole, capsys):
    command = [*fit_command.words[1:], "--out", str(whole)]
    assert main(command) == 2
    assert "Go on with it by --resume" in capsys.readouterr().err
    assert main([*command, "--resume", "--set", "seed=5"]) == 2
    assert "begun with another seed" in capsys.readouterr().err


def test_tensorboard_gets_curves(whole):
    assert list(whole.rglob("events.out.tfevents.*"))
