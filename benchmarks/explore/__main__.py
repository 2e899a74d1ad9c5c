"""What the engine needs to explore a face, on an example photo: `python -m benchmarks.explore`.

Attention is packed for the page, raw and by gzip; "rubbed out" is one new p_fake after a stroke of the brush, a square
of 3 x 3 patches more each time, in this process, without the way to a browser; p50 and p95 over all strokes. `--cores`
counts what all cores spent, not the clock, which says little beside other work; then give it one thread.
"""

from __future__ import annotations

import gzip
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch

import virtus
from benchmarks import parser
from benchmarks.steps import measure
from virtus.bundled import ASSETS
from virtus.checkpoints import BASE, FAST
from virtus.explain import Fill, erasing_judge, logit_lens, pack_attention
from virtus.faces import crop_face, find_faces
from virtus.media import load_image
from virtus.models import Classifier, Trunk
from virtus.results import FaceCrop

PHOTO = ASSETS / "examples" / "eileen-collins.jpg"
LARGE = {"hidden_size": 1024, "num_hidden_layers": 24, "num_attention_heads": 16, "intermediate_size": 4096}
FILLS: tuple[Fill, ...] = ("blur", "drop")
GZIP_LEVEL = 1  # of what a page waits for: more takes three times as long for a few percent
BRUSH = 3  # patches a side
Clock = Callable[[], float]


def detectors(precision: str) -> Iterator[tuple[str, virtus.Detector]]:
    """The bundled checkpoints, and one of 24 blocks whose weights are random: neither bytes nor time depend on them."""
    for name in (FAST, BASE):
        detector = virtus.Detector(virtus.load_checkpoint(name, device="cpu", precision=precision))
        yield name, detector
    small = detector.checkpoint
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Classifier(replace(small.trunk.model.config, **LARGE))
    trunk = Trunk(model, device=small.trunk.device, precision=small.trunk.precision)
    yield "ViT-L/16, random", virtus.Detector(replace(small, trunk=trunk, novelty=None))


def strokes(grid_size: tuple[int, int], count: int) -> Iterator[np.ndarray]:
    """Masks (1, patches) as a hand makes them: each has all of the last one and a square more."""
    draw, mask = np.random.default_rng(0), np.zeros(grid_size, bool)
    for _ in range(count):
        row, column = (int(draw.integers(0, side - BRUSH + 1)) for side in grid_size)
        mask[row : row + BRUSH, column : column + BRUSH] = True
        yield mask.reshape(1, -1).copy()


def encode(detector: virtus.Detector, crop: FaceCrop, clock: Clock) -> tuple[float, ...]:
    """Milliseconds of the pass, of packing, gzip and lens (medians of three); megabytes raw and by gzip."""
    state = detector.encode([crop])
    packed = pack_attention(state, 0)
    raw = packed.codes.tobytes() + packed.scales.tobytes()
    work = {
        "pass": lambda: detector.encode([crop]),
        "pack": lambda: pack_attention(state, 0),
        "gzip": lambda: gzip.compress(raw, GZIP_LEVEL),
        "lens": lambda: logit_lens(detector, state, 0),
    }
    times = map(statistics.median, measure(work, 3, clock=clock).values())
    return *times, len(raw) / 1e6, len(gzip.compress(raw, GZIP_LEVEL)) / 1e6


def rub_out(detector: virtus.Detector, crop: FaceCrop, fill: Fill, rounds: int, clock: Clock) -> str:
    """Milliseconds of a new p: "p50, p95"."""
    judge, brush = erasing_judge(detector, crop, fill), strokes(detector.checkpoint.trunk.grid_size, rounds + 1)
    taken = measure({fill: lambda: judge(next(brush))}, rounds, clock=clock)[fill]
    p50, p95 = np.percentile(taken, (50, 95))
    return f"{p50:.0f}, {p95:.0f}"


def main() -> None:
    options = parser(__doc__, photo=PHOTO, precision="auto", rounds=40)
    options.add_argument("--cores", action="store_true")
    args = options.parse_args()
    clock = time.process_time if args.cores else time.perf_counter
    photo = load_image(args.photo)
    face = find_faces(photo)[0]
    columns = "pass, ms | pack, ms | gzip, ms | lens, ms | bytes, MB | gzip, MB"
    rubbed = " | ".join(f"{fill} p50, p95, ms" for fill in FILLS)
    print(f"| checkpoint | {columns} | {rubbed} |\n| --- {'| ---: ' * (6 + len(FILLS))}|")
    for name, detector in detectors(args.precision):
        crop = crop_face(photo, face, margin=detector.checkpoint.margin)
        figures = [f"{figure:.1f}" for figure in encode(detector, crop, clock)]
        figures += [rub_out(detector, crop, fill, args.rounds, clock) for fill in FILLS]
        print(f"| {name}, {detector.checkpoint.trunk.precision} | {' | '.join(figures)} |", flush=True)


if __name__ == "__main__":
    main()
