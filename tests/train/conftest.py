"""`python -m train` as users run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def train_command():
    """Runs the command with a home of the test's own (faces are remembered there), and asserts that it succeeds."""

    def run(home: Path, *words) -> subprocess.CompletedProcess:
        done = subprocess.run(
            [sys.executable, "-m", "train", *map(str, words)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            env=os.environ | {"HOME": str(home)},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    return run
