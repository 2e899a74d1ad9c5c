"""A run that is killed goes on where it was; a run on two processes is one run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from safetensors.torch import load_file

from tests.support.command import ROOT, heed_ctrl_c
from tests.train.faces import write_faces

SETTINGS = ["batch_size=2", "num_epochs=6", "num_workers=0", "bf16=false", "learning_rate=0.01", "eval_steps=4"]


@pytest.fixture(scope="module")
def command(make_checkpoint, tmp_path_factory, astronaut):
    """The words of a run of 24 steps that saves every fourth, and the home that it remembers faces in."""
    home = tmp_path_factory.mktemp("home")
    data, base = write_faces(home, astronaut), make_checkpoint(labels=("cat", "dog"))
    words = ["-m", "train", "fit", "--recipe", "virtus-honest", "--data", data, "--base", base]
    words += [word for setting in SETTINGS for word in ("--set", setting)]
    return [str(word) for word in words], os.environ | {"HOME": str(home), "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def whole(command, tmp_path_factory):
    """A run that nothing disturbed."""
    out = tmp_path_factory.mktemp("whole") / "run"
    done = start(command, out, "--report-to", "tensorboard")
    assert done.wait() == 0, done.stderr.read()
    return out


def start(command, out, *more, python=(sys.executable,)):
    words, env = command
    return subprocess.Popen(
        [*python, *words, "--out", str(out), *more], cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heed_ctrl_c,
    )  # fmt: skip


def kill_after(process, file, signal_number=signal.SIGKILL):
    """kill -9, or another signal, to the run and all its processes, as soon as there is that file."""
    while not file.exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    os.killpg(process.pid, signal_number)
    process.wait()


def last_state(out):
    states = [json.loads(file.read_text()) for file in (out / "steps").glob("*/trainer_state.json")]
    return max(states, key=lambda state: state["global_step"])


def test_a_killed_run_that_is_resumed_ends_as_if_nothing_had_happened(command, whole, tmp_path):
    """To the last tensor: with a block that is not read back, or other random numbers, it would not."""
    out = tmp_path / "run"
    kill_after(start(command, out), out / "steps" / "checkpoint-8" / "trainer_state.json")
    torn = out / "steps" / "checkpoint-999"  # what a kill in the middle of saving leaves behind
    shutil.copytree(out / "steps" / "checkpoint-8", torn)
    (torn / "trainer_state.json").write_text('{"global_st')
    resumed = start(command, out, "--resume")
    assert resumed.wait() == 0, resumed.stderr.read()
    shutil.rmtree(torn, ignore_errors=True)
    assert [row["step"] for row in last_state(out)["log_history"] if "eval_loss" in row] == [4, 8, 12, 16, 20, 24]
    found, expected = (load_file(run / "checkpoint" / "model.safetensors") for run in (out, whole))
    assert all(found[name].equal(expected[name]) for name in expected)


def test_a_run_that_is_stopped_says_how_it_goes_on(command, tmp_path):
    out = tmp_path / "run"
    stopped = start(command, out)
    kill_after(stopped, out / "steps" / "checkpoint-4" / "trainer_state.json", signal.SIGINT)
    said = stopped.stderr.read()
    assert stopped.returncode == 130, said
    line = "train: stopped. The same command with --resume goes on from the last step that was saved."
    assert line in said.replace("\r", "\n").splitlines()
    assert "Traceback" not in said


def test_a_run_is_not_overwritten_and_not_gone_on_with_otherwise(command, whole):
    again = start(command, whole)
    assert (again.wait(), again.stderr.read().count("--resume")) == (2, 1)
    other = start(command, whole, "--resume", "--set", "seed=5")
    assert other.wait() == 2
    assert "begun with another seed" in other.stderr.read()


def test_tensorboard_gets_curves(whole):
    assert list(whole.rglob("events.out.tfevents.*"))


def test_two_processes_train_one_checkpoint(command, tmp_path):
    out = tmp_path / "run"
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    words, env = command
    done = start((words, env), out, "--max-steps", "4", python=torchrun)
    output, errors = done.communicate()
    assert done.returncode == 0, errors
    assert output.count("checkpoint: ") == 1
    assert (out / "checkpoint" / "model.safetensors").is_file()
    record = json.loads((out / "run.json").read_text())
    assert record["num_images_seen"] == 2 * 2 * 4
