"""The command line as users start it, and the same without the seconds that a process takes to load torch."""

import contextlib
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

from virtus.cli.commands import main

ROOT = Path(__file__).parents[2]


def virtus(*arguments, **environment):
    """`python -m virtus`, ended: `returncode`, `stdout` and `stderr` as text."""
    return subprocess.run(
        [sys.executable, "-m", "virtus", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"VIRTUS_CHECKPOINT": "virtus-fast"} | environment,
        check=False,
    )


def virtus_here(*arguments):
    """The same in this process."""
    return run_here(main, *arguments)


def run_here(program, *arguments):
    """What a `main` that is given such arguments returns and prints, as of a process that ended."""
    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8", newline="") for _ in range(2))
    words = [str(argument) for argument in arguments]
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        status = program(words)
    texts = []
    for stream in (output, errors):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return subprocess.CompletedProcess(words, status, *texts)


def heed_ctrl_c() -> None:
    """Called in a process before its program begins: it would ignore SIGINT where tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
