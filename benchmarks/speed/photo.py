"""`python -m benchmarks.speed --part photo`: one photo after the other, from the file to its verdict and first maps.

Beside it the same path by stock parts: decode, facenet-pytorch's MTCNN at 1024 px, the same crop, the pipeline in
float32. With one thread, and with all of them; a photo by both in turn.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import virtus
from benchmarks.speed.material import write_photos
from benchmarks.speed.model import one_by_one
from benchmarks.steps import measure
from virtus.drawing import data_uri, draw_layer, trace_top
from virtus.explain import DEFAULT_METHOD, explain
from virtus.faces import crop_face, find_faces
from virtus.judging import analyze_image
from virtus.media import load_image
from virtus.results import Label

NUM_PHOTOS = 12
OWN, STOCK = "Virtus, file to verdict", "stock parts, file to verdict"
LAYER = (256, 256)  # pixels, as the app draws them
METHODS = ("rollout", DEFAULT_METHOD)


def report_photo(folder: Path, args: argparse.Namespace) -> None:
    """Print medians over photos and rounds, and how many times as fast each photo was."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    judge = one_by_one(folder, margin=detector.checkpoint.margin)
    print("| threads | what | median ms | least | most of a photo |\n| ---: | --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as scratch:
        paths = write_photos(Path(scratch), args.data, NUM_PHOTOS)
        for threads in sorted({1, os.cpu_count() or 1}):
            torch.set_num_threads(threads)
            _print_times([measure(_work(detector, judge, path), args.rounds) for path in paths], threads)


def _work(detector: virtus.Detector, judge: Callable, path: Path) -> dict[str, Callable[[], object]]:
    image = load_image(path)
    crop = crop_face(image, find_faces(image)[0], margin=detector.checkpoint.margin)
    state = detector.encode([crop])

    def draw(method: str) -> None:
        heatmap = explain(state, method=method, target=Label.FAKE)[0].heatmap
        data_uri(draw_layer(heatmap, LAYER))
        trace_top(heatmap)

    work: dict[str, Callable[[], object]] = {f"then a map, {method}": partial(draw, method) for method in METHODS}
    return {OWN: lambda: analyze_image(detector, path), STOCK: lambda: judge([path])} | work


def _print_times(photos: list[dict[str, list[float]]], threads: int) -> None:
    medians = {name: [statistics.median(times[name]) for times in photos] for name in photos[0]}
    for name, each in medians.items():
        least = min(min(times[name]) for times in photos)
        print(f"| {threads} | {name} | {statistics.median(each):.1f} | {least:.1f} | {max(each):.1f} |")
    ratios = [stock / own for own, stock in zip(medians[OWN], medians[STOCK], strict=True)]
    figures = (statistics.median(ratios), min(ratios), max(ratios))
    print(f"| {threads} | times as fast | {' | '.join(f'{figure:.2f}' for figure in figures)} |", flush=True)
