"""The pictures of docs/explanations.md, from the example photos: `python -m benchmarks.explanations.figures`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import virtus
from benchmarks import parser
from benchmarks.explanations.measures import WIDTH, randomise
from virtus.bundled import ASSETS
from virtus.drawing import overlay_crop
from virtus.explain import EXPLAINERS, explain, measure_faithfulness, random_maps
from virtus.faces import crop_face, find_faces
from virtus.media import load_image
from virtus.results import Explanation, FaceCrop, Label

EXAMPLES = ASSETS / "examples"
FOLDER = Path(__file__).parents[2] / "docs" / "images"
FOUND, REAL = "fake-collins-in-hopper.jpg", "grace-hopper.jpg"
TILE, LINE, GAP = 196, 18, 10  # px
INK = "#1a1a1a"
Tile = tuple[Image.Image, str]


def main() -> None:
    args = parser(__doc__, model="auto", out=FOLDER).parse_args()
    detector = virtus.Detector(virtus.load_checkpoint(args.model))
    args.out.mkdir(parents=True, exist_ok=True)
    for name, draw in {"methods": methods, "classes": classes, "evidence": evidence, "noise": noise}.items():
        tiles = draw(detector)
        sheet(tiles, columns=min(len(tiles), 5)).save(args.out / f"{name}.jpg", quality=85)


def methods(detector: virtus.Detector) -> list[Tile]:
    """All methods on one found fake, for the class fake."""
    crop = face_of(detector, FOUND)
    state = detector.encode([crop])
    found = [explain(state, method=name, target=Label.FAKE)[0] for name in EXPLAINERS]
    said = measure_faithfulness(detector, crop, found)
    tiles = [
        (draw(crop, one), f"{one.method}\nchance: p = {own.p_value:.2f}") for one, own in zip(found, said, strict=True)
    ]
    return [(crop.image, f"the face\np of fake {p_fake(detector, crop)}"), *tiles]


def classes(detector: virtus.Detector) -> list[Tile]:
    """Class-specific or not: the same face, asked for both classes."""
    crop = face_of(detector, FOUND)
    state = detector.encode([crop])
    asked = [(method, label) for method in ("gradcam", "rollout") for label in (Label.FAKE, Label.REAL)]
    return [
        (draw(crop, explain(state, method=method, target=label)[0]), f"{method}\nasked for {label}")
        for method, label in asked
    ]


def evidence(detector: virtus.Detector) -> list[Tile]:
    """Signed evidence of several photos, on the one scale."""
    crops = {name: face_of(detector, name) for name in sorted(file.name for file in EXAMPLES.glob("*.jpg"))}
    found = explain(detector.encode(list(crops.values())), method="evidence")
    return [
        (draw(crop, one), f"{Path(name).stem}\np of fake {p_fake(detector, crop)}")
        for (name, crop), one in zip(crops.items(), found, strict=True)
    ]


def noise(detector: virtus.Detector) -> list[Tile]:
    """Three maps of which only the first is of the model: scaled each to its own range, they look alike."""
    crop = face_of(detector, FOUND)
    own = explain(detector.encode([crop]), method="gradcam", target=Label.FAKE)[0]
    untrained = explain(randomise(detector).encode([crop]), method="gradcam", target=Label.FAKE)[0]
    random = random_maps(WIDTH, detector.checkpoint.trunk.grid_size, num_maps=1, seed=0)[0].astype(np.float32)
    named = {"Grad-CAM": own, "Grad-CAM of a model\nwith random weights": untrained}
    named["random numbers,\nsmoothed"] = Explanation("random", random, Label.FAKE)
    return [(draw(crop, one), name) for name, one in named.items()]


def face_of(detector: virtus.Detector, name: str) -> FaceCrop:
    """The crop of an example's largest face."""
    photo = load_image(EXAMPLES / name)
    return crop_face(photo, find_faces(photo)[0], margin=detector.checkpoint.margin)


def p_fake(detector: virtus.Detector, crop: FaceCrop) -> str:
    return f"{detector.predict([crop])[0].p_fake:.2f}"


def draw(crop: FaceCrop, explanation: Explanation) -> Image.Image:
    return overlay_crop(crop, explanation.heatmap, signed=explanation.signed)


def sheet(tiles: Sequence[Tile], *, columns: int) -> Image.Image:
    """Pictures side by side, each with up to two lines below it."""
    height = TILE + 2 * LINE + 2 * GAP
    size = (columns * (TILE + GAP) + GAP, math.ceil(len(tiles) / columns) * height + GAP)
    result, font = Image.new("RGB", size, "white"), ImageFont.load_default(14)
    pen = ImageDraw.Draw(result)
    for index, (picture, caption) in enumerate(tiles):
        left, top = GAP + index % columns * (TILE + GAP), GAP + index // columns * height
        result.paste(picture.resize((TILE, TILE), Image.Resampling.LANCZOS), (left, top))
        pen.multiline_text((left, top + TILE + 4), caption, fill=INK, font=font, spacing=3)
    return result


if __name__ == "__main__":
    main()
