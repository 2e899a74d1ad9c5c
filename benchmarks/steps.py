"""Milliseconds of each step on one photo, interleaved in one run: `python -m benchmarks.steps`."""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import virtus
from virtus.explain import explain
from virtus.faces import crop_face, find_faces
from virtus.images import load_image
from virtus.overlay import overlay_photo

PHOTO = Path(virtus.__file__).parent / "assets" / "examples" / "eileen-collins.jpg"


def steps(detector: virtus.Detector, photo: Path) -> dict[str, Callable[[], object]]:
    """What a verdict with two maps consists of, each step on the result of the one before."""
    image = load_image(photo)
    face = find_faces(image)[0]
    crop = crop_face(image, face, margin=detector.checkpoint.margin)
    state = detector.encode([crop])
    heatmap = explain(state, method="rollout")[0].heatmap
    return {
        "load the photo": lambda: load_image(photo),
        "find faces": lambda: find_faces(image),
        "crop and transform": lambda: detector.checkpoint.transform(
            crop_face(image, face, margin=detector.checkpoint.margin).image
        ),
        "predict": lambda: detector.predict([crop]),
        "encode (kept for maps)": lambda: detector.encode([crop]),
        "rollout": lambda: explain(state, method="rollout"),
        "Grad-CAM": lambda: explain(state, method="gradcam", target="fake"),
        "overlay on the photo": lambda: overlay_photo(image, crop, heatmap),
    }


def measure(work: dict[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each, in turns, so that a noisy machine disturbs all alike; the first round is not counted."""
    times = defaultdict(list)
    for turn in range(rounds + 1):
        for name, step in work.items():
            start = time.perf_counter()
            step()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--photo", type=Path, default=PHOTO)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    start = time.perf_counter()
    checkpoint = virtus.load_checkpoint(args.model, precision=args.precision)
    loaded = 1000 * (time.perf_counter() - start)
    times = measure(steps(virtus.Detector(checkpoint), args.photo), args.rounds)
    print(f"{checkpoint.info.name}, {checkpoint.trunk.device}, {checkpoint.trunk.dtype}; {args.photo.name}\n")
    print("| step | median ms | least ms |\n| --- | ---: | ---: |")
    print(f"| load the checkpoint (once, imports included) | {loaded:.0f} | |")
    for name, taken in times.items():
        print(f"| {name} | {statistics.median(taken):.1f} | {min(taken):.1f} |")


if __name__ == "__main__":
    main()
