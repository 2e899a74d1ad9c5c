"""A run on two processes."""

import json
import sys


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
