"""The offer of the fast checkpoint: where it is made, what it says, what it does."""

import time

import gradio as gr
import pytest
from gradio_client import Client

from virtus.app.visitors.gradio_internals import CheckedBlocks, until_stopped
from virtus.app.widgets.faster import offer_faster, taking_fast
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint


@pytest.fixture
def base(bundle, make_checkpoint):
    bundle("virtus-base", "virtus-fast", folder=make_checkpoint())
    return Detector(load_checkpoint("virtus-base", device="cpu", precision="float32"))


def test_much_work_by_the_better_one_is_offered_to_the_fast_one(base):
    offer = offer_faster(base, done=10, total=200, seconds=5.5)
    assert offer.visible
    assert offer.value == "All of it takes about 2 min with virtus-base, 10 to 31 s with virtus-fast: take virtus-fast"


@pytest.mark.parametrize(
    ("done", "total", "seconds"), [(0, 200, 0.1), (10, 100, 5.5), (199, 200, 1000.0), (200, 200, 1000.0)]
)
def test_nothing_is_offered_before_anything_is_known_or_where_little_is_left(base, done, total, seconds):
    assert not offer_faster(base, done=done, total=total, seconds=seconds).visible


@pytest.mark.usefixtures("base")
def test_nothing_is_offered_to_who_has_the_fast_one():
    fast = Detector(load_checkpoint("virtus-fast", device="cpu", precision="float32"))
    assert not offer_faster(fast, done=10, total=200, seconds=100.0).visible


def test_a_click_ends_what_works_and_chooses_it():
    def count(number):
        while True:
            yield number
            time.sleep(0.01)

    with CheckedBlocks() as app:
        chooser, button = gr.Textbox(), gr.Button()
        chooser.change(until_stopped(count), chooser, chooser, api_name="count")
        button.click(taking_fast("count"), chooser, [chooser, button], api_name="take")
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client = Client(app.local_url, verbose=False)
        counting = client.submit("virtus-base", api_name="/count")
        assert next(counting) == "virtus-base"
        assert client.predict("virtus-base", api_name="/take") == "virtus-fast"
        counting.result()
    finally:
        app.close()
