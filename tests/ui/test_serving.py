"""Other ways to start the app, and what it does when that fails."""

import socket
import urllib.error
import urllib.request

import pytest

from virtus.errors import CheckpointError, InputError
from virtus.ui import build_app, serve
from virtus.ui.serving import launch_settings


def test_app_py_serves_where_the_environment_says(start):
    with urllib.request.urlopen(start("app.py").url) as answer:
        assert "Virtus" in answer.read().decode()


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


def test_a_checkpoint_that_there_is_not_stops_the_start():
    with pytest.raises(CheckpointError):
        serve(model="./no-such-folder")


def test_another_checkpoint_that_there_is_not_stops_the_start_too():
    with pytest.raises(CheckpointError, match="no-such-folder"):
        serve(others=["./no-such-folder"])
