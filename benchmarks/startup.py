"""Seconds until the command line and the app answer: `python -m benchmarks.startup`."""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time

from gradio_client import Client, handle_file

from benchmarks import parser
from benchmarks.load.served import served_app
from benchmarks.steps import PHOTO

LIBRARIES = "import torch, transformers, facenet_pytorch"
REFERENCE = f'`python -c "{LIBRARIES}"`'


def time_command(*arguments: str) -> float:
    """Seconds that Python takes with these arguments."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - start


def time_app() -> tuple[float, float]:
    """Seconds from starting the app to its first page, and to the verdict of who asks as soon as there is one."""
    start = time.perf_counter()
    with served_app() as (url, _), contextlib.redirect_stdout(io.StringIO()):
        page = time.perf_counter() - start
        Client(url, verbose=False).predict(handle_file(str(PHOTO)), api_name="/analyze")
        return page, time.perf_counter() - start


def one_round() -> dict[str, float]:
    """Seconds of everything, once."""
    taken = {REFERENCE: time_command("-c", LIBRARIES), "`virtus --help`": time_command("-m", "virtus", "--help")}
    taken["`virtus scan --help`"] = time_command("-m", "virtus", "scan", "--help")
    taken["`virtus scan one.jpg`"] = time_command("-m", "virtus", "scan", str(PHOTO))
    taken["app: first page"], taken["app: first verdict"] = time_app()
    return taken


def main() -> None:
    args = parser(__doc__, rounds=5).parse_args()
    with tempfile.TemporaryDirectory() as folder:  # of its own: another app that stops clears the usual one
        os.environ["GRADIO_TEMP_DIR"] = folder
        rounds = [one_round() for _ in range(1 + args.rounds)][1:]  # the first fills disk caches
    print("| what | s | of the libraries |\n| --- | ---: | ---: |")
    median = {what: statistics.median(one[what] for one in rounds) for what in rounds[0]}
    for what, seconds in median.items():
        print(f"| {what} | {seconds:.2f} | {seconds / median[REFERENCE]:.2f} |")


if __name__ == "__main__":
    main()
