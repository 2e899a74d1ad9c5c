"""Names that Gradio does not document are where the app looks for them; and of who asks it keeps what is used."""

import gc
import inspect
import itertools
import time
from collections import Counter
from pathlib import Path

import gradio as gr
import httpx
import pytest
from gradio.context import LocalContext
from gradio.queueing import Event
from gradio.route_utils import delete_files_created_by_app
from gradio.routes import App
from gradio_client import Client
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from tests.support.waiting import wait_until
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


def test_a_route_of_our_own_knows_who_logged_in(blocks):
    """By Gradio's cookies: a name like theirs is not enough, nor any value."""

    async def ask(request):
        return PlainTextResponse(str(gradio_internals.lacks_login(request.app, request)))

    app = App.create_app(blocks, app_kwargs={"routes": [Route("/lacks", ask)]})
    asking = TestClient(app)
    assert asking.get("/lacks").text == "False"  # no login is asked for
    app.auth = {"user": "password"}
    assert asking.get("/lacks").text == "True"
    for name in ("access-token-unsecure", f"access-token-unsecure-{app.cookie_id}", f"access-token-{app.cookie_id}"):
        assert TestClient(app, cookies={name: "guessed"}).get("/lacks").text == "True"
    assert asking.post("/login", data={"username": "user", "password": "password"}).status_code == 200
    assert asking.get("/lacks").text == "False", "Gradio keeps logins elsewhere: nobody could rub out a part"


def test_gradio_leaves_the_files_of_the_app_alone(tmp_path, monkeypatch):
    """It deleted the example photos of a server, and its scripts, ten minutes after it started."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "kept"))
    (tmp_path / "example.png").write_bytes(b"a picture")
    with CheckedBlocks() as app:
        url = gradio_internals.static_url(gr.HTML(), tmp_path / "example.png")
    delete_files_created_by_app(app, None)
    assert [file.name for file in (tmp_path / "kept").rglob("*.png")] == ["example.png"]
    assert url.endswith("example.png")


def test_uploads_that_come_while_old_ones_are_deleted_do_not_stop_that(monkeypatch, tmp_path):
    """Gradio's thread for it ended by a traceback, and none came after it."""
    files = [tmp_path / name for name in ("old", "new")]
    with CheckedBlocks() as app:
        pass
    for file in files:
        file.touch()
    app.upload_file_set.add(str(files[0]))

    def path_and_upload(path):
        app.upload_file_set.add(str(files[1]))
        return Path(path)

    monkeypatch.setattr("gradio.route_utils.Path", path_and_upload)
    delete_files_created_by_app(app, None)
    assert [file.exists() for file in files] == [False, True]
    assert app.upload_file_set == {str(files[1])}


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


def test_a_stopped_event_ends_as_if_it_were_done_also_one_that_waits_for_its_turn():
    closed = []

    def count(name):
        try:
            while True:
                yield f"{name} counts"
                time.sleep(0.01)
        finally:
            closed.append(name)

    async def stop(name, request: gr.Request):
        await gradio_internals.stop_event(request.session_hash, "count")
        return name

    with CheckedBlocks() as app:
        name, said = gr.Textbox(), gr.Textbox()
        name.submit(gradio_internals.until_stopped(count), name, said, api_name="count", concurrency_limit=1)
        name.change(stop, name, said, api_name="stop")
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client, stranger = (Client(app.local_url, verbose=False) for _ in range(2))
        other = stranger.submit("stranger", api_name="/count")
        assert next(other) == "stranger counts"
        first, second = (client.submit(name, api_name="/count") for name in ("first", "second"))
        wait_until(lambda: len(app._queue) >= 2)
        client.predict("stop", api_name="/stop")
        assert "counts" not in str([first.result(), second.result()])  # neither had begun
        assert not other.done()
        stranger.predict("stop", api_name="/stop")
        other.result()
    finally:
        app.close()
    assert closed == ["stranger"]


def test_an_event_is_ended_by_another_one_of_its_page_and_its_last_step_is_not_shown_any_more():
    def count(name):
        for number in itertools.count():
            yield f"{name} {number}"
            time.sleep(0.01)

    def draw(name):
        gradio_internals.end_event("count")
        yield name

    counting = gradio_internals.until_stopped(count, instead="nothing")
    with CheckedBlocks() as app:
        name, said = gr.Textbox(), gr.Textbox()
        name.submit(counting, name, said, api_name="count", concurrency_limit=None)
        name.change(draw, name, said, api_name="draw")
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    try:
        client, stranger = (Client(app.local_url, verbose=False) for _ in range(2))
        own, other = (each.submit("counts", api_name="/count") for each in (client, stranger))
        assert next(own) == next(other) == "counts 0"
        client.predict("a map", api_name="/draw")
        assert own.result() == "nothing"
        assert not other.done()
        stranger.predict("a map", api_name="/draw")
        assert other.result() == "nothing"
    finally:
        app.close()
    gradio_internals.end_event("count")  # outside of a call there is nothing to be ended


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


class NoHead:
    """A server that is too busy for the first request that `launch` makes of it."""

    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        is_asked = scope["type"] == "http" and scope["method"] == "HEAD"
        await (PlainTextResponse(status_code=503) if is_asked else self.app)(scope, receive, send)


def test_a_server_that_is_too_busy_to_answer_itself_starts_all_the_same():
    with CheckedBlocks() as app:
        gr.HTML("page")
    busy = {"app_kwargs": {"middleware": [Middleware(NoHead)]}}
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, **busy, **gradio_internals.UNASKED)
    try:
        assert httpx.head(app.local_url, timeout=60).status_code == 503
        assert httpx.get(app.local_url, timeout=60).status_code == 200
    finally:
        app.close()


