"""What is called unfamiliar, of photos and of stand-ins for paintings: `python -m benchmarks.novelty DATA`.

On the reporting part of `val`; `--part choose` is what the trunk's block and the statistic were chosen on.
`--count`: photos of each source and class that are changed; `--limit`: that are judged as they are, 0 for all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import sklearn
from PIL import Image, ImageDraw, ImageOps

from benchmarks import parser
from train.data import Sample
from train.pictures import FaceCache
from train.report import held_out
from virtus.checkpoints import Detector, load_checkpoint
from virtus.faces import crop_face, find_faces, whole_image
from virtus.judging import blur, brightness, jpeg, noise, rescale
from virtus.media import load_image
from virtus.results import Face, FaceCrop, Label

ORDINARY: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as it is": lambda photo: photo,
    "JPEG 50": lambda photo: jpeg(photo, 50),
    "JPEG 30": lambda photo: jpeg(photo, 30),
    "half size": lambda photo: rescale(photo, 0.5),
    "blur, 2 px": lambda photo: blur(photo, 2),
    "noise, 10 of 255": lambda photo: noise(photo, 10, seed=0),
    "brightness times 0.6": lambda photo: brightness(photo, 0.6),
    "brightness times 1.4": lambda photo: brightness(photo, 1.4),
    "grey": lambda photo: photo.convert("L").convert("RGB"),
}
NUM_DRAWN, NUM_SCENES, SCENE_SIDE = 60, 15, 300


def pencil(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.pencilSketch(np.asarray(photo), sigma_s=60, sigma_r=0.07, shade_factor=0.05)[0]).convert(
        "RGB"
    )


def coloured_pencil(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.pencilSketch(np.asarray(photo), sigma_s=60, sigma_r=0.07, shade_factor=0.05)[1])


def stylised(photo: Image.Image) -> Image.Image:
    return Image.fromarray(cv2.stylization(np.asarray(photo), sigma_s=60, sigma_r=0.45))


def cartoon(photo: Image.Image) -> Image.Image:
    """Smooth areas of few colours with black outlines."""
    pixels = np.asarray(photo)
    smooth = cv2.edgePreservingFilter(pixels, flags=1, sigma_s=60, sigma_r=0.4)
    grey = cv2.medianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), 5)
    lines = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 9, 5)
    return Image.fromarray(np.where(lines[..., None] > 0, smooth // 40 * 40 + 20, 0).astype(np.uint8))


def oil(photo: Image.Image) -> Image.Image:
    """Each pixel takes the mean colour of the most frequent of 8 brightnesses around it, as an oil filter does."""
    pixels = np.asarray(photo).astype(np.float32)
    levels = (pixels.mean(2) * 8 / 256).astype(int)
    counts = np.stack([cv2.blur((levels == level).astype(np.float32), (9, 9)) for level in range(8)])
    sums = np.stack([cv2.blur(pixels * (levels == level)[..., None], (9, 9)) for level in range(8)])
    best = counts.argmax(0)[None]
    mean = np.take_along_axis(sums, best[..., None], 0)[0] / np.take_along_axis(counts, best, 0)[0][..., None]
    return Image.fromarray(mean.clip(0, 255).astype(np.uint8))


def posterised(photo: Image.Image) -> Image.Image:
    return ImageOps.posterize(photo, 2)


def line_art(photo: Image.Image) -> Image.Image:
    """Grey lines on white where a blurred copy is brighter."""
    grey = cv2.cvtColor(np.asarray(photo), cv2.COLOR_RGB2GRAY)
    dodge = cv2.divide(grey, cv2.GaussianBlur(grey, (0, 0), 4), scale=256)
    return Image.fromarray(dodge).convert("RGB")


def edges(photo: Image.Image) -> Image.Image:
    """Black lines on white."""
    return Image.fromarray(255 - cv2.Canny(np.asarray(photo), 60, 140)).convert("RGB")


STAND_INS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "pencil sketch": pencil,
    "coloured pencil": coloured_pencil,
    "watercolour": stylised,
    "cartoon": cartoon,
    "oil painting": oil,
    "four tones a channel": posterised,
    "line art": line_art,
    "edges only": edges,
}


def drawn_face(seed: int, side: int = 256) -> Image.Image:
    """A flat face as a child or a drawing program makes it: ellipses for head, hair and eyes, lines for the rest."""
    draw_from = np.random.default_rng(seed)
    background, hair, skin, iris, lips = (tuple(int(v) for v in draw_from.integers(0, 256, 3)) for _ in range(5))
    image = Image.new("RGB", (side, side), background)
    draw, unit = ImageDraw.Draw(image), side / 16
    wide, at = draw_from.uniform(3.8, 5.2), draw_from.uniform(1.4, 2.2)
    _ellipse(draw, 8, 7, wide + 0.8, 6.2, unit, hair)
    _ellipse(draw, 8, 8.5, wide, 6, unit, skin)
    for side_of in (-1, 1):
        _ellipse(draw, 8 + side_of * at, 7.5, 0.9, 0.6, unit, (255, 255, 255))
        _ellipse(draw, 8 + side_of * at, 7.5, 0.45, 0.45, unit, iris)
        draw.line(
            [(unit * (8 + side_of * at - 0.9), unit * 6.2), (unit * (8 + side_of * at + 0.9), unit * 6.2)], hair, 4
        )
    draw.line([(unit * 8, unit * 8), (unit * 7.4, unit * 10), (unit * 8, unit * 10.2)], (60, 30, 20), 3)
    draw.chord([unit * 6.3, unit * 10.5, unit * 9.7, unit * 12.5], 0, 180, lips)
    return image


def noise_picture(seed: int, side: int = 256) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def _ellipse(draw: ImageDraw.ImageDraw, x: float, y: float, wide: float, high: float, unit: float, fill: tuple) -> None:
    draw.ellipse([unit * (x - wide), unit * (y - high), unit * (x + wide), unit * (y + high)], fill)


def main() -> None:
    args = parser(__doc__, data=True, model="auto", part="report", count=15, limit=0).parse_args()
    detector = Detector(load_checkpoint(args.model))
    every, some = (held_out(args.data, part=args.part, limit=limit) for limit in (args.limit, args.count))
    faces = FaceCache().find([sample.path for sample in (*every, *some)])
    faces = {path: face for path, face in faces.items() if face}
    every, some = ([s for s in samples if s.path in faces and s.source != "videos"] for samples in (every, some))
    print(f"{detector.checkpoint.info.name}, sha256 {detector.checkpoint.info.sha256[:12]}\n")
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
    novelties = [prediction.novelty or 0.0 for prediction in detector.predict(crops)]
    return float(np.mean([novelty > 1 for novelty in novelties])) if crops else float("nan")


def row(detector: Detector, name: str, crops: Sequence[FaceCrop]) -> str:
    return f"| {name} | {len(crops)} | {rate(detector, crops):.0%} |"


if __name__ == "__main__":
    main()
