"""Faces found, and milliseconds of a core, against facenet-pytorch's own MTCNN: `python -m benchmarks.faces DATA`.

Nothing here was marked by hand: every picture of the data shows a face, so that the share in which one is found is the
recall of pictures. Turned ones lie on a side or stand on their head; stock MTCNN does not look for these. Masks are the
sources whose name begins with facemask. Times are processor times of one thread, interleaved.
"""

from __future__ import annotations

import random
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks import parser
from benchmarks.faces.turns import TURNS
from benchmarks.speed.material import photo_with, val_pictures
from benchmarks.speed.model import stock_finder
from virtus.faces import find_faces
from virtus.media import load_image

MASKS = "facemask_*"
Boxes = list[tuple[float, float, float, float]]


def stock(side: int) -> Callable[[Image.Image], Boxes]:
    """Stock MTCNN's boxes, cut off at the picture's edge, which they can cross."""
    find = stock_finder(side)
    return lambda photo: [tuple(np.clip(box, 0, np.tile(photo.size, 2))) for box, _ in find(photo)]


def own_finder(photo: Image.Image) -> Boxes:
    return [face.box_xyxy for face in find_faces(photo, min_side=0)]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    width, height = (max(0.0, min(one[k + 2], other[k + 2]) - max(one[k], other[k])) for k in (0, 1))
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - width * height
    return width * height / union


def largest(boxes: Boxes) -> tuple[float, ...]:
    return max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))


def corpora(data: Path, count: int) -> dict[str, list[Image.Image]]:
    """Of each kind so many pictures."""
    pictures = [load_image(path) for path in val_pictures(data, count)]
    masked = [load_image(path) for source in sorted(data.glob(MASKS)) for path in val_pictures(source, count)]
    turns = list(filter(None, TURNS.values()))
    return {
        "as they are": pictures,
        "in photos of 1280x960": [photo_with(p, seed=k) for k, p in enumerate(pictures)],
        "turned": [p.transpose(turns[k % len(turns)]) for k, p in enumerate(pictures)],
        "with masks": random.Random(0).sample(masked, min(count, len(masked))),
    }


def main() -> None:
    args = parser(__doc__, data=True, pictures=1000).parse_args()
    torch.set_num_threads(1)
    finders = {"MTCNN at 1024": stock(1024), "MTCNN at 512": stock(512), "Virtus": own_finder}
    print("| pictures | finder | found | same as MTCNN at 1024 | ms of a core, mean | median |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    for kind, photos in corpora(args.data, args.pictures).items():
        found, times = defaultdict(list), defaultdict(list)
        for photo in photos:
            for name, find in finders.items():
                start = time.process_time()
                found[name].append(find(photo))
                times[name].append(1000 * (time.process_time() - start))
        for name in finders:
            pairs = [pair for pair in zip(found[name], found["MTCNN at 1024"], strict=True) if pair[1]]
            same = sum(bool(own) and overlap(largest(own), largest(ref)) >= 0.5 for own, ref in pairs)
            shares = f"{sum(map(bool, found[name])) / len(photos):.1%} | {same / max(1, len(pairs)):.1%}"
            ms = f"{statistics.mean(times[name]):.1f} | {statistics.median(times[name]):.1f}"
            print(f"| {kind} | {name} | {shares} | {ms} |", flush=True)


if __name__ == "__main__":
    main()
