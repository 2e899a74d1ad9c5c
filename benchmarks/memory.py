"""Peak memory of the app over many analyses: `python -m benchmarks.memory [--analyses 100]`."""

from __future__ import annotations

import argparse
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from gradio_client import Client, handle_file

from benchmarks.speed import PHOTO
from benchmarks.startup import answers


def peak_mib(pid: int) -> float:
    """The kernel's high-water mark of resident memory (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analyses", type=int, default=100)
    args = parser.parse_args()
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = subprocess.Popen([sys.executable, "-m", "virtus", "serve", "--port", str(port)], stdout=subprocess.DEVNULL)
    try:
        while not answers(f"http://127.0.0.1:{port}/"):
            time.sleep(0.2)
        client = Client(f"http://127.0.0.1:{port}", verbose=False)
        photos = sorted(PHOTO.parent.glob("*.jpg"))
        print("| analyses | peak MiB |\n| ---: | ---: |")
        for count in range(1, args.analyses + 1):
            photo = handle_file(photos[count % len(photos)])
            client.predict(photo, api_name="/analyze")
            client.predict(photo, api_name="/explain")
            if count in (1, 10, args.analyses // 2, args.analyses):
                print(f"| {count} | {peak_mib(app.pid):.0f} |", flush=True)
    finally:
        app.terminate()
        app.wait()


if __name__ == "__main__":
    main()
