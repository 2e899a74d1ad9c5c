"""How far bfloat16 and batching move p on real face crops: `python -m benchmarks.precision DATA`."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np

import virtus
from benchmarks import parser
from train.data import find_samples
from virtus.results import FaceCrop


def real_crops(data: Path, count: int, margin: float) -> list[FaceCrop]:
    """The crop of the largest face of each of `count` pictures of the `val` splits."""
    samples = [sample for sample in find_samples(data) if sample.split == "val"]
    photos = [virtus.load_image(s.path) for s in random.Random(0).sample(samples, min(count, len(samples)))]
    found = [(photo, virtus.find_faces(photo)) for photo in photos]
    return [virtus.crop_face(photo, faces[0], margin=margin) for photo, faces in found if faces]


def main() -> None:
    args = parser(__doc__, data=True, model="auto", crops=300).parse_args()
    exact, coarse = (
        virtus.Detector(virtus.load_checkpoint(args.model, precision=name)) for name in ("float32", "bfloat16")
    )
    crops = real_crops(args.data, args.crops, exact.checkpoint.margin)
    batch = np.array([one.p_fake for one in exact.predict(crops)])
    half = np.array([one.p_fake for one in coarse.predict(crops)])
    alone = np.array([exact.predict([crop])[0].p_fake for crop in crops])
    unsure = ((batch > 0.05) & (batch < 0.95)).sum()
    print(f"{exact.checkpoint.info.name}, {len(crops)} crops, {unsure} of them with p between 0.05 and 0.95\n")
    print("| change of p | mean | most |\n| --- | ---: | ---: |")
    for name, change in (("bfloat16 against float32", half - batch), ("alone against in a batch", alone - batch)):
        print(f"| {name} | {np.abs(change).mean():.6f} | {np.abs(change).max():.6f} |")


if __name__ == "__main__":
    main()
