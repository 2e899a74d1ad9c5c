"""Stopping a server: the exit status, and what it leaves behind."""

import pytest
from gradio_client import Client, handle_file
from gradio_client.utils import Status

from tests.app.conftest import HOPPER, Server, free_port
from tests.support.waiting import wait_until


@pytest.fixture
def start_computing(start):
    """Starts a server, and asks for a report: its maps are tested for seconds."""

    def start_command(*command: str) -> Server:
        running = start(*command)
        asked = Client(running.url, verbose=False).submit(handle_file(HOPPER), api_name="/report")
        wait_until(lambda: asked.status().code == Status.PROCESSING)
        return running

    return start_command


def test_a_server_that_computes_ends_as_any_other(start_computing):
    """One that ended with a thread in torch was aborted."""
    running = start_computing("-m", "virtus", "serve")
    uploads = running.uploads
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert "terminate called" not in running.log.read_text()
    assert not uploads.exists()


def test_who_cannot_wait_stops_it_twice(start_computing):
    """The first Ctrl-C leaves visitors some seconds; the second ends it, and deletes their files all the same."""
    running = start_computing("app.py")
    uploads = running.uploads
    running.process.terminate()
    wait_until(lambda: "closing server" in running.log.read_text())
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert "Traceback" not in running.log.read_text()
    assert not uploads.exists()


def test_a_server_that_is_stopped_while_it_starts_ends_as_any_other_too(tmp_path):
    """It answers a moment before it waits for its end."""
    running = Server(["app.py"], free_port(), tmp_path / "server")
    wait_until(lambda: list((running.folder / "gradio").glob("virtus-visitors-*/*/*.jpg")))  # the examples
    uploads = running.uploads
    running.process.terminate()
    assert running.process.wait(30) == 0
    assert "Traceback" not in running.log.read_text()
    assert not uploads.exists()
