"""The command line as users start it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def virtus(*arguments, **environment):
    """`python -m virtus`, ended: `returncode`, `stdout` and `stderr` as text."""
    return subprocess.run(
        [sys.executable, "-m", "virtus", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"VIRTUS_CHECKPOINT": ""} | environment,
        check=False,
    )
