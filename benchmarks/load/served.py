"""The app as users start it, for measuring it from outside."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import IO


@contextmanager
def served_app(*options: str, stderr: IO | None = None) -> Iterator[tuple[str, int]]:
    """Start the app, wait for its first page, give its address and process id, stop it."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "virtus", "serve", "--port", str(port), *options]
    app = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=stderr)
    url = f"http://127.0.0.1:{port}/"
    try:
        while not _answers(url):
            if app.poll() is not None:
                raise SystemExit("the app did not start")
            time.sleep(0.05)
        yield url, app.pid
    finally:
        app.terminate()
        app.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False
