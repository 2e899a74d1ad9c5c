"""Where the time of one photo goes, steps interleaved: `python -m benchmarks.steps`.

`--cores` counts what all cores spent, not the clock, which says little beside other work, and leaves out the app. With
`ONEDNN_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2` in the environment and `--precision float32` it is that of a CPU with
AVX2 alone.
"""

from __future__ import annotations

import contextlib
import io
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import torch
from gradio_client import Client, handle_file

import virtus
from benchmarks import parser
from benchmarks.load.served import served_app
from virtus.bundled import ASSETS
from virtus.drawing import jpeg_uri, overlay_photo
from virtus.explain import explain
from virtus.faces import crop_face, find_faces
from virtus.judging import analyze_image
from virtus.media import load_image

PHOTO = ASSETS / "examples" / "eileen-collins.jpg"
WHOLE, APP = "all of a verdict", "the same from the app"
VERDICT = ("decode", "detect", "crop", "transform", "trunk", "tail")


def steps(detector: virtus.Detector, photo: Path) -> dict[str, Callable[[], object]]:
    """What a verdict with two maps consists of, each step on the result of the one before."""
    image, trunk = load_image(photo), detector.checkpoint.trunk
    face = find_faces(image)[0]
    crop = crop_face(image, face, margin=detector.checkpoint.margin)
    state = detector.encode([crop])
    tail_input, heatmap = state.tail_input, explain(state, method="rollout")[0].heatmap
    overlay = overlay_photo(image, crop, heatmap)
    pixel_values = torch.from_numpy(detector.checkpoint.transform(crop.image))[None]
    return {
        "decode": lambda: load_image(photo),
        "detect": lambda: find_faces(image),
        "crop": lambda: crop_face(image, face, margin=detector.checkpoint.margin),
        "transform": lambda: detector.checkpoint.transform(crop.image),
        "trunk": lambda: _run_trunk(trunk, pixel_values),
        "tail": lambda: _run_tail(trunk, tail_input),
        "map: rollout": lambda: explain(state, method="rollout"),
        "map: Grad-CAM": lambda: explain(state, method="gradcam", target="fake"),
        "overlay on the photo": lambda: overlay_photo(image, crop, heatmap),
        "encode as JPEG": lambda: jpeg_uri(overlay),
        WHOLE: lambda: analyze_image(detector, load_image(photo)),
    }


@torch.inference_mode()
def _run_trunk(trunk, pixel_values: torch.Tensor) -> None:
    hidden = trunk.embed(pixel_values)
    for index in range(len(trunk.blocks) - 1):
        hidden = trunk.run_block(index, hidden)


@torch.inference_mode()
def _run_tail(trunk, tail_input: torch.Tensor) -> None:
    trunk.tail(tail_input)


def measure(
    work: dict[str, Callable[[], object]], rounds: int, *, clock: Callable[[], float] = time.perf_counter
) -> dict[str, list[float]]:
    """Milliseconds of each, in turns, so that a noisy machine disturbs all alike; the first round is not counted."""
    times = defaultdict(list)
    for turn in range(rounds + 1):
        for name, step in work.items():
            start = clock()
            step()
            if turn:
                times[name].append(1000 * (clock() - start))
    return times


def ask_app(photo: Path, rounds: int, *options: str) -> dict[str, list[float]]:
    """The same verdict from the app; not in turns with the others, whose threads would be in its way."""
    with served_app(*options) as (url, _), contextlib.redirect_stdout(io.StringIO()):
        client = Client(url, verbose=False)
        ask = {APP: lambda: client.predict(handle_file(str(photo)), api_name="/analyze")}
        return measure(ask, rounds)


def print_times(times: dict[str, list[float]]) -> None:
    """Medians, each as a share of a verdict in this process; and what the app's answer takes on top."""
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    whole = sum(medians[name] for name in VERDICT)
    if APP in medians:
        medians["transport"] = medians[APP] - medians[WHOLE]
    print("| step | median ms | least ms | of a verdict |\n| --- | ---: | ---: | ---: |")
    for name, median in medians.items():
        least = f"{min(times[name]):.1f}" if name in times else ""
        print(f"| {name} | {median:.1f} | {least} | {f'{median / whole:.0%}' if name in VERDICT else ''} |")


def main() -> None:
    options = parser(__doc__, model="auto", photo=PHOTO, precision="auto", rounds=20)
    options.add_argument("--cores", action="store_true")
    args = options.parse_args()
    checkpoint = virtus.load_checkpoint(args.model, precision=args.precision)
    print(f"{checkpoint.info.name}, {checkpoint.trunk.device}, {checkpoint.trunk.precision}; {args.photo.name}\n")
    clock = time.process_time if args.cores else time.perf_counter
    times = measure(steps(virtus.Detector(checkpoint), args.photo), args.rounds, clock=clock)
    if not args.cores:
        times |= ask_app(args.photo, args.rounds, "--model", args.model, "--precision", args.precision)
    print_times(times)


if __name__ == "__main__":
    main()
