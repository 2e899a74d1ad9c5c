"""How far bfloat16, int8 and batching move p on real face crops: `python -m benchmarks.precision DATA`."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

import virtus
from benchmarks import parser
from train.data import find_samples
from virtus.models import has_int8_units
from virtus.results import FaceCrop, Prediction


def real_crops(data: Path, count: int, margin: float) -> list[FaceCrop]:
    """The crop of the largest face of each of `count` pictures of the `val` splits."""
    samples = [sample for sample in find_samples(data) if sample.split == "val"]
    photos = [virtus.load_image(s.path) for s in random.Random(0).sample(samples, min(count, len(samples)))]
    found = [(photo, virtus.find_faces(photo)) for photo in photos]
    return [virtus.crop_face(photo, faces[0], margin=margin) for photo, faces in found if faces]


def main() -> None:
    args = parser(__doc__, data=True, model="auto", crops=300).parse_args()
    exact = virtus.Detector(virtus.load_checkpoint(args.model, device="cpu", precision="float32"))
    crops = real_crops(args.data, args.crops, exact.checkpoint.margin)
    batch, alone = exact.predict(crops), [exact.predict([crop])[0] for crop in crops]
    unsure = sum(0.05 < one.p_fake < 0.95 for one in batch)
    print(f"{exact.checkpoint.info.name}, {len(crops)} crops, {unsure} of them with p between 0.05 and 0.95\n")
    print("| change of p | mean | most | other outcomes |\n| --- | ---: | ---: | ---: |")
    for name in ("bfloat16", *(["int8"] if has_int8_units(torch.device("cpu")) else [])):
        coarse = virtus.Detector(virtus.load_checkpoint(args.model, device="cpu", precision=name))
        print_change(f"{name} against float32", coarse.predict(crops), batch)
    print_change("alone against in a batch", alone, batch)


def print_change(name: str, ones: Sequence[Prediction], others: Sequence[Prediction]) -> None:
    change = np.abs([one.p_fake - other.p_fake for one, other in zip(ones, others, strict=True)])
    outcomes = sum(one.outcome is not other.outcome for one, other in zip(ones, others, strict=True))
    print(f"| {name} | {change.mean():.6f} | {change.max():.6f} | {outcomes} |", flush=True)


if __name__ == "__main__":
    main()
