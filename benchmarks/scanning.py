"""A scan of very many small pictures, killed and resumed: `python -m benchmarks.scanning [--num 100000]` (Linux).

The pictures are made first, all in one folder. The command line is run as users run it, killed with SIGKILL once 5 %
and once 10 % of the rows are there, and resumed; the last run, of the remaining 90 %, is looked at in three parts.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import parser
from benchmarks.load.served import resident_mib

SIDE, QUALITY, SAMPLE_S = 128, 80, 0.5
KILLED_AT = (0.05, 0.10)


@dataclass(frozen=True)
class Moment:
    """Of a running scan: seconds since its start, rows in its file, resident memory."""

    seconds: float
    rows: int
    mib: float


def make_pictures(folder: Path, num: int) -> None:
    """Distinct JPEGs of soft coloured noise."""
    draw = np.random.default_rng(0)
    for index in range(num):
        cells = Image.fromarray(draw.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        cells.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(folder / f"{index:07}.jpg", quality=QUALITY)


class Tail:
    """Counts the lines of a growing file."""

    def __init__(self, path: Path):
        self.path, self.at, self.lines = path, 0, 0

    def count(self) -> int:
        if self.path.exists():
            with self.path.open("rb") as stream:
                stream.seek(self.at)
                new = stream.read()
            self.at, self.lines = self.at + len(new), self.lines + new.count(b"\n")
        return self.lines


def run_scan(folder: Path, out: Path, jobs: int, kill_at: int | None) -> tuple[list[Moment], int]:
    """One run of the command line, until its end or until so many rows are there; its samples and exit status."""
    how = ["--whole-image", "--model", "virtus-fast", "--out", str(out), "--resume", "--jobs", str(jobs)]
    start, samples, tail = time.perf_counter(), [], Tail(out)
    scan = subprocess.Popen([sys.executable, "-m", "virtus", "scan", str(folder), *how])
    while scan.poll() is None:
        samples.append(Moment(time.perf_counter() - start, tail.count(), resident_mib(scan.pid)))
        if kill_at is not None and samples[-1].rows >= kill_at:
            scan.send_signal(signal.SIGKILL)
            break
        time.sleep(SAMPLE_S)
    return samples, scan.wait()


def parts_of(samples: Sequence[Moment], names: Sequence[str]) -> list[tuple[str, float, float, float]]:
    """Of each part of the rows: its name, images/s, greatest and median memory, from the first row on."""
    samples = [one for one in samples if one.rows > samples[0].rows]
    first, last = samples[0].rows, samples[-1].rows
    bounds = [first + (last - first) * at / len(names) for at in range(len(names) + 1)]
    parts = []
    for name, low, high in zip(names, bounds, bounds[1:], strict=False):
        within = [one for one in samples if low <= one.rows <= high]
        rate = (within[-1].rows - within[0].rows) / (within[-1].seconds - within[0].seconds)
        memory = [one.mib for one in within]
        parts.append((name, rate, max(memory), statistics.median(memory)))
    return parts


def check(folder: Path, out: Path) -> str:
    """Every picture has exactly one row, in order, and each was judged."""
    expected = sorted(str(path) for path in folder.iterdir())
    with out.open(encoding="utf-8") as stream:
        rows = [(row["path"], len(row["faces"])) for row in map(json.loads, stream)]
    if rows != [(path, 1) for path in expected]:
        raise SystemExit(f"WRONG: {len(rows)} rows, {len(dict(rows))} paths, for {len(expected)} pictures")
    return f"{len(rows):,} rows for {len(expected):,} pictures, each once, in order"


def main() -> None:
    args = parser(__doc__, num=100_000, jobs=os.cpu_count()).parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder, out = Path(temporary, "pictures"), Path(temporary, "rows.jsonl")
        folder.mkdir()
        make_pictures(folder, args.num)
        start, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        for share in KILLED_AT:
            samples, status = run_scan(folder, out, args.jobs, int(share * args.num))
            peak = max(one.mib for one in samples)
            print(f"killed ({status}) at {samples[-1].rows:,} rows, peak {peak:.0f} MiB", flush=True)
        samples, status = run_scan(folder, out, args.jobs, None)
        wall, now = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
        print(f"resumed, ended with status {status}: {check(folder, out)}\n")
    first_row = next(one.seconds for one in samples if one.rows > samples[0].rows)
    print("| part of the last run | images/s | peak MiB | median MiB |\n| --- | ---: | ---: | ---: |")
    for name, rate, peak, median in parts_of(samples, ("first third", "middle third", "last third")):
        print(f"| {name} | {rate:.1f} | {peak:.0f} | {median:.0f} |")
    print(f"\n{wall:.0f} s in all, {first_row:.0f} s from the last start to its first row; {cpu / wall:.2f} of")
    print(f"{os.cpu_count()} cores on average, {1000 * cpu / args.num:.1f} ms of a core for each picture")


if __name__ == "__main__":
    main()
