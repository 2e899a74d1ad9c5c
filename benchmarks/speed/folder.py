"""`python -m benchmarks.speed --part folder`: a folder of photos of 1280x960, read, searched and judged."""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

import virtus
from benchmarks.speed.material import write_photos
from benchmarks.speed.usual import one_by_one
from virtus.analysis import analyze_paths
from virtus.parallel import default_jobs, in_chunks, share_cores

NUM_TURNS = 10
GOAL = 2.5


def report(folder: Path, args: argparse.Namespace) -> None:
    """Print seconds of each in turns of a tenth of the photos, and the ratio."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    loop, num_faces = one_by_one(folder, margin=detector.checkpoint.margin), [0, 0]

    def own(paths: Sequence[Path]) -> int:
        share_cores(default_jobs())
        reports = analyze_paths(detector, paths, jobs=default_jobs())
        return sum(face.outcome.judged for report in reports for face in report.faces)

    def timed(judge: Callable[[Sequence[Path]], int], paths: Sequence[Path], at: int) -> float:
        torch.set_num_threads(os.cpu_count())
        start = time.perf_counter()
        num_faces[at] += judge(paths)
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as photos:
        paths = write_photos(Path(photos), args.data, args.photos)
        loop(paths[:2])
        turns = list(in_chunks(paths, max(1, args.photos // NUM_TURNS)))
        pairs = [(timed(loop, turn, 0), timed(own, turn, 1)) for turn in turns]
    usual, ours = (sum(taken) for taken in zip(*pairs, strict=True))
    print(f"| {args.photos} photos | s | photos/s | faces judged |\n| --- | ---: | ---: | ---: |")
    print(f"| pipeline, MTCNN at 1024 px, one by one | {usual:.0f} | {args.photos / usual:.1f} | {num_faces[0]} |")
    print(f"| Virtus | {ours:.0f} | {args.photos / ours:.1f} | {num_faces[1]} |")
    middle = statistics.median(one / other for one, other in pairs)
    print(f"\nVirtus is {usual / ours:.2f} times as fast (median of the turns {middle:.2f}); the goal is {GOAL}")
