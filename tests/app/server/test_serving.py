"""Other ways to start the app, and what it does when that fails."""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from virtus.app import build_app, serve
from virtus.app.server.serving import launch_settings
from virtus.errors import CheckpointError, InputError

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
