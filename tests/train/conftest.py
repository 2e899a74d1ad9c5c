"""`python -m train` as users run it, in this process."""

import subprocess
from pathlib import Path

import pytest

from tests.support.command import run_here
from train.__main__ import main
from train.pictures.face_cache import FaceCache


@pytest.fixture(scope="session")
def train_command():
    """Runs the command with a folder of the test's own to remember faces in, and asserts that it succeeds."""

    def run(home: Path, *words) -> subprocess.CompletedProcess:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(FaceCache.__init__, "__defaults__", (home / "faces.jsonl",))
            done = run_here(main, *words)
        assert done.returncode == 0, done.stderr
        return done

    return run
