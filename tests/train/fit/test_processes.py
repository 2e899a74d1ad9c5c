"""A run that is stopped, and a run on two processes."""

import json
import signal
import sys


def test_a_run_that_is_stopped_says_how_it_goes_on(fit_command, tmp_path):
    out = tmp_path / "run"
    stopped = fit_command.start(out)
    fit_command.stop_after(stopped, out / "steps" / "checkpoint-3" / "trainer_state.json", signal.SIGINT)
    said = stopped.stderr.read()
    assert stopped.returncode == 130, said
    line = "train: stopped. The same command with --resume goes on from the last step that was saved."
    assert line in said.replace("\r", "\n").splitlines()
    assert "Traceback" not in said


def test_two_processes_train_one_checkpoint(fit_command, tmp_path):
    """On pairs: each process takes its part of one order."""
    out = tmp_path / "run"
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m")
    done = fit_command.start(out, "--max-steps", "4", python=torchrun)
    output, errors = done.communicate()
    assert done.returncode == 0, errors
    assert output.count("checkpoint: ") == output.count("no pairs: ") == 1
    assert (out / "checkpoint" / "model.safetensors").is_file()
    record = json.loads((out / "run.json").read_text())
    assert record["num_images_seen"] == 2 * 2 * 4
