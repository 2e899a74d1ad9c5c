"""Large photos: seconds and memory by size and format, and how far p is from that of the photo decoded as a whole.

    python -m benchmarks.large_photos --data DATA [--photos 12] [--megapixels 64]

Faces of `DATA` are pasted into photos at several sizes; a photo is judged in a process of its own, and once more with
all of it decoded to RGB. With `--judge FILE` it judges one photo and prints JSON: that process.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.load.served import peak_mib
from train.data import find_samples
from virtus.checkpoints import Detector, load_checkpoint
from virtus.faces import find_faces
from virtus.judging import analyze_photo
from virtus.media import LargePhoto, load_image
from virtus.results import Face

SIZES = {12: (4000, 3000), 50: (8165, 6123), 64: (9248, 6936), 108: (12000, 9000)}  # the second: today's most as RGB
FACE_SIDES = (40, 60, 100, 200, 350, 700, 1500, 2000)
FORMS = {
    "JPEG 4:2:0": {"quality": 92, "subsampling": 2},
    "JPEG 4:2:2": {"quality": 92, "subsampling": 1},
    "JPEG 4:4:4": {"quality": 92, "subsampling": 0},
    "progressive": {"quality": 92, "subsampling": 2, "progressive": True},
    "turned by EXIF": {
        "quality": 92,
        "subsampling": 2,
        "exif": b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0",
    },
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--photos", type=int, default=12, metavar="N", help="faces of each size")
    parser.add_argument("--megapixels", type=int, default=64, choices=[size for size in SIZES if size > 50])
    parser.add_argument("--judge", type=Path, metavar="FILE")
    args = parser.parse_args()
    if args.judge:
        print(json.dumps(judge_once(args.judge)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            measure_costs(Path(folder))
        measure_p(args.data, args.photos, args.megapixels)


def judge_once(path: Path) -> dict:
    """Seconds and MiB that a first photo of this size takes, beside what a small one took before."""
    detector = Detector(load_checkpoint("auto", device="cpu"))
    analyze_photo(detector, load_image("assets/examples/grace-hopper.jpg"))
    before, begun = peak_mib(os.getpid()), time.monotonic()
    report = analyze_photo(detector, load_image(path))
    return {"outcome": report.outcome, "s": time.monotonic() - begun, "mib": peak_mib(os.getpid()) - before}


def measure_costs(folder: Path) -> None:
    portrait = Image.open("assets/examples/grace-hopper.jpg")
    print("| megapixels | form | outcome | seconds | MiB |\n| --- | --- | --- | --- | --- |")
    for megapixels, size in SIZES.items():
        photo = portrait.resize(size, Image.Resampling.BICUBIC)
        for form, options in FORMS.items():
            path = folder / "photo.jpg"
            photo.save(path, "JPEG", **options)
            command = [sys.executable, "-m", "benchmarks.large_photos", "--judge", str(path)]
            row = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
            print(f"| {megapixels} | {form} | {row['outcome']} | {row['s']:.1f} | {row['mib']:.0f} |", flush=True)


def measure_p(data: Path, number: int, megapixels: int) -> None:
    detector = Detector(load_checkpoint("auto", device="cpu"))
    pictures = faces_in(data, number)
    print("\n| side of the face | " + " | ".join(FORMS) + " |\n|" + " --- |" * (len(FORMS) + 1))
    for side in FACE_SIDES:
        found = [differences(detector, pictures, side, megapixels, options) for options in FORMS.values()]
        cells = (f"{max(values):.4f} ({np.mean(values):.4f})" for values in found)
        print(f"| {side} | " + " | ".join(cells) + " |", flush=True)


def faces_in(data: Path, number: int) -> list[tuple[Image.Image, Face]]:
    """Pictures of all sources, each with its largest face."""
    samples = random.Random(0).sample(find_samples(data), 4 * number)
    found = [(image, find_faces(image)) for image in map(load_image, (sample.path for sample in samples))]
    return [(image, faces[0]) for image, faces in found if faces and not faces[0].quarter_turns][:number]


def differences(
    detector: Detector, pictures: list[tuple[Image.Image, Face]], side: int, megapixels: int, options: dict
) -> list[float]:
    """Of p, over photos that hold as many of the faces as have room, each with a side of so many pixels."""
    canvas, faces = Image.new("RGB", SIZES[megapixels], (96, 110, 120)), []
    left = top = row = 0
    for number, (image, face) in enumerate(pictures):
        scale = side / max(face.width, face.height)
        pasted = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
        if left + pasted.width > canvas.width:
            left, top, row = 0, top + row, 0
        if top + pasted.height > canvas.height:
            break
        canvas.paste(pasted, (left, top))
        faces.append(moved(face, scale, left, top))
        left, row = left + pasted.width + 8 * number + 5, max(row, pasted.height + 3)
    path = Path(tempfile.mkstemp(suffix=".jpg")[1])
    try:
        canvas.save(path, "JPEG", **{name: value for name, value in options.items() if name != "exif"})
        photo = load_image(path)
        assert isinstance(photo, LargePhoto)
        whole = Image.open(path).convert("RGB")
        by_planes, by_whole = (analyze_photo(detector, image, faces=faces) for image in (photo, whole))
        pairs = zip(by_planes.faces, by_whole.faces, strict=True)
        return [abs((one.p_fake or 0.0) - (other.p_fake or 0.0)) for one, other in pairs]
    finally:
        path.unlink()


def moved(face: Face, scale: float, left: int, top: int) -> Face:
    x0, y0, x1, y1 = np.array(face.box_xyxy) * scale + [left, top, left, top]
    landmarks = tuple((x * scale + left, y * scale + top) for x, y in face.landmarks)
    return Face((x0, y0, x1, y1), landmarks, face.confidence)


if __name__ == "__main__":
    main()
