"""Faces that fill the picture, found and judged: `python -m benchmarks.faces.tight DATA` prints Markdown tables.

Faces of the reporting part are cut out along their box and then by so much of its sides more, each side by a share of
its own, drawn from 0 to twice the mean. Found is a face that covers at least half of the cut-out, the right way up.
What is cut out of the same photos beside or inside a face is no face. "By p alone" is a verdict without the rule for
faces that are cut too close.

`--faces`: of each source and class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from benchmarks import parser
from benchmarks.faces.turns import TURNS
from train.data import Sample
from train.report import held_out
from virtus.checkpoints import Detector, load_checkpoint
from virtus.faces import find_faces
from virtus.judging import detect_faces, judge_faces
from virtus.media import load_image
from virtus.results import Face, Label, Outcome

CUTS = (0.0, 0.04, 0.08, 0.12, 0.16, 0.24)
JUDGED = (0.0, 0.08)
COVERED = 0.5  # of a cut-out by the face that was cut out
LEAST_SIDE = 24  # pixels of a piece, as the finder asks for
NAMES = (*map(str, (Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE)), "no verdict")
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class WholeFace:
    """An upright face with all of its box in the photo."""

    photo: Image.Image
    face: Face
    label: Label


def whole_faces(samples: Sequence[Sample]) -> Iterator[WholeFace]:
    """Of the photos that show one upright face, and all of its box."""
    for sample in samples:
        photo = load_image(sample.path)
        faces = find_faces(photo)
        if len(faces) == 1 and faces[0].quarter_turns == 0 and _lies_inside(photo, faces[0]):
            yield WholeFace(photo, faces[0], sample.label)


def _lies_inside(photo: Image.Image, face: Face) -> bool:
    x0, y0, x1, y1 = face.box_xyxy
    return x0 > 0 and y0 > 0 and x1 < photo.width and y1 < photo.height


def cut_closer(one: WholeFace, mean: float, draw: np.random.Generator) -> Image.Image:
    """Along the box, and then each side by 0 to twice the mean share of the box's side."""
    x0, y0, x1, y1 = one.face.box_xyxy
    left, top, right, bottom = draw.uniform(0, 2 * mean, 4) * np.tile((one.face.width, one.face.height), 2)
    return one.photo.crop((x0 + left, y0 + top, x1 - right, y1 - bottom))


def no_faces(one: WholeFace) -> dict[str, list[Box]]:
    """Boxes of pieces that show no whole face, by kind."""
    x0, y0, x1, _ = one.face.box_xyxy
    left_eye, right_eye, _, left_mouth, right_mouth = np.array(one.face.landmarks)
    eyes = float(right_eye[0] - left_eye[0])
    width, height = one.photo.size
    top, bottom = min(left_eye[1], right_eye[1]) - 0.15 * eyes, max(left_mouth[1], right_mouth[1]) + 0.15 * eyes
    return {
        "strips beside and above the face": [(0, 0, x0, height), (x1, 0, width, height), (0, 0, width, y0)],
        "eyes": [_about(eye, 0.35 * eyes) for eye in (left_eye, right_eye)],
        "cheeks": [_about((eye + mouth) / 2, 0.3 * eyes) for eye, mouth in _sides(one.face)],
        "mouths": [_about((left_mouth + right_mouth) / 2, 0.45 * eyes)],
        "noses and mouths with the eyes' inner corners": [
            (left_eye[0] + 0.1 * eyes, top, right_eye[0] - 0.1 * eyes, bottom)
        ],
    }


def _about(point: np.ndarray, half: float) -> Box:
    return (point[0] - half, point[1] - half, point[0] + half, point[1] + half)


def _sides(face: Face) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    left_eye, right_eye, _, left_mouth, right_mouth = np.array(face.landmarks)
    return (left_eye, left_mouth), (right_eye, right_mouth)


def pieces(one: WholeFace, kind: str) -> list[Image.Image]:
    """Those of a kind that are large enough to be searched."""
    boxes = [box for box in no_faces(one)[kind] if min(box[2] - box[0], box[3] - box[1]) >= LEAST_SIDE]
    return [one.photo.crop(box) for box in boxes]


def is_found(picture: Image.Image, quarters: int) -> bool:
    """Whether the face that fills a picture is found in it, turned so that so many quarters make it upright."""
    turn = TURNS[quarters]
    found = find_faces(picture.transpose(turn) if turn is not None else picture, min_side=0)
    return any(face.quarter_turns == quarters and _fills(picture, face) for face in found)


def _fills(picture: Image.Image, face: Face) -> bool:
    return face.area >= COVERED * picture.width * picture.height


def found_rows(faces: Sequence[WholeFace]) -> Iterator[str]:
    yield "| cut by, in the mean | found | turned by a quarter |\n| ---: | ---: | ---: |"
    for mean in CUTS:
        draw = np.random.default_rng(0)
        cut = [cut_closer(one, mean, draw) for one in faces]
        turned = [is_found(picture, 1 + 2 * (k % 2)) for k, picture in enumerate(cut)]
        yield f"| {mean:.0%} | {_share([is_found(picture, 0) for picture in cut])} | {_share(turned)} |"


def _share(hits: Sequence[bool]) -> str:
    return f"{np.mean(hits):.1%}" if hits else "-"


def no_face_rows(faces: Sequence[WholeFace]) -> Iterator[str]:
    yield "| no face | pieces | taken for a face |\n| --- | ---: | ---: |"
    for kind in no_faces(faces[0]):
        cut = [piece for one in faces for piece in pieces(one, kind)]
        yield f"| {kind} | {len(cut)} | {sum(is_found(piece, 0) for piece in cut)} |"


def outcomes(detector: Detector, picture: Image.Image) -> tuple[Outcome, Outcome] | None:
    """Of the face that fills a picture: by p alone, and as the engine says it; None without one."""
    filling = [face for face in find_faces(picture) if _fills(picture, face)]
    detected = detect_faces(picture, detector.checkpoint, faces=filling[:1])
    if not detected.crops:
        return None
    (prediction,) = detector.predict(detected.crops)
    return prediction.outcome, judge_faces(detector, detected).faces[0].outcome


def verdict_rows(detector: Detector, faces: Sequence[WholeFace]) -> Iterator[str]:
    yield f"| cut by | class | verdict | {' | '.join(NAMES)} |\n| ---: | --- | --- |{' ---: |' * len(NAMES)}"
    for mean in JUDGED:
        draw = np.random.default_rng(0)
        found = [(one.label, outcomes(detector, cut_closer(one, mean, draw))) for one in faces]
        for label in Label:
            for at, verdict in enumerate(("by p alone", "as shipped")):
                named = Counter(str(both[at]) if both else NAMES[-1] for own, both in found if own is label)
                yield f"| {mean:.0%} | {label} | {verdict} | {' | '.join(str(named[name]) for name in NAMES)} |"


def main() -> None:
    args = parser(__doc__, data=True, model="auto", faces=20).parse_args()
    detector = Detector(load_checkpoint(args.model))
    faces = list(whole_faces(held_out(args.data, limit=args.faces)))
    print(f"{len(faces)} faces of the reporting part; {detector.checkpoint.info.name}")
    for rows in (found_rows(faces), no_face_rows(faces), verdict_rows(detector, faces)):
        print()
        for row in rows:
            print(row, flush=True)


if __name__ == "__main__":
    main()
