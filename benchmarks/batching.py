"""Would it help to judge crops of several visitors together? `python -m benchmarks.batching [--size base]`.

Milliseconds a crop for several in one call, and for two threads of one each, which is what the app does. On a busy
machine only the CPU time says something, with OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

import virtus
from benchmarks.speed import SIZES, write_model
from virtus.faces import whole_image

TOGETHER = (1, 2, 4, 8)


def milliseconds(call: Callable[[], object], crops: int) -> tuple[float, float]:
    """Of wall clock and of CPU, for each crop."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return (time.perf_counter() - wall) / crops * 1000, (time.process_time() - cpu) / crops * 1000


def in_threads(call: Callable[[], object]) -> None:
    """Two at once."""
    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=10)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), args.size)
        detector = virtus.Detector(virtus.load_checkpoint(folder, precision=args.precision))
    pixels = np.random.default_rng(0).integers(0, 256, (max(TOGETHER), 224, 224, 3), dtype=np.uint8)
    crops = [whole_image(Image.fromarray(one)) for one in pixels]
    calls = {f"{count} in a call": (lambda own=crops[:count]: detector.predict(own), count) for count in TOGETHER}
    calls["1 in each of two threads"] = (lambda: in_threads(lambda: detector.predict(crops[:1])), 2)
    times = [{name: milliseconds(*call) for name, call in calls.items()} for _ in range(args.rounds + 1)][1:]
    print(f"DeiT-{args.size}\n\n| crops | median ms a crop | CPU ms a crop |\n| --- | ---: | ---: |")
    for name in calls:
        wall, cpu = (statistics.median(taken[name][which] for taken in times) for which in (0, 1))
        print(f"| {name} | {wall:.1f} | {cpu:.1f} |")


if __name__ == "__main__":
    main()