NUM_CALLS = 12


@pytest.fixture(scope="module")
def counting():
    """An app with an endpoint that answers once, one that answers twice, and one that hides what it shows."""
    with CheckedBlocks(delete_cache=(60, 600)) as app:
        typed, shown = gr.Textbox(), gr.Textbox()
        typed.submit(lambda text: text * 2, typed, shown, api_name="double")
        typed.input(lambda text: (yield from (text, text * 2)), typed, shown, api_name="steps")
        typed.change(lambda text: gr.Textbox(text * 2, visible=False), typed, shown, api_name="hide")
        for _ in range(50):
            gr.HTML()
    app.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False)
    with httpx.Client(base_url=f"{app.local_url}gradio_api/", timeout=240) as program:
        yield app, program
    app.close()


def ask(counting, api_name, *, read=True):
    """Call. Where the answer is read, Gradio is done with all calls then: it tidies up after an answer, in a thread."""
    app, program = counting
    answer = program.post(f"call/{api_name}", json={"data": ["ab"]}).raise_for_status()
    said = program.get(f"call/{api_name}/{answer.json()['event_id']}").text if read else ""
    wait_until(lambda: not (read and app._queue.event_ids_to_events))
    return said


def num_entries(app):
    """What Gradio keeps of calls, by its names."""
    places = {
        "session_data time_last_used": app.app.state_holder,
        "pending_event_ids_session pending_messages_per_session event_ids_to_events": app._queue,
        "iterators": app.app,
        "pending_diff_streams": app,
    }
    return {name: len(getattr(place, name)) for names, place in places.items() for name in names.split()}


def count_objects():
    """Sessions, events, requests, messages and queues of them, wherever they are held: how many of each type."""
    gc.collect()
    types = [type(kept) for kept in gc.get_objects()]
    return Counter(kind for kind in types if str(kind.__module__).startswith(("gradio", "starlette", "asyncio.queues")))


@pytest.mark.parametrize("api_name", ["double", "steps", "hide"])
def test_calls_leave_nothing_behind(counting, api_name):
    """Each left a session of 27 kB, a queue of messages and, for as long as the server ran, its name."""
    app, _ = counting
    ask(counting, api_name)
    before = count_objects()
    assert all("abab" in ask(counting, api_name) for _ in range(2 * NUM_CALLS))
    assert max(num_entries(app).values()) <= 2, num_entries(app)  # the last call's own
    grown = count_objects() - before  # by a call that ends, and one that each of the queue's loops saw last
    assert max(grown.values(), default=0) < NUM_CALLS / 2, f"Gradio keeps something else of every call: {grown}"


def test_answers_that_nobody_reads_are_kept_for_a_while(counting, monkeypatch):
    app, program = counting
    for _ in range(NUM_CALLS):
        ask(counting, "double", read=False)
    late = program.post("call/double", json={"data": ["ab"]}).json()["event_id"]
    ask(counting, "double")
    assert num_entries(app)["pending_messages_per_session"] >= NUM_CALLS
    assert "abab" in program.get(f"call/double/{late}").text, "an answer was forgotten before it was fetched"
    monkeypatch.setattr(app, "delete_cache", (60, 0))
    ask(counting, "double")
    ask(counting, "double")
    assert max(num_entries(app).values()) <= 2, num_entries(app)


def test_a_page_that_never_listens_is_forgotten_with_its_answers(counting, monkeypatch):
    app, program = counting
    (event,) = [number for number, function in app.fns.items() if function.api_name == "double"]
    for page in ("one", "two"):
        asked = {"data": ["ab"], "fn_index": event, "session_hash": page}
        program.post("queue/join", json=asked).raise_for_status()
    monkeypatch.setattr(app, "delete_cache", (60, 0))
    ask(counting, "double")
    ask(counting, "double")
    assert num_entries(app)["pending_messages_per_session"] <= 2, num_entries(app)
    assert num_entries(app)["pending_event_ids_session"] <= 2, num_entries(app)


def test_sessions_hold_their_changes_alone(counting):
    """Gradio copied the list of all components, and how each looks, for every session and call."""
    app, _ = counting
    clients = [Client(app.local_url, verbose=False) for _ in range(2)]
    clients[0].predict("ab", api_name="/hide")
    clients[1].predict("ab", api_name="/double")
    sessions = app.app.state_holder.session_data
    changed, same = (sessions[client.session_hash].blocks_config.blocks for client in clients)
    assert (len(changed.maps[0]), len(same.maps[0])) == (1, 0)
    (shown,) = changed.maps[0]
    assert (changed[shown].visible, same[shown].visible, app.blocks[shown].visible) == (False, True, True)
    assert len(changed) == len(same) == len(app.blocks)
    new = app.app.state_holder["new"]
    assert (new.config_values, dict(new.blocks_config.fns)) == ({}, app.fns)


def test_paths_of_files_that_others_deleted_are_forgotten(counting, tmp_path):
    """Whoever deletes by age first: Gradio kept the path for ever, of what it did not delete itself."""
    app, program = counting
    (path,) = program.post("upload", files={"files": ("a.txt", b"text")}).json()
    here = tmp_path / "here.txt"
    here.touch()
    app.upload_file_set.add(str(here))
    Path(path).unlink()
    app._look_for_files = 0
    ask(counting, "double")
    assert app.upload_file_set == {str(here)}
