"""A folder of photos of 1280x960 with one face each, decoding and face finding included, against a plain loop."""

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
from benchmarks.speed.photos import write_photos
from benchmarks.speed.usual import OneByOne
from virtus.analysis import analyze_paths
from virtus.parallel import default_jobs, in_chunks, share_cores

NUM_TURNS = 10
GOAL = 2.5


def report(folder: Path, size: str, args: argparse.Namespace) -> None:  # noqa: ARG001 (as all parts)
    """Print seconds of each in turns of a tenth of the photos, and the ratio."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    loop, num_faces = OneByOne(folder, margin=detector.checkpoint.margin), [0, 0]
    with tempfile.TemporaryDirectory() as photos:
        paths = write_photos(Path(photos), args.data, args.photos)
        loop(paths[:2])
        turns = list(in_chunks(paths, max(1, args.photos // NUM_TURNS)))
        pairs = [
            (_time(_all_threads(loop), turn, num_faces, 0), _time(_own(detector), turn, num_faces, 1)) for turn in turns
        ]
    usual, own = (sum(taken) for taken in zip(*pairs, strict=True))
    print(f"| {args.photos} photos | s | photos/s | faces judged |\n| --- | ---: | ---: | ---: |")
    print(f"| pipeline, MTCNN at 1024 px, one by one | {usual:.0f} | {args.photos / usual:.1f} | {num_faces[0]} |")
    print(f"| Virtus | {own:.0f} | {args.photos / own:.1f} | {num_faces[1]} |")
    middle = statistics.median(one / other for one, other in pairs)
    print(f"\nVirtus is {usual / own:.2f} times as fast (median of the turns {middle:.2f}); the goal is {GOAL}")


def _time(judge: Callable[[Sequence[Path]], int], paths: Sequence[Path], num_faces: list[int], at: int) -> float:
    start = time.perf_counter()
    num_faces[at] += judge(paths)
    return time.perf_counter() - start


def _all_threads(loop: OneByOne) -> Callable[[Sequence[Path]], int]:
    def judge(paths: Sequence[Path]) -> int:
        torch.set_num_threads(os.cpu_count())
        return loop(paths)

    return judge


def _own(detector: virtus.Detector) -> Callable[[Sequence[Path]], int]:
    def judge(paths: Sequence[Path]) -> int:
        torch.set_num_threads(os.cpu_count())
        share_cores(default_jobs())
        reports = analyze_paths(detector, paths, jobs=default_jobs())
        return sum(face.outcome.judged for report in reports for face in report.faces)

    return judge
