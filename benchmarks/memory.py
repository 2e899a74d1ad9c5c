"""Peak memory of the app over many analyses: `python -m benchmarks.memory [--analyses 100]`."""

from __future__ import annotations

import argparse
from pathlib import Path

from gradio_client import Client, handle_file

from benchmarks.load.served import served_app
from benchmarks.steps import PHOTO


def peak_mib(pid: int) -> float:
    """The kernel's high-water mark of resident memory (Linux)."""
    return _status_mib(pid, "VmHWM")


def resident_mib(pid: int) -> float:
    """Resident memory now (Linux)."""
    return _status_mib(pid, "VmRSS")


def _status_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--analyses", type=int, default=100)
    args = parser.parse_args()
    photos = sorted(PHOTO.parent.glob("*.jpg"))
    print("| analyses | peak MiB |\n| ---: | ---: |")
    with served_app() as (url, pid):
        client = Client(url, verbose=False)
        for count in range(1, args.analyses + 1):
            photo = handle_file(photos[count % len(photos)])
            client.predict(photo, api_name="/analyze")
            client.predict(photo, api_name="/explain")
            if count in (1, 10, args.analyses // 2, args.analyses):
                print(f"| {count} | {peak_mib(pid):.0f} |", flush=True)


if __name__ == "__main__":
    main()
