"""Seconds until the command line and the app answer, in turns: `python -m benchmarks.startup`.

`--against FOLDER` measures another checkout of the project in the same turns, such as an earlier commit's.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from gradio_client import Client, handle_file

from benchmarks.load.served import served_app
from benchmarks.steps import PHOTO
from virtus.cli import count

LIBRARIES = "import torch, transformers, facenet_pytorch"
REFERENCE = f'`python -c "{LIBRARIES}"`'
NUM_ROUNDS = 5


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


def measure() -> dict[str, float]:
    """Seconds of everything, once, of the checkout that is the current folder."""
    taken = {"`virtus --help`": time_command("-m", "virtus", "--help")}
    taken["`virtus scan --help`"] = time_command("-m", "virtus", "scan", "--help")
    taken["`virtus scan one.jpg`"] = time_command("-m", "virtus", "scan", str(PHOTO))
    taken["app: first page"], taken["app: first verdict"] = time_app()
    return taken


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Commands that are started meanwhile find the package of that checkout."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def one_round(folders: dict[str, Path]) -> dict[tuple[str, str], float]:
    """Seconds by what was measured and in which checkout; the libraries alone are measured once."""
    found = {(REFERENCE, name): seconds for seconds in [time_command("-c", LIBRARIES)] for name in folders}
    for name, folder in folders.items():
        with inside(folder):
            found |= {(what, name): seconds for what, seconds in measure().items()}
    return found


def table(rounds: list[dict[tuple[str, str], float]], names: list[str]) -> Iterator[str]:
    """Medians, and each as a share of the reference of the same checkout."""
    times = defaultdict(list)
    for one in rounds:
        for key, seconds in one.items():
            times[key].append(seconds)
    median = {key: statistics.median(seconds) for key, seconds in times.items()}
    yield f"| what | {' | '.join(f'{name}, s | of the libraries' for name in names)} |"
    yield f"| --- |{' ---: | ---: |' * len(names)}"
    for what in dict.fromkeys(what for what, _ in median):
        cells = [f"{median[what, name]:.2f} | {median[what, name] / median[REFERENCE, name]:.2f}" for name in names]
        yield f"| {what} | {' | '.join(cells)} |"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="another checkout, measured in turns with this")
    parser.add_argument(
        "--rounds", type=count, default=NUM_ROUNDS, metavar="N", help="after one that fills disk caches"
    )
    return parser.parse_args()


def main() -> None:
    args = arguments()
    folders = {"this": Path.cwd()} | ({"the other": args.against.resolve()} if args.against else {})
    with tempfile.TemporaryDirectory() as folder:  # of its own: another app that stops clears the usual one
        os.environ["GRADIO_TEMP_DIR"] = folder
        rounds = [one_round(folders) for _ in range(1 + args.rounds)][1:]
    print("\n".join(table(rounds, list(folders))))
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    packed = subprocess.run(["git", "count-objects", "-vH"], check=True, capture_output=True, text=True).stdout
    print(f"\n{len(files.split(chr(0))) - 1} files; git objects:\n{packed}")


if __name__ == "__main__":
    main()
