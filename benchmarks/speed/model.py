"""`python -m benchmarks.speed --part model`: a verdict, many, one with maps, on ready-made crops; the matrix rate."""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image

import virtus
from benchmarks.speed.material import OPERATIONS, multiply, val_pictures, verdict_operations
from benchmarks.speed.usual import maps_of, pipeline_of
from benchmarks.steps import measure
from virtus.explain import explain
from virtus.faces import whole_image
from virtus.models import Trunk

BULK = 64  # crops
GOALS = {  # one, other: the first at least so many times as fast
    ("pipeline, a verdict", "a verdict"): 2.2,
    ("pipeline, bulk", "bulk"): 4,
    ("usual stack, verdict and maps", "verdict and maps"): 8,
    ("a verdict", "verdict and maps"): 1 / 1.5,
}


def report(folder: Path, args: argparse.Namespace) -> None:
    """Print milliseconds of each, ratios, and the share of the matrix rate."""
    pictures = [Image.open(path).convert("RGB").resize((224, 224)) for path in val_pictures(args.data, BULK)]
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    times = measure(own(detector, pictures) | usual(folder, pictures) | rates(), args.rounds)
    print(f"{detector.checkpoint.trunk.dtype}\n\n| what | median ms | least ms |\n| --- | ---: | ---: |")
    for name, taken in times.items():
        print(f"| {name} | {statistics.median(taken):.1f} | {min(taken):.1f} |")
    times["pipeline, bulk"] = min(
        (times.pop("pipeline, bulk"), times.pop("pipeline, bulk, by 8")), key=statistics.median
    )
    print("\n| how many times as fast | by medians | by the least | goal |\n| --- | ---: | ---: | ---: |")
    for (other, one), goal in GOALS.items():
        ratios = [figure(times[other]) / figure(times[one]) for figure in (statistics.median, min)]
        print(f"| {one} than {other} | {ratios[0]:.2f} | {ratios[1]:.2f} | {goal:.2f} |")
    _print_share(times, detector.checkpoint.trunk)


def own(detector: virtus.Detector, pictures: list[Image.Image]) -> dict[str, Callable[[], object]]:
    crops = [whole_image(picture) for picture in pictures]

    def with_maps() -> None:
        state = detector.encode(crops[:1])
        detector.predict_state(state)
        explain(state, method="rollout")
        explain(state, method="gradcam", target="fake")

    one, many = (lambda: detector.predict(crops[:1])), (lambda: detector.predict(crops))
    return {"a verdict": one, "bulk": many, "verdict and maps": with_maps}


def usual(folder: Path, pictures: list[Image.Image]) -> dict[str, Callable[[], object]]:
    """The pipeline with and without batches, for it is not the same machine that each is faster on."""
    classify, maps = pipeline_of(folder), maps_of(folder)
    return {
        "pipeline, a verdict": lambda: classify(pictures[0]),
        "pipeline, bulk": lambda: classify(pictures),
        "pipeline, bulk, by 8": lambda: classify(pictures, batch_size=8),
        "usual stack, verdict and maps": lambda: (classify(pictures[0]), maps(pictures[0])),
    }


def rates() -> dict[str, Callable[[], object]]:
    return {f"matrix product, {name}": multiply(getattr(torch, name)) for name in ("bfloat16", "float32")}


def _print_share(times: dict[str, list[float]], trunk: Trunk) -> None:
    """Both by the least time: what machine and model do undisturbed."""
    rate = OPERATIONS / min(times[f"matrix product, {str(trunk.dtype).removeprefix('torch.')}"]) / 1e6
    reached = BULK * verdict_operations(trunk) / min(times["bulk"]) / 1e6
    print(f"\nBulk reaches {reached:.0f} of {rate:.0f} GFLOP/s: {reached / rate:.0%} of the matrix rate (goal: 75%)")
