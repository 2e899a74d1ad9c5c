"""Seconds until the command line and the app answer, and the size of the clone: `python -m benchmarks.startup`."""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import closing

from benchmarks.speed import PHOTO

LIBRARIES = "import torch, transformers, facenet_pytorch"


def run(*command: str) -> None:
    subprocess.run([sys.executable, *command], check=False, capture_output=True)


def wait_for_app() -> None:
    """From starting the app to its first page."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen([sys.executable, "-m", "virtus", "serve", "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            time.sleep(0.05)
    finally:
        app.terminate()
        app.wait()


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main() -> None:
    work = {
        "virtus --help": lambda: run("-m", "virtus", "--help"),
        f'python -c "{LIBRARIES}"': lambda: run("-c", LIBRARIES),
        "virtus scan one.jpg": lambda: run("-m", "virtus", "scan", str(PHOTO)),
        "app to its first page": wait_for_app,
    }
    times = [{name: seconds(one) for name, one in work.items()} for _ in range(4)][1:]  # the first fills disk caches
    print("| what | median s |\n| --- | ---: |")
    for name in work:
        print(f"| {name} | {statistics.median(taken[name] for taken in times):.2f} |")
    files = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    packed = subprocess.run(["git", "count-objects", "-vH"], check=True, capture_output=True, text=True).stdout
    print(f"\n{len(files.split(chr(0))) - 1} files; git objects:\n{packed}")


if __name__ == "__main__":
    main()
