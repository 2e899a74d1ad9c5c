"""ZeroGPU, as far as the package `spaces` shows it on a machine without: what is put on the GPU."""

import importlib.util
import os
import subprocess
import sys

import pytest

from tests.app.conftest import ROOT
from virtus.app.visitors import gpu

# What Gradio sees of functions; then the app up to the moment when it would answer, and without an answer.
SCRIPT = """
import gc
import inspect
from collections.abc import Iterator
import gradio as gr
from virtus.app import serve  # with `spaces`, which replaces `launch` too
from virtus.app.visitors import on_gpu
from virtus.checkpoints import Detector
from virtus.cli import main
def once(face: int) -> int:
    return face
def often(face: int) -> Iterator[int]:
    yield face
print(inspect.signature(on_gpu(once)))
print(inspect.isgeneratorfunction(on_gpu(often)))
gr.Blocks.launch = lambda app, **_: print([one.checkpoint.trunk.device.type for one in gc.get_objects()
                                           if isinstance(one, Detector)])
main(["serve"])
"""


def test_elsewhere_functions_stay_as_they_are():
    assert gpu.on_gpu(len) is len


def run_lent(script: str) -> list[str]:
    """What it prints, line by line, where a Space is lent a GPU."""
    if importlib.util.find_spec("spaces") is None:
        pytest.skip("spaces is not installed")
    lent = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | lent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("*")]  # what is loaded is said meanwhile


def test_the_checkpoint_is_on_the_gpu_before_the_app_answers():
    """And Gradio sees the function behind a call: its arguments, their types, and whether it answers several times."""
    signature, answers_often, *_, devices = run_lent(SCRIPT)
    assert (signature, answers_often) == ("(face: int) -> int", "True")
    assert devices == "['cuda']"
