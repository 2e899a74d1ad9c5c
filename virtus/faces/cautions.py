"""What makes a verdict on a face less sure, and what can be done about it: measured on the crop and the landmarks.

Each limit was chosen on ordinary held-out pictures (docs/benchmarks.md): few of them pass it.
"""

from __future__ import annotations

from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image

from virtus.results import Caution, Face, FaceCrop

MIN_INPUT_SHARE = 0.5  # side of the crop, as a share of what the model looks at
MAX_BLUR = 0.014  # of the face's width
MEASURED_SIDE = 512  # px: of the face's width at most when its blur is measured, of what is searched for blocks
SMOOTHING, REBLUR = 0.005, 0.01  # of the face's width: against noise, and what edges are held against
EDGES = 0.05  # share of the pixels: the steepest
MIN_JPEG_QUALITY = 40
MAX_BLOCKINESS = 0.6
MAX_YAW = 0.5  # the nose beyond an eye: about 48 degrees
MIN_VISIBLE = 0.8
MIN_MARGIN = 0.95  # of a crop: 1 holds the longer side of the face's box. No picture of the bundled ones' data is below
# The box of an upright face about the mean of its landmarks, in units of the geometric mean of the distance between the
# eyes and that from eyes to mouth: left, top, right, bottom. The medians of MTCNN's boxes on pictures with room around.
FACE_EXTENT = (-1.08, -1.64, 1.08, 1.22)

SENTENCES = {
    "small": "The face has few pixels: the model looks at more than twice as many a side. "
    "Use the photo in its original size, or one taken from nearer.",
    "blurred": "The face is blurred. Use a photo in which it is in focus.",
    "compressed": "The picture is strongly compressed. Use the original file, not a screenshot or a messenger's copy.",
    "turned_away": "The face is turned to the side. Use a photo that shows it from the front.",
    "cut_off": "Part of the face lies outside the picture. Use a photo that shows all of it.",
    "too_close": "The picture is cut closer to the face than any that models here learned from or were measured on. "
    "Use a photo with all of the head.",
    "incomplete": "The file is cut off, and the picture's end is missing: only the part that is there was judged. "
    "Save, download or upload it again.",
    "several_faces": "There are {count} faces in the picture, and this number is of one of them: "
    "number {number}, counted from the largest. Look at each face's own.",
    "unfamiliar": "This is unlike anything that the model learned from: perhaps a drawing, a painting, a doll or an "
    "unusual photo. Use an ordinary photo of the face.",
}


def find_cautions(
    crop: FaceCrop,
    face: Face | None,
    *,
    image_size: tuple[int, int],
    input_side: int,
    jpeg_quality: int | None = None,
    readable_share: float | None = None,
    number: int = 1,
    count: int = 1,
) -> tuple[Caution, ...]:
    """Those of the cautions that can be told from the picture; `unfamiliar` is told by the trunk (see `unfamiliar`).

    Args:
        face: None for a whole picture: what needs landmarks is left out then.
        image_size: width and height of the upright picture.
        input_side: shorter side of what the model looks at, pixels.
        jpeg_quality: of the file, 1 to 100, where that is known; otherwise the pixels alone are asked.
        readable_share: of the picture's rows, those that are there; None of a file that is whole.
        number, count: of the judged faces in the picture, largest first, this is so-manieth.
    """
    low_quality = jpeg_quality is not None and jpeg_quality < MIN_JPEG_QUALITY
    found = {
        "small": min(crop.image.size) < MIN_INPUT_SHARE * input_side,
        "blurred": blur_width(crop) > MAX_BLUR,
        "compressed": low_quality or blockiness(crop.image) > MAX_BLOCKINESS,
        "turned_away": face is not None and abs(yaw(face)) > MAX_YAW,
        "cut_off": face is not None and visible_share(face, image_size) < MIN_VISIBLE,
        "too_close": crop.margin is not None and crop.margin < MIN_MARGIN,
        "incomplete": readable_share is not None,
        "several_faces": count > 1,
    }
    return tuple(_caution(name, number=number, count=count) for name, fires in found.items() if fires)


def unfamiliar() -> Caution:
    """Of a face whose novelty is above 1 (see `virtus.checkpoints.novelty`)."""
    return _caution("unfamiliar")


def is_too_close(cautions: Iterable[Caution]) -> bool:
    """Whether `too_close` is among them, by which p counts for nothing."""
    return any(caution.name == "too_close" for caution in cautions)


