"""Who left while waiting is not judged."""

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event

from virtus.app.visitors.slots import judging_slot
from virtus.errors import InputError


@pytest.fixture
def event():
    """A call that this thread serves, as Gradio notes it."""
    with gr.Blocks() as blocks:
        button = gr.Button()
        button.click(print, button, None)
    blocks.queue()
    (function,) = blocks.fns.values()
    call = Event("session", function, None, None)
    blocks._queue.event_ids_to_events[call._id] = call
    tokens = LocalContext.blocks.set(blocks), LocalContext.event_id.set(call._id)
    yield call
    LocalContext.blocks.reset(tokens[0])
    LocalContext.event_id.reset(tokens[1])


def test_who_waits_gets_a_place(event):
    with judging_slot():
        assert event.alive


def test_who_left_gets_none_and_frees_it(event):
    event.alive = False
    for _ in range(5):  # more often than there are places
        with pytest.raises(InputError, match="left"), judging_slot():
            pytest.fail("somebody who left was judged")


def test_a_program_without_a_queue_gets_one_too():
    with judging_slot(), judging_slot():
        pass
