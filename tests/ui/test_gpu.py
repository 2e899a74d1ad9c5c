"""ZeroGPU, as far as the package `spaces` shows it on a machine without: what is put on the GPU, and what is sent."""

import importlib.util
import inspect
import os
import pickle
import subprocess
import sys

import gradio as gr
import pytest

from tests.ui.conftest import ROOT
from virtus.ui import gpu

# Up to the moment when the app would answer, and without an answer.
START = """
import gc
import gradio as gr
from virtus.detector import Detector
from virtus.ui import serve
gr.Blocks.launch = lambda app, **_: print([one.checkpoint.trunk.device.type for one in gc.get_objects()
                                           if isinstance(one, Detector)])
serve()
"""


def test_elsewhere_functions_stay_as_they_are():
    assert gpu.on_gpu(len) is len


def test_the_checkpoint_is_on_the_gpu_before_the_app_answers():
    if importlib.util.find_spec("spaces") is None:
        pytest.skip("spaces is not installed")
    lent = {"SPACES_ZERO_GPU": "true", "SPACES_ZERO_DEVICE_API_URL": "http://127.0.0.1:9", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", START], cwd=ROOT, env=os.environ | lent, capture_output=True, text=True, check=False
    )
    said = [line for line in done.stdout.splitlines() if not line.startswith("*")]  # what is loaded is said meanwhile
    assert said[-1:] == ["['cuda']"], done.stderr


def test_an_event_is_sent_without_the_page():
    with gr.Blocks():
        event = gr.SelectData(gr.Image(), {"index": [3, 4], "value": None, "number": 7})
    with pytest.raises(AttributeError):
        pickle.dumps(event)  # what on_gpu is there for
    sent = pickle.loads(pickle.dumps(gpu._sendable(event)))
    assert (sent.index, sent.number) == ([3, 4], 7)


def test_gradio_sees_the_function_behind_the_call(monkeypatch):
    """Its arguments, their types, and whether it answers several times."""
    monkeypatch.setattr(gpu, "is_lent", lambda: True)
    monkeypatch.setattr(gpu, "spaces", type("Spaces", (), {"GPU": staticmethod(lambda function: function)}), False)

    def once(event: gr.SelectData) -> int:
        return event.index

    def often(event: gr.SelectData):
        yield event.index

    event = gr.SelectData(None, {"index": 5, "value": None})
    assert inspect.signature(gpu.on_gpu(once)) == inspect.signature(once)
    assert gpu.on_gpu(once)(event) == 5
    assert inspect.isgeneratorfunction(gpu.on_gpu(often))
    assert list(gpu.on_gpu(often)(event)) == [5]
