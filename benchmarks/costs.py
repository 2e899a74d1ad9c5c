"""What verdicts cost by each checkpoint, in turns: `python -m benchmarks.costs DATA --models virtus-base virtus-fast`.

All are whole processes: `scan` of one photo, of `--photos` photos of 1280x960 with a face each, of a clip (32 frames),
and the app, asked once as it starts and then `--asked` times. Seconds of the clock say little beside other work;
seconds of all cores say what a process used itself. (Linux)
"""

from __future__ import annotations

import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from gradio_client import Client, handle_file

from benchmarks import parser
from benchmarks.load.served import peak_mib, served_app, used_s
from benchmarks.speed.material import write_photos
from benchmarks.steps import PHOTO

MANY = 100_000  # photos, that hours are given for
CLIP = Path("videos", "real", "000.mp4")
Costs = dict[str, float]


@dataclass(frozen=True)
class Usage:
    """Of a process that has ended: seconds of the clock, of all cores, and peak resident memory."""

    wall_s: float
    cores_s: float
    peak_mib: float


def usage_of(*arguments: str | Path) -> Usage:
    """What Python used with these arguments."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, *map(str, arguments)], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: something could not be judged
        raise SystemExit(f"{' '.join(map(str, arguments))} ended with {process.returncode}")
    return Usage(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def costs_of_scans(model: str, photos: Path, clip: Path) -> Costs:
    one, many, frames = (
        usage_of("-m", "virtus", "scan", path, "--model", model, "--format", "json") for path in (PHOTO, photos, clip)
    )
    more = len(list(photos.iterdir())) - 1
    each_s, each_cores_s = (many.wall_s - one.wall_s) / more, (many.cores_s - one.cores_s) / more
    return {
        "scan of one photo, s": one.wall_s,
        "of all cores, s": one.cores_s,
        "its peak memory, MiB": one.peak_mib,
        f"scan of {more + 1} photos: photos/s after the first": 1 / each_s,
        f"hours for {MANY:,}": each_s * MANY / 3600,
        "of all cores, ms a photo": 1000 * each_cores_s,
        f"hours of one core for {MANY:,}": each_cores_s * MANY / 3600,
        "peak memory of that scan, MiB": many.peak_mib,
        "clip of 32 frames, s": frames.wall_s,
        "clip, of all cores, s": frames.cores_s,
        "peak memory of the clip, MiB": frames.peak_mib,
    }


def costs_of_app(model: str, asked: int) -> Costs:
    start = time.perf_counter()
    with served_app("--model", model) as (url, pid), contextlib.redirect_stdout(io.StringIO()):
        page_s, page_cores_s = time.perf_counter() - start, used_s(pid)
        client, answered, used = Client(url, verbose=False), [], []
        for _ in range(1 + asked):
            client.predict(handle_file(str(PHOTO)), api_name="/analyze")
            answered.append(time.perf_counter())
            used.append(used_s(pid))
        return {
            "app: first page, s": page_s,
            "app: first page, of all cores, s": page_cores_s,
            "app: first verdict, s": answered[0] - start,
            "app: first verdict, of all cores, s": used[0],
            "app: each of the next, s": (answered[-1] - answered[0]) / asked,
            "app: each of the next, of all cores, s": (used[-1] - used[0]) / asked,
            "app: peak memory, MiB": peak_mib(pid),
        }


def main() -> None:
    options = parser(__doc__, data=True, photos=40, asked=5, turns=3)
    options.add_argument("--models", nargs="+", default=["virtus-base", "virtus-fast"])
    args, found = options.parse_args(), defaultdict(lambda: defaultdict(list))
    with tempfile.TemporaryDirectory() as folder:
        write_photos(Path(folder), args.data, args.photos)
        for _ in range(args.turns):
            for model in args.models:
                costs = costs_of_scans(model, Path(folder), args.data / CLIP) | costs_of_app(model, args.asked)
                for what, value in costs.items():
                    found[what][model].append(value)
    print(f"| median of {args.turns} turns | {' | '.join(args.models)} | first against last (turn by turn) |")
    print("| --- |" + " ---: |" * (len(args.models) + 1))
    for what, by_model in found.items():
        first, last = by_model[args.models[0]], by_model[args.models[-1]]
        ratios = [one / other for one, other in zip(first, last, strict=True)]
        middle = [statistics.median(by_model[model]) for model in args.models]
        cells = [f"{value:,.0f}" if value >= 100 else f"{value:.3g}" for value in middle]
        cells += [f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"]
        print(f"| {what} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
