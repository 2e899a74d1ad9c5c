"""Other ways to start the app, and what it does when that fails."""

import asyncio
import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest
from gradio import http_server
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.app.conftest import free_port
from virtus.app import build_app, serve
from virtus.app.server.serving import launch_settings
from virtus.errors import CheckpointError, InputError

NOT_OURS = "192.0.2.1"  # of nobody: kept for documentation (RFC 5737)
ROOT = Path(__file__).parents[3]


def test_auth_asks_for_a_login():
    app = build_app()
    _, url, _ = app.launch(auth=("user", "secret"), prevent_thread_lock=True, quiet=True, **launch_settings())
    try:
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{url}config")
        assert caught.value.code == 401
    finally:
        app.close()


def test_a_taken_port_is_said_in_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port {port}.*Choose another"):
            serve(port=port)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # so uvicorn ends its thread
def test_a_start_that_takes_long_is_waited_for_and_one_that_fails_is_not(monkeypatch):
    """Gradio gave up after five seconds, which a busy machine needed, and the app blamed another program."""
    hurried = SimpleNamespace(time=itertools.count(0, 6).__next__, sleep=time.sleep)  # six seconds between two looks
    monkeypatch.setattr(http_server, "time", hurried)

    @contextlib.asynccontextmanager
    async def slowly(_):
        await asyncio.sleep(0.3)
        yield

    page = Route("/", lambda _: PlainTextResponse("here"))
    *_, url, server = http_server.start_server(Starlette(routes=[page], lifespan=slowly))
    with contextlib.closing(server), urllib.request.urlopen(url) as answer:
        assert answer.read() == b"here"
    with pytest.raises(InputError, match=f"of {NOT_OURS}: .*no address of this machine"):
        serve(host=NOT_OURS, port=free_port())


@pytest.mark.parametrize(
    ("command", "port"),
    [(["app.py"], "abc"), (["-m", "virtus", "serve"], ""), (["-m", "virtus", "serve"], "99999")],
)
def test_a_port_of_the_environment_that_is_none_is_said_in_a_sentence(command, port):
    environment = os.environ | {"GRADIO_SERVER_PORT": port}
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, cwd=ROOT)
    assert done.returncode != 0
    assert done.stderr.startswith(
        "virtus: The environment variable GRADIO_SERVER_PORT must be a number from 1 to 65535"
    )
    assert "Traceback" not in done.stderr


def test_a_checkpoint_that_there_is_not_stops_the_start():
    with pytest.raises(CheckpointError):
        serve(model="./no-such-folder")


def test_another_checkpoint_that_there_is_not_stops_the_start_too():
    with pytest.raises(CheckpointError, match="no-such-folder"):
        serve(others=["./no-such-folder"])