def blur_width(crop: FaceCrop) -> float:
    """Standard deviation of the Gaussian that blurs the steepest edges of a face, as a share of the face's width.

    Blurred again by a known width, an edge gets the flatter the sharper it was: the ratio of its steepness before and
    after tells how wide it was (Zhuo & Sim 2011). Both are measured behind a slight blur, by which noise counts little.
    A flat face has infinitely wide edges.
    """
    grey = _grey_face(crop)
    smoothed, again = (cv2.GaussianBlur(grey, (0, 0), width * grey.shape[1]) for width in (SMOOTHING, _after(REBLUR)))
    before, after = _steepness(smoothed), _steepness(again)
    edges = after >= np.quantile(after, 1 - EDGES)
    ratio = (before[edges] ** 2).mean() / max((after[edges] ** 2).mean(), 1e-9)
    return float(np.sqrt(max(REBLUR**2 / (ratio - 1) - SMOOTHING**2, 0))) if ratio > 1 else float("inf")


def _after(width: float) -> float:
    """Of one Gaussian that does what the smoothing and this one do."""
    return float(np.hypot(SMOOTHING, width))


def _grey_face(crop: FaceCrop) -> np.ndarray:
    """(H, W) float32, without the margin about the face, at its own size or `MEASURED_SIDE`."""
    width, height = crop.image.size
    trim = (1 - 1 / max(crop.margin or 1.0, 1.0)) / 2
    left, top = round(width * trim), round(height * trim)
    face = crop.image.crop((left, top, width - left, height - top)).convert("L")
    face.thumbnail((MEASURED_SIDE, MEASURED_SIDE), Image.Resampling.BOX)
    return np.asarray(face, np.float32)


def _steepness(grey: np.ndarray) -> np.ndarray:
    return np.hypot(*np.gradient(grey))


def blockiness(image: Image.Image) -> float:
    """How much steeper the steps between 8x8 blocks are than the others, in units of the mean step.

    Wherever the grid starts, so that it is found in a cut-out and in a PNG made of a JPEG; not in one that was scaled.
    Of a large picture the middle tells it: some sixty blocks a side.
    """
    left, top = (max(0, side - MEASURED_SIDE) // 2 for side in image.size)
    middle = image.crop((left, top, image.width - left, image.height - top))
    grey = np.asarray(middle.convert("L"), np.float32)
    return sum(_steps_at_blocks(part) for part in (grey, grey.T)) / 2


def yaw(face: Face) -> float:
    """Where the nose stands between the eyes, along the line through them: 0 midway, +-0.5 at an eye.

    A head of usual proportions gives +-0.26 when turned by 30 degrees, 0.45 by 45, 0.78 by 60.
    """
    return yaw_of(np.array(face.landmarks))


def yaw_of(landmarks: np.ndarray) -> float:
    """The same of landmarks (5, 2) in any unit."""
    left, right, nose = landmarks[:3]
    eyes = right - left
    return float((nose - left) @ eyes / max(eyes @ eyes, 1e-6) - 0.5)


def visible_share(face: Face, image_size: tuple[int, int]) -> float:
    """Share of the face, as large as its landmarks say, that lies in the picture: in [0, 1]."""
    points = np.array(face.landmarks)
    down = points[3:].mean(0) - points[:2].mean(0)
    eyes = float(np.hypot(*(points[1] - points[0])))
    down_length = max(float(np.hypot(*down)), 1e-6)
    down, scale = down / down_length, np.sqrt(max(eyes, 1e-6) * down_length)
    across = np.array([down[1], -down[0]])
    left, top, right, bottom = FACE_EXTENT
    xs, ys = np.meshgrid(np.linspace(left, right, 20), np.linspace(top, bottom, 20))
    grid = points.mean(0) + scale * (xs[..., None] * across + ys[..., None] * down)
    return float(((grid >= 0) & (grid <= image_size)).all(-1).mean())


def _steps_at_blocks(grey: np.ndarray) -> float:
    steps = np.abs(np.diff(grey, axis=1))
    if steps.shape[1] < 32:  # too few blocks to tell a grid from chance
        return 0.0
    steeper = (steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2).mean(0)
    phases = steeper[: len(steeper) // 8 * 8].reshape(-1, 8).mean(0)
    return float((phases.max() - np.median(phases)) / (steps.mean() + 0.5))


def _caution(name: str, **words) -> Caution:
    return Caution(name, SENTENCES[name].format(**words))
