"""What a scan costs by Ray on one machine, and alone: `python -m benchmarks.ray_scan FOLDER [--num 500]`.

CPU seconds are those of all processes together, looked at every quarter of a second: other work on the machine, which
makes wall times worthless, hardly changes them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from virtus.media import list_files

ENGINES = {"local": ["--format", "json"], "ray": ["--workers", "2"]}


def measure(command: list[str]) -> tuple[float, float]:
    """Wall seconds and CPU seconds of a command and of all that it starts."""
    start, spent = time.perf_counter(), {}
    process = psutil.Popen(command, stdout=subprocess.DEVNULL)
    while process.poll() is None:
        spent |= {one.pid: cpu for one in (process, *_below(process)) if (cpu := _cpu_seconds(one)) is not None}
        time.sleep(0.25)
    if process.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.perf_counter() - start, sum(spent.values())


def _below(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _cpu_seconds(process: psutil.Process) -> float | None:
    try:
        return sum(process.cpu_times()[:2])
    except psutil.NoSuchProcess:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--num", type=int, default=500)
    args = parser.parse_args()
    pictures = list(list_files([args.folder]))[: args.num]
    print("| engine | pictures | wall s | CPU s |\n| --- | ---: | ---: | ---: |", flush=True)
    for num in (1, len(pictures)):
        for engine, options in ENGINES.items():
            with tempfile.TemporaryDirectory() as folder:
                out = Path(folder, "rows.parquet" if engine == "ray" else "rows.jsonl")
                scan = [sys.executable, "-m", "virtus", "scan", "--precision", "float32", "--engine", engine, *options]
                wall, cpu = measure([*scan, *(["--out", str(out)] if engine == "ray" else []), *pictures[:num]])
            print(f"| {engine} | {num} | {wall:.0f} | {cpu:.0f} |", flush=True)


if __name__ == "__main__":
    main()
