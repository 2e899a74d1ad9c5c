"""The app as users start it, measured from outside: for `python -m benchmarks.load` and others."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
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


def peak_mib(pid: int) -> float:
    """The kernel's high-water mark of resident memory (Linux)."""
    return _status_mib(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """Resident memory now (Linux)."""
    return _status_mib(pid, "VmRSS")


def used_s(pid: int) -> float:
    """Seconds that a process has spent on all cores, its ended threads' too (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _status_mib(pid: int, field: str) -> float:
    """0 for a process that has just ended."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next((line.split()[1] for line in lines if line.startswith(field)), 0)) / 1024


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False
