"""The command line as users start it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

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


def heed_ctrl_c() -> None:
    """Called in a process before its program begins: it would ignore SIGINT where tests run in the background."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
