"""The end of a server that is stopped: by Ctrl-C, or by another program."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator

from virtus.cli import ALL_JUDGED


@contextlib.contextmanager
def stopped_by_signals() -> Iterator[None]:
    """SIGTERM, as `docker stop` sends it, ends the server as Ctrl-C does: with visitors' files deleted."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread alone
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextlib.contextmanager
def ending_here() -> Iterator[None]:
    """For a program that does nothing but serve: the process ends with the block, unless by an error of its own.

    Something may still be computed for visitors. Python's own end would stop those threads wherever they are, and one
    that is in torch then aborts the process: for who supervises it, a crash. Here they just cease, with all of it.
    """
    with contextlib.suppress(KeyboardInterrupt):  # before the server waits for its end, or a second one
        yield
    with contextlib.suppress(BrokenPipeError):  # `virtus serve | head`
        sys.stdout.flush()
    os._exit(ALL_JUDGED)
