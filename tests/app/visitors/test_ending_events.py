"""Events of a page that end others: which of two is answered, where both were asked for before either began."""

import threading

import gradio as gr
import pytest
from gradio_client import Client

from tests.support.pages import UNCHANGED, Page
from virtus.app.visitors import ending, until_stopped

WAIT_S = 60


class Rivals:
    """Two events that end each other, held until both have been asked for; the first goes on until the other began."""

    def __init__(self):
        self.may_begin, self.has_begun = threading.Event(), threading.Event()

    def first(self):
        yield "opening"
        assert self.has_begun.wait(WAIT_S)
        yield "first"

    def second(self):
        self.has_begun.set()
        yield "second"

    def hold(self):
        assert self.may_begin.wait(WAIT_S)


@pytest.fixture
def rivals():
    return Rivals()


@pytest.fixture
def page(rivals):
    places = {"concurrency_id": "two", "concurrency_limit": 2}
    with gr.Blocks() as blocks:
        button, shown = gr.Button(), gr.Textbox()
        for name in ("hold_one", "hold_other"):
            button.click(rivals.hold, None, None, api_name=name, **places)
        for name, answer, other in (("first", rivals.first, "second"), ("second", rivals.second, "first")):
            answer = ending((), until_stopped(answer, instead=gr.skip()), rivals=[other])
            button.click(answer, None, shown, api_name=name, **places)
    _, url, _ = blocks.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    yield Page(Client(url, verbose=False))
    blocks.close()


def test_of_two_that_end_each_other_the_last_that_was_asked_for_is_answered(page, rivals):
    """Each ended the other, and "Opening the face…" stood there for good."""
    for name in ("hold_one", "hold_other"):
        page.send(name)
    numbers = {page.send(name): name for name in ("first", "second")}
    rivals.may_begin.set()
    answers = {}
    for number, answer in page.answers():
        if number in numbers:
            answers[numbers[number]] = answer
    assert answers == {"first": [UNCHANGED], "second": ["second"]}
