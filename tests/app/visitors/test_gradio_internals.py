"""Names that Gradio does not document are where the app looks for them; and of a session only its State is kept."""

import inspect

import gradio as gr
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio_client import Client

from virtus.app.visitors import gradio_internals
from virtus.app.visitors.gradio_internals import CheckedBlocks


@pytest.fixture(scope="module")
def blocks():
    with gr.Blocks() as blocks:
        button = gr.Button()
        button.click(print, button, None, api_name="press")
    blocks.queue()
    return blocks


@pytest.mark.parametrize("method", ["preprocess_data", "process_api"])
def test_gradio_calls_what_checks_inputs_and_forgets_sessions(method):
    parameters = list(inspect.signature(getattr(gr.Blocks, method)).parameters)
    assert parameters[1:3] == ["block_fn", "inputs"], f"Gradio moved Blocks.{method}: nothing would be checked"
    assert "state" in parameters, f"Blocks.{method} has no state: sessions would keep visitors' values"
    assert "self.preprocess_data(" in inspect.getsource(gr.Blocks.process_api), "inputs are read elsewhere now"


def test_a_function_of_the_app_has_a_name_and_inputs(blocks):
    (function,) = blocks.fns.values()
    assert (function.api_name, len(function.inputs)) == ("press", 1), "Gradio renamed what says how many values come"


def test_the_queue_knows_who_left(blocks):
    (function,) = blocks.fns.values()
    event = Event("session", function, None, None)
    assert event.alive, "Gradio renamed Event.alive: visitors who left would be judged"
    assert blocks._queue.event_ids_to_events == {}, "Gradio renamed the queue's events: who left would be judged"
    assert LocalContext.blocks.get(None) is None, "a call says which app and event it serves"
    assert LocalContext.event_id.get(None) is None
    assert not gradio_internals.visitor_left()


def test_an_idle_app_rests(blocks):
    """Its queue looked for work 1,100 times a second: 7 % of a core."""
    queue = CheckedBlocks().queue()._queue
    for name in ("sleep_when_free", "progress_update_sleep_when_free"):
        assert getattr(queue, name) > getattr(blocks._queue, name), f"Gradio renamed Queue.{name}: an idle app is busy"


def test_functions_are_described_by_their_docstrings():
    def ask(file: str) -> dict[str, int]:
        """Ask.

        Args:
            file: What is asked about.
        """

    described = gradio_internals.read_function(ask)
    expected = ("Ask.", {"file": "What is asked about."}, [dict[str, int]])
    assert described == expected, "Gradio reads docstrings otherwise: tools need them"


def test_uploads_lie_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert gradio_internals.get_upload_folder() == str(tmp_path), "Gradio keeps uploads elsewhere: none would be found"


def test_what_a_visitor_typed_and_saw_is_not_kept():
    with CheckedBlocks() as app:
        typed, shown, calls = gr.Textbox(), gr.Textbox(), gr.State(0)
        typed.submit(lambda text, count: (text * 2, count + 1), [typed, calls], [shown, calls], api_name="double")
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client = Client(app.local_url, verbose=False)
        assert [client.predict("secret", api_name="/double") for _ in range(2)] == ["secretsecret"] * 2
        (session,) = [one for one in app.app.state_holder.session_data.values() if one.state_data]
    finally:
        app.close()
    assert session.state_data == {calls._id: 2}
    assert session.config_values == {}
    assert "secret" not in str([vars(one) for one in session.blocks_config.blocks.values()])
