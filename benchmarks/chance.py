"""How often a map that means nothing is called better than chance: `python -m benchmarks.chance DATA`.

On each face: random maps of all kinds of smoothness, and real maps of it that were rolled to a random place and
mirrored, so that they look like maps and point nowhere in particular. One in twenty of each is what is promised.
`--faces`: of each source and class.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from tqdm import tqdm

from benchmarks import parser
from train.report import held_out
from virtus.checkpoints import Detector, load_checkpoint
from virtus.explain import measure_faithfulness, random_maps
from virtus.judging import analyze_image
from virtus.results import SIGNIFICANCE, Explanation, FaceReport, Label

METHODS = ("attribution", "gradcam", "rollout", "evidence")
PER_METHOD, SMOOTHEST = 5, 2.0  # maps a face and method; width of the smoothest random ones, in patches
RANDOM = "random, smoothed by 0 to 2 patches"


def meaningless(face: FaceReport, draw: np.random.Generator) -> list[tuple[str, np.ndarray]]:
    """Kind and map, of which none knows the face's pixels at their place."""
    grid = face.explanations[0].heatmap.shape
    widths = draw.uniform(0, SMOOTHEST, 2 * PER_METHOD)
    maps = [(RANDOM, random_maps(width, grid, num_maps=1, seed=int(draw.integers(2**31)))[0]) for width in widths]
    return maps + [
        (f"{one.method}, rolled", _roll(one.heatmap, draw)) for one in face.explanations for _ in range(PER_METHOD)
    ]


def _roll(heatmap: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    mirrored = heatmap[:: draw.choice([1, -1]), :: draw.choice([1, -1])]
    return np.roll(mirrored, draw.integers(0, heatmap.shape), axis=(0, 1))


def main() -> None:
    args = parser(__doc__, data=True, model="auto", faces=4).parse_args()
    detector, draw = Detector(load_checkpoint(args.model)), np.random.default_rng(0)
    found, own = defaultdict(list), defaultdict(list)
    samples = [sample for sample in held_out(args.data, limit=args.faces) if sample.source != "videos"]
    for sample in tqdm(samples, unit="face"):
        report = analyze_image(detector, sample.path, methods=METHODS)
        face = next((face for face in report.faces if face.crop), None)
        if face is None or face.crop is None:
            continue
        kinds = meaningless(face, draw)
        maps = [Explanation(kind, heatmap.astype(np.float32), Label.FAKE) for kind, heatmap in kinds]
        measured = measure_faithfulness(detector, face.crop, [*maps, *face.explanations])
        for one, result in zip(maps, measured, strict=False):
            found[one.method].append(result.p_value <= SIGNIFICANCE)
        for one, result in zip(face.explanations, measured[len(maps) :], strict=True):
            own[f"{one.method}, in its place"].append(result.p_value <= SIGNIFICANCE)
    print("| map | tested | called better than chance |\n| --- | ---: | ---: |")
    for kind, hits in [*found.items(), *own.items()]:
        print(f"| {kind} | {len(hits)} | {np.mean(hits):.1%} |")


if __name__ == "__main__":
    main()
