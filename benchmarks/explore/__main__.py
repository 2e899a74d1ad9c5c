"""What the engine needs to explore a face, on an example photo: `python -m benchmarks.explore`.

Attention is packed for the page, raw and by gzip; "rubbed out" is one new p_fake after a stroke of the brush, a square
of 3 x 3 patches more each time, in this process, without the way to a browser. Times are those of one process on the
threads that torch has; p50 and p95 over all strokes.
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


def detectors(precision: str) -> Iterator[tuple[str, virtus.Detector]]:
    """The bundled checkpoints, and one of 24 blocks whose weights are random: neither bytes nor time depend on them."""
    for name in (FAST, BASE):
        detector = virtus.Detector(virtus.load_checkpoint(name, device="cpu", precision=precision))
        yield name, detector
    small = detector.checkpoint
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = Classifier(replace(small.trunk.model.config, **LARGE))
    trunk = Trunk(model, device=small.trunk.device, dtype=small.trunk.blocks[0].mlp.fc1.weight.dtype)
    yield "ViT-L/16, random", virtus.Detector(replace(small, trunk=trunk, novelty=None))


def strokes(grid_size: tuple[int, int], count: int) -> Iterator[np.ndarray]:
    """Masks (1, patches) as a hand makes them: each has all of the last one and a square more."""
    draw, mask = np.random.default_rng(0), np.zeros(grid_size, bool)
    for _ in range(count):
        row, column = (int(draw.integers(0, side - BRUSH + 1)) for side in grid_size)
        mask[row : row + BRUSH, column : column + BRUSH] = True
        yield mask.reshape(1, -1).copy()


def milliseconds(work: Callable[[], object], rounds: int = 3) -> float:
    """The median; the first round is not counted."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - start))
    return statistics.median(taken[1:])


def rub_out(detector: virtus.Detector, crop: FaceCrop, fill: Fill, rounds: int) -> tuple[float, float]:
    """Milliseconds of a new p, p50 and p95."""
    judge, taken = erasing_judge(detector, crop, fill), []
    for mask in strokes(detector.checkpoint.trunk.grid_size, rounds + 2):
        start = time.perf_counter()
        judge(mask)
        taken.append(1000 * (time.perf_counter() - start))
    return tuple(np.percentile(taken[2:], (50, 95)).tolist())


def main() -> None:
    args = parser(__doc__, photo=PHOTO, precision="auto", rounds=40).parse_args()
    photo = load_image(args.photo)
    face = find_faces(photo)[0]
    columns = "pass, ms | pack, ms | bytes, MB | gzip, MB | gzip, ms | lens, ms"
    rubbed = " | ".join(f"{fill} p50, p95, ms" for fill in FILLS)
    print(f"| checkpoint | {columns} | {rubbed} |\n| --- {'| ---: ' * 8}|")
    for name, detector in detectors(args.precision):
        crop = crop_face(photo, face, margin=detector.checkpoint.margin)
        state = detector.encode([crop])
        packed = pack_attention(state, 0)
        raw = packed.codes.tobytes() + packed.scales.tobytes()
        figures = (
            milliseconds(lambda crop=crop, detector=detector: detector.encode([crop])),
            milliseconds(lambda state=state: pack_attention(state, 0)),
            len(raw) / 1e6,
            len(gzip.compress(raw, GZIP_LEVEL)) / 1e6,
            milliseconds(lambda raw=raw: gzip.compress(raw, GZIP_LEVEL)),
            milliseconds(lambda state=state, detector=detector: logit_lens(detector, state, 0)),
        )
        times = (f"{p50:.0f}, {p95:.0f}" for p50, p95 in (rub_out(detector, crop, f, args.rounds) for f in FILLS))
        cells = [f"{figure:.1f}" for figure in figures] + list(times)
        print(f"| {name}, {state.trunk.blocks[0].mlp.fc1.weight.dtype} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
