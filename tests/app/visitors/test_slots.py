"""Who left while waiting is not judged; and who is alone has all cores."""

import gradio as gr
import pytest
import torch
from gradio.context import LocalContext
from gradio.queueing import Event

from virtus.app.visitors import slots
from virtus.app.visitors.slots import judging_slot, num_threads, on_free_cores
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


@pytest.mark.parametrize(
    ("cores", "num_held", "num_running", "threads"),
    [
        (2, 1, 1, 2),  # alone
        (2, 1, 2, 1),  # another program computes
        (2, 2, 1, 1),  # another visitor is judged
        (16, 1, 1, 16),
        (16, 1, 5, 12),
        (16, 1, 40, 8),  # never less than a slot's share
        (16, 2, 1, 8),
        (1, 1, 1, 1),
        (1, 1, 9, 1),
    ],
)
def test_a_visitor_alone_has_the_cores_that_nobody_uses(cores, num_held, num_running, threads):
    assert num_threads(cores, num_held=num_held, num_running=num_running) == threads


@pytest.mark.parametrize(
    ("said", "threads", "beside_another"),
    [("0.00 0.00 0.00 1/100 1", 4, 2), ("9.00 0.00 0.00 3/100 1", 2, 2), ("?", 2, 2), (None, 2, 2)],
)
def test_cores_are_given_back(monkeypatch, tmp_path, said, threads, beside_another):
    before = torch.get_num_threads()
    monkeypatch.setattr(slots, "LOAD", tmp_path / "loadavg")  # where there is none, as if all cores were in use
    monkeypatch.setattr(slots, "num_cores", lambda: 4)
    if said:
        slots.LOAD.write_text(said)
    with judging_slot():
        with on_free_cores():
            assert torch.get_num_threads() == threads
        assert torch.get_num_threads() == before
        with judging_slot(), on_free_cores():
            assert torch.get_num_threads() == beside_another
    assert not slots._held


def test_linux_tells_how_many_threads_run():
    if not slots.LOAD.exists():
        pytest.skip("only Linux tells")
    assert 1 <= slots._num_running() < 10_000
