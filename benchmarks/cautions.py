"""How often each caution fires, on pictures as they are and on altered ones: `python -m benchmarks.cautions DATA`.

On the reporting part of `val`; `--part choose` is what the limits were chosen on.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from train.pictures import FaceCache
from train.report import held_out
from virtus.faces import crop_face, find_cautions, find_faces
from virtus.judging import blur, jpeg
from virtus.media import load_image
from virtus.results import Face

NAMES = ("small", "blurred", "compressed", "turned_away", "cut_off")
MARGIN, INPUT_SIDE = 1.3, 224
HEAD = np.array([(-31, -36, 0), (31, -36, 0), (0, 0, 28), (-25, 32, 5), (25, 32, 5)], float)  # millimetres
Altered = Iterator[tuple[Image.Image, Face, int | None]]


def as_it_is(photo: Image.Image, face: Face) -> Altered:
    yield photo, face, photo.info.get("jpeg_quality")


def scaled(photo: Image.Image, face: Face) -> Altered:
    """The face 60 pixels high."""
    factor = 60 / face.height
    small = photo.resize([max(1, round(side * factor)) for side in photo.size], Image.Resampling.BICUBIC)
    box = tuple(value * factor for value in face.box_xyxy)
    yield small, Face(box, tuple((x * factor, y * factor) for x, y in face.landmarks), face.confidence), None


def blurred(share: float) -> Callable:
    """By a Gaussian whose sigma is that share of the face's longer side."""
    return lambda photo, face: iter([(blur(photo, share * max(face.width, face.height)), face, None)])


def file_of(quality: int) -> Callable:
    return lambda photo, face: iter([(jpeg(photo, quality), face, quality)])


def pixels_of(quality: int) -> Callable:
    """Compressed, cut out off the grid of blocks, and saved without loss: a screenshot."""

    def alter(photo: Image.Image, face: Face) -> Altered:
        moved = Face(
            tuple(max(v - 3, 0.0) for v in face.box_xyxy), tuple((x - 3, y - 3) for x, y in face.landmarks), 1.0
        )
        yield jpeg(photo, quality).crop((3, 3, *photo.size)), moved, None

    return alter


def turned(degrees: float) -> Callable:
    """The landmarks of a head of usual proportions, turned."""
    turn = math.radians(degrees)
    flat = np.stack([HEAD[:, 0] * math.cos(turn) + HEAD[:, 2] * math.sin(turn), HEAD[:, 1]], 1)

    def alter(photo: Image.Image, face: Face) -> Altered:
        points = flat * face.height / 230 + np.mean(face.landmarks, 0)
        yield photo, Face(face.box_xyxy, tuple((float(x), float(y)) for x, y in points), 1.0), None

    return alter


def cut(photo: Image.Image, face: Face) -> Altered:
    """A third of the face's box is lost on the right, or below; where a face is still found."""
    x0, y0, x1, y1 = face.box_xyxy
    for right, bottom in ((x1 - (x1 - x0) / 3, photo.height), (photo.width, y1 - (y1 - y0) / 3)):
        rest = photo.crop((0, 0, round(right), round(bottom)))
        for again in find_faces(rest)[:1]:
            yield rest, again, None


ALTERATIONS: dict[str, Callable[[Image.Image, Face], Altered]] = {
    "as it is": as_it_is,
    "face scaled to 60 px": scaled,
    "blurred by 1 % of the face": blurred(0.01),
    "blurred by 2 % of the face": blurred(0.02),
    "blurred by 3 % of the face": blurred(0.03),
    "file of JPEG 25": file_of(25),
    "PNG of JPEG 25": pixels_of(25),
    "PNG of JPEG 20": pixels_of(20),
    "PNG of JPEG 15": pixels_of(15),
    "PNG of JPEG 50": pixels_of(50),
    "turned by 30 degrees": turned(30),
    "turned by 55 degrees": turned(55),
    "a third cut off": cut,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--part", choices=("choose", "report"), default="report")
    parser.add_argument("--count", type=int, default=25, help="pictures of each source and class that are altered")
    args = parser.parse_args()
    samples = [s for s in held_out(args.data, part=args.part) if s.source != "videos"]
    faces = FaceCache().find([sample.path for sample in samples])
    counts = defaultdict(Counter)
    kinds = Counter()
    for sample in samples:
        if (face := faces[sample.path]) is None or face.quarter_turns:
            continue
        photo, kind = load_image(sample.path), (sample.source, sample.label)
        kinds[kind] += 1
        for name in ALTERATIONS if kinds[kind] <= args.count else ["as it is"]:
            for one in ALTERATIONS[name](photo, face):
                count(counts[sample.source, name], *one)
    print(table(counts))


def count(counter: Counter, photo: Image.Image, face: Face, jpeg_quality: int | None) -> None:
    crop = crop_face(photo, face, margin=MARGIN)
    found = find_cautions(crop, face, image_size=photo.size, input_side=INPUT_SIDE, jpeg_quality=jpeg_quality)
    counter.update(["pictures", *(caution.name for caution in found)])


def table(counts: dict[tuple[str, str], Counter]) -> str:
    lines = [f"| source | altered | pictures | {' | '.join(NAMES)} |", "| --- | --- " + "| ---: " * 6 + "|"]
    for name in ALTERATIONS:
        for source in sorted({source for source, _ in counts}):
            own = counts[source, name]
            if own["pictures"]:
                cells = [f"{own[one] / own['pictures']:.0%}" for one in NAMES]
                lines.append(f"| {source} | {name} | {own['pictures']} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
