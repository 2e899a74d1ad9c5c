"""Faces found, and milliseconds of a core, against facenet-pytorch's own MTCNN: `python -m benchmarks.faces DATA`.

Nothing here was marked by hand: every picture of the data shows a face, so that the share in which one is found is the
recall of pictures. Times are processor times of one thread, interleaved.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from facenet_pytorch import MTCNN
from PIL import Image

from benchmarks.speed.photos import photo_with, val_pictures
from virtus.faces import MIN_CONFIDENCE, find_faces
from virtus.media import load_image

Boxes = list[tuple[float, float, float, float]]


def stock_finder(side: int) -> Callable[[Image.Image], Boxes]:
    """facenet-pytorch's own, on the upright picture with its longer side scaled down to `side`."""
    finder = MTCNN(keep_all=True, device="cpu").eval()

    def find(photo: Image.Image) -> Boxes:
        scale = min(1.0, side / max(photo.size))
        boxes, confidences = finder.detect(photo.resize([round(length * scale) for length in photo.size]))
        found = [] if boxes is None else zip(boxes, confidences, strict=True)
        limits = np.tile(photo.size, 2)  # boxes can leave the picture
        return [tuple(np.clip(box / scale, 0, limits)) for box, confidence in found if confidence >= MIN_CONFIDENCE]

    return find


def own_finder(photo: Image.Image) -> Boxes:
    return [face.box_xyxy for face in find_faces(photo, min_side=0)]


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Intersection over union of two boxes."""
    width, height = (max(0.0, min(one[k + 2], other[k + 2]) - max(one[k], other[k])) for k in (0, 1))
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - width * height
    return width * height / union


def largest(boxes: Boxes) -> tuple[float, ...]:
    return max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="[<source>/]val/Real|Fake")
    parser.add_argument("--pictures", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(1)
    finders = {"MTCNN at 1024": stock_finder(1024), "MTCNN at 512": stock_finder(512), "Virtus": own_finder}
    pictures = [load_image(path) for path in val_pictures(args.data, args.pictures)]
    kinds = {"as they are": pictures, "in photos of 1280x960": [photo_with(p, seed=k) for k, p in enumerate(pictures)]}
    print("| pictures | finder | found | same as MTCNN at 1024 | median ms of a core |")
    print("| --- | --- | ---: | ---: | ---: |")
    for kind, photos in kinds.items():
        found, times = defaultdict(list), defaultdict(list)
        for photo in photos:
            for name, find in finders.items():
                start = time.process_time()
                found[name].append(find(photo))
                times[name].append(1000 * (time.process_time() - start))
        for name in finders:
            pairs = [pair for pair in zip(found[name], found["MTCNN at 1024"], strict=True) if pair[1]]
            same = sum(bool(own) and overlap(largest(own), largest(ref)) >= 0.5 for own, ref in pairs)
            share = sum(map(bool, found[name])) / len(photos)
            print(f"| {kind} | {name} | {share:.1%} | {same / len(pairs):.1%} | {statistics.median(times[name]):.1f} |")


if __name__ == "__main__":
    main()
