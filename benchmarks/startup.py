"""Seconds until the command line and the app answer, and the size of the clone: `python -m benchmarks.startup`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

from benchmarks.served import served_app
from benchmarks.steps import PHOTO

LIBRARIES = "import torch, transformers, facenet_pytorch"


def time_command(*arguments: str) -> float:
    """Seconds that Python takes with these arguments."""
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=False, capture_output=True)
    return time.perf_counter() - start


def time_app() -> float:
    """Seconds from starting the app to its first page."""
    start = time.perf_counter()
    with served_app():
        return time.perf_counter() - start


def main() -> None:
    work = {
        "virtus --help": lambda: time_command("-m", "virtus", "--help"),
        f'python -c "{LIBRARIES}"': lambda: time_command("-c", LIBRARIES),
        "virtus scan one.jpg": lambda: time_command("-m", "virtus", "scan", str(PHOTO)),
        "app to its first page": time_app,
    }
    times = [{name: one() for name, one in work.items()} for _ in range(4)][1:]  # the first fills disk caches
    print("| what | median s |\n| --- | ---: |")
    for name in work:
        print(f"| {name} | {statistics.median(taken[name] for taken in times):.2f} |")
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    packed = subprocess.run(["git", "count-objects", "-vH"], check=True, capture_output=True, text=True).stdout
    print(f"\n{len(files.split(chr(0))) - 1} files; git objects:\n{packed}")


if __name__ == "__main__":
    main()
