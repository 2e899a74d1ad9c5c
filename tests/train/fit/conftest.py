"""A run in processes of its own, as users start it."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from signal import SIGINT

import pytest

from tests.support.command import ROOT, heed_ctrl_c
from tests.train.faces import write_faces

SETTINGS = ["batch_size=2", "num_epochs=4", "num_workers=0", "bf16=false", "learning_rate=0.01"]
SETTINGS += ["pairs=true", "eval_steps=3"]


@dataclass(frozen=True)
class FitCommand:
    """The words of a run of 4 epochs of 4 steps that saves every third step, and its environment with a home."""

    words: list[str]
    env: dict[str, str]

    def start(self, out, *more, python=(sys.executable, "-m")):
        return subprocess.Popen(
            [*python, *self.words, "--out", str(out), *more], cwd=ROOT, env=self.env, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, preexec_fn=heed_ctrl_c,
        )  # fmt: skip

    def stop_after(self, process, file):
        """Ctrl+C for the run and all its processes, as soon as there is that file."""
        while not file.exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.005)
        os.killpg(process.pid, SIGINT)
        process.wait()


@pytest.fixture(scope="module")
def fit_command(make_checkpoint, tmp_path_factory, astronaut):
    home = tmp_path_factory.mktemp("home")
    data, base = write_faces(home, astronaut), make_checkpoint(labels=("cat", "dog"))
    words = ["train", "fit", "--recipe", "virtus-honest", "--data", data, "--base", base]
    words += [word for setting in SETTINGS for word in ("--set", setting)]
    return FitCommand([str(word) for word in words], os.environ | {"HOME": str(home), "OMP_NUM_THREADS": "1"})
