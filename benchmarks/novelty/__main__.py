"""What is called unfamiliar, of photos and of drawings made from them: `python -m benchmarks.novelty DATA`.

On the reporting part of `val`; `--part choose` is what the trunk's block and the statistic were chosen on.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import sklearn
from PIL import Image

from benchmarks.novelty.standins import STAND_INS, drawn_face, noise_picture
from train.crops import FaceCache
from train.data import Sample
from train.pictures import FaceCache
from train.report import held_out
from virtus.checkpoints import Detector, load_checkpoint
from virtus.faces import crop_face, find_faces, whole_image
from virtus.judging import perturbations
from virtus.media import load_image
from virtus.results import Face, FaceCrop, Label

ORDINARY: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda photo: photo,
    "JPEG 50": lambda photo: perturbations.jpeg(photo, 50),
    "JPEG 30": lambda photo: perturbations.jpeg(photo, 30),
    "half size": lambda photo: perturbations.rescale(photo, 0.5),
    "blur, 2 px": lambda photo: perturbations.blur(photo, 2),
    "noise, 10 of 255": lambda photo: perturbations.noise(photo, 10, seed=0),
    "brightness times 0.6": lambda photo: perturbations.brightness(photo, 0.6),
    "brightness times 1.4": lambda photo: perturbations.brightness(photo, 1.4),
    "grey": lambda photo: photo.convert("L").convert("RGB"),
}
NUM_DRAWN, NUM_SCENES, SCENE_SIDE = 60, 15, 300


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="auto")
    parser.add_argument("--part", choices=("choose", "report"), default="report")
    parser.add_argument("--count", type=int, default=15, help="photos of each source and class that are changed")
    args = parser.parse_args()
    detector = Detector(load_checkpoint(args.model))
    every, some = (held_out(args.data, part=args.part, limit=limit) for limit in (0, args.count))
    faces = FaceCache().find([sample.path for sample in every])
    every, some = ([s for s in samples if faces[s.path] and s.source != "videos"] for samples in (every, some))
    print("| photos as they are | class | pictures | unfamiliar |\n| --- | --- | ---: | ---: |")
    for (source, label), own in by_kind(every).items():
        print(f"| {source} | {label} | {len(own)} | {rate(detector, cut(detector, own, faces, lambda one: one)):.1%} |")
    print(f"\n| ordinary changes, {len(some)} photos | unfamiliar |\n| --- | ---: |")
    for name, change in ORDINARY.items():
        print(f"| {name} | {rate(detector, cut(detector, some, faces, change)):.1%} |", flush=True)
    print("\n| no photo of a face | judged | unfamiliar |\n| --- | ---: | ---: |")
    for name, change in STAND_INS.items():
        print(row(detector, name, found_again(detector, some, change)), flush=True)
    for name, pictures in whole_pictures().items():
        print(row(detector, name, [whole_image(picture) for picture in pictures]))


def by_kind(samples: Sequence[Sample]) -> dict[tuple[str, Label], list[Sample]]:
    kinds = defaultdict(list)
    for sample in samples:
        kinds[sample.source, sample.label].append(sample)
    return dict(sorted(kinds.items()))


def cut(detector: Detector, samples: Sequence[Sample], faces: dict[Path, Face], change: Callable) -> list[FaceCrop]:
    """The face where it was found before the change."""
    margin = detector.checkpoint.margin
    return [crop_face(change(load_image(s.path)), faces[s.path], margin=margin) for s in samples]


def found_again(detector: Detector, samples: Sequence[Sample], change: Callable) -> list[FaceCrop]:
    """The face where the face finder still finds one: the rest would not be judged."""
    pictures = [change(load_image(sample.path)) for sample in samples]
    found = [(picture, find_faces(picture)) for picture in pictures]
    return [crop_face(picture, own[0], margin=detector.checkpoint.margin) for picture, own in found if own]


def whole_pictures() -> dict[str, list[Image.Image]]:
    folder, draw = Path(sklearn.__file__).parent / "datasets" / "images", np.random.default_rng(0)
    scenes = []
    for name in ("china.jpg", "flower.jpg"):
        photo = load_image(folder / name)
        for _ in range(NUM_SCENES):
            left, top = (int(draw.integers(0, side - SCENE_SIDE)) for side in photo.size)
            scenes.append(photo.crop((left, top, left + SCENE_SIDE, top + SCENE_SIDE)))
    drawn = [drawn_face(seed) for seed in range(NUM_DRAWN)]
    return {
        "flat drawn face (whole)": drawn,
        "buildings, a flower (whole)": scenes,
        "noise (whole)": [noise_picture(seed) for seed in range(10)],
    }


def rate(detector: Detector, crops: Sequence[FaceCrop]) -> float:
    return float(np.mean([one.novelty > 1 for one in detector.predict(crops)])) if crops else float("nan")


def row(detector: Detector, name: str, crops: Sequence[FaceCrop]) -> str:
    return f"| {name} | {len(crops)} | {rate(detector, crops):.0%} |"


if __name__ == "__main__":
    main()
