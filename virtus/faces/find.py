"""Faces in a photo, and the one crop that training and inference share."""

from __future__ import annotations

import functools
import threading
from dataclasses import replace
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image, ImageOps

from virtus.media import LargePhoto
from virtus.results import Face, FaceCrop

if TYPE_CHECKING:
    from virtus.faces.mtcnn import Cascade

MIN_CONFIDENCE = 0.90
# Measured on 180 photos in four turns (benchmarks/faces/turns.py): the first turn with a face is right for 51 to 82 %
# of the turned ones, the most confident turn for 99 %; so is this limit, which spares most upright ones other turns.
SURE_CONFIDENCE = 0.998
# 1 - confidence of a turned face, as a share of the upright one's at most: most photos are upright.
TURNED_DOUBT = 0.2
MIN_FACE_SIDE = 48
MIN_WINDOW = 0.6  # sides of the least face that is judged, in windows of MTCNN's first net
MIN_PICTURE_SIDE = 24  # MTCNN raises below about 20 px
DETECTION_SIDES = (512, 1024)
REDUCING_GAP = 2.0  # how much larger than wanted a picture stays that is averaged over whole pixels first
TIGHT = 0.5  # of a picture, the least that a face covers which is looked for with a border around it
BORDER, BORDER_COLOUR = 0.5, (128, 128, 128)  # of the longer side, on each side; compared in docs/faces.md
MAX_CUT_SIDE = 2048  # of large photos: several times what any model looks at

_lock = threading.Lock()


class FaceSearch(NamedTuple):
    """At a picture with its longer side scaled down to `side`, for faces in windows of `smallest` up to `below` px."""

    side: int
    smallest: float
    below: float


class _Searched:
    """A picture in which faces are looked for: each scaled copy is made once, and these are turned, not the picture."""

    def __init__(self, image: Image.Image):
        self._image, self.size = image, image.size
        self._scaled = functools.cache(self._scale)

    def turned(self, side: int, turns: int) -> Image.Image:
        """With its longer side scaled down to `side`, then turned counter-clockwise by so many quarters."""
        return _turn(self._scaled(side), turns)

    def _scale(self, side: int) -> Image.Image:
        scale = min(1.0, side / max(self.size))
        width, height = (max(MIN_PICTURE_SIDE, round(length * scale)) for length in self.size)
        if (width, height) == self.size:
            return self._image
        return _shrunk(self._image, (width, height))


def _shrunk(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Bilinear, with the filter that Pillow's has: up to four times smaller by torch, in a third of Pillow's time.

    Of a photo of 1280x960 two pixels of ten thousand then differ, by one level. Beyond that Pillow's own averages of
    whole pixels come first, which torch does not have.
    """
    if isinstance(image, LargePhoto) or max(image.width / size[0], image.height / size[1]) >= 2 * REDUCING_GAP:
        return image.resize(size, Image.Resampling.BILINEAR, reducing_gap=REDUCING_GAP)
    from torch import from_numpy
    from torch.nn.functional import interpolate

    pixels = from_numpy(np.array(image)).permute(2, 0, 1)[None]  # channels last, as torch's fast kernel wants them
    scaled = interpolate(pixels, size=(size[1], size[0]), mode="bilinear", antialias=True)
    return Image.fromarray(scaled[0].permute(1, 2, 0).numpy())


def find_faces(
    image: Image.Image, *, min_side: int = MIN_FACE_SIDE, sure_confidence: float = SURE_CONFIDENCE
) -> list[Face]:
    """Find the faces in an upright picture with MTCNN (Zhang et al. 2016).

    The picture is looked at with a longer side of at most 512 px, and of 1024 px if nothing was found. Unless that
    finds a face beyond doubt, the picture turned by 90, 180 and 270 degrees is looked at too, and the turn with the
    most confident face counts, of those in which its eyes lie above its mouth. Where there is no face that is large
    enough to be judged, one is looked for that fills the picture, with a grey border around it; then smaller ones.

    Args:
        image: RGB.
        min_side: faces whose box has a shorter side (in pixels of `image`) are left out; 0 keeps all.
        sure_confidence: of a face that spares the other turns.

    Returns:
        Faces with a confidence of at least `MIN_CONFIDENCE`, largest first, in pixels of `image`.
    """
    photo, (large, small) = _Searched(image), _looks(image.size)
    faces = _faces_of_best_turn(photo, large, sure_confidence)
    faces = faces or (_filling_faces(photo, sure_confidence) if large else [])
    faces = faces or _faces_of_best_turn(photo, small, sure_confidence)
    return [face for face in faces if min(face.width, face.height) >= min_side]


def _looks(size: tuple[int, int]) -> tuple[list[FaceSearch], list[FaceSearch]]:
    """For faces that are large enough to be judged, then for smaller ones; none for a picture that is too small."""
    if min(size) < MIN_PICTURE_SIDE:
        return [], []
    sides = DETECTION_SIDES if max(size) > DETECTION_SIDES[0] else DETECTION_SIDES[:1]
    windows = {side: MIN_WINDOW * MIN_FACE_SIDE * min(1.0, side / max(size)) for side in sides}
    return [FaceSearch(side, least, inf) for side, least in windows.items()], [
        FaceSearch(side, 0, least) for side, least in windows.items()
    ]


def _faces_of_best_turn(photo: _Searched, looks: list[FaceSearch], sure_confidence: float) -> list[Face]:
    """Of the four turns, the one with the most confident face that stands upright in it.

    MTCNN also fires on faces that lie on their side, and on upright ones upside down: where it does so at first sight,
    no turn is looked at more closely than that.
    """
    found, looks = _detect_first(photo, looks, 0)
    best, confidence = found, _upright_confidence(found)
    least_of_turned = 1 - TURNED_DOUBT * (1 - confidence)
    for turns in _likely_turns(found):
        if confidence >= sure_confidence:
            break
        faces, _ = _detect_first(photo, looks, turns)
        turned = _upright_confidence(faces)
        if turned > confidence and turned >= least_of_turned:
            best, confidence = [_turn_back(face, turns, photo.size) for face in faces], turned
    return best


def _filling_faces(photo: _Searched, sure_confidence: float) -> list[Face]:
    """Faces that fill the picture, of which the finder, made for whole faces, sees many only with room around them.

    With eyes, nose and mouth in the picture: of a nose alone it imagines the rest outside.
    """
    picture = photo.turned(DETECTION_SIDES[0], 0)
    border, factors = round(BORDER * max(picture.size)), np.array(photo.size) / picture.size
    framed = _Searched(ImageOps.expand(picture, border, BORDER_COLOUR))
    side = min(DETECTION_SIDES[0], max(framed.size))
    least = TIGHT * side / (1 + 2 * BORDER) / 2  # half as long as a square that covers so much of a square picture
    found = _faces_of_best_turn(framed, [FaceSearch(side, least, inf)], sure_confidence)
    faces = [_unframed(face, border, factors, photo.size) for face in found]
    least_area = TIGHT * photo.size[0] * photo.size[1]
    return [face for face in faces if face.area >= least_area and _holds(photo.size, face.landmarks)]


def _holds(size: tuple[int, int], points: tuple[tuple[float, float], ...]) -> bool:
    return bool((np.array(points) >= 0).all() and (np.array(points) <= size).all())


def _unframed(face: Face, border: int, factors: np.ndarray, size: tuple[int, int]) -> Face:
    """From pixels of a picture with a border to those of the picture of `size`, `factors` times as large without it."""
    box, marks = (np.reshape(points, (-1, 2)) - border for points in (face.box_xyxy, face.landmarks))
    return replace(_face(box, face.confidence, marks, factors, size), quarter_turns=face.quarter_turns)


def _likely_turns(faces: list[Face]) -> list[int]:
    """Quarters by which a picture can be turned: first the one that makes its most confident face upright."""
    order = [1, 2, 3]
    if faces:
        down = _down(max(faces, key=lambda face: face.confidence))
        # Of a face that lies on its side with the mouth to the left, a quarter counter-clockwise brings the mouth down.
        order.sort(key=lambda turns: -((-down[0], -down[1], down[0])[turns - 1]))
    return order


def _upright_confidence(faces: list[Face]) -> float:
    """Of the most confident face whose eyes lie above its mouth; 0 where there is none."""
    return max((face.confidence for face in faces if _is_upright(face)), default=0.0)


def _is_upright(face: Face) -> bool:
    across, down = _down(face)
    return bool(down > abs(across))


def _down(face: Face) -> np.ndarray:
    """(2,): from between the eyes to the middle of the mouth."""
    return np.mean(face.landmarks[3:], axis=0) - np.mean(face.landmarks[:2], axis=0)


def _detect_first(photo: _Searched, looks: list[FaceSearch], turns: int) -> tuple[list[Face], list[FaceSearch]]:
    """What the first look that finds something finds, in pixels of the turned photo; and the looks that it took."""
    for count, look in enumerate(looks, 1):
        if faces := _detect(photo, look, turns):
            return faces, looks[:count]
    return [], looks


def crop_face(image: Image.Image, face: Face, *, margin: float) -> FaceCrop:
    """Cut out a square around a face: `margin` times the longer side of its box, at most the picture's shorter side.

    The square is shifted, not padded, at the border of the picture. The result is turned so that the face is upright.
    """
    x0, y0, x1, y1 = face.box_xyxy
    longer = max(face.width, face.height)
    side = max(1, min(round(margin * longer), *image.size))
    left = _shift_inside((x0 + x1) / 2, side, image.width)
    top = _shift_inside((y0 + y1) / 2, side, image.height)
    box = (left, top, left + side, top + side)
    crop = _turn(_cut(image, box), face.quarter_turns)
    return FaceCrop(crop, box, margin=side / longer, quarter_turns=face.quarter_turns)


def whole_image(image: Image.Image) -> FaceCrop:
    """The picture as it is, for sets of ready-made crops."""
    box = (0, 0, *image.size)
    return FaceCrop(_cut(image, box) if isinstance(image, LargePhoto) else image, box)


def cut_out(image: Image.Image, face: Face | None, *, margin: float) -> FaceCrop:
    """What a checkpoint is shown of a picture: a face, or where there is None all of it."""
    return crop_face(image, face, margin=margin) if face else whole_image(image)


def _cut(image: Image.Image, box: tuple[int, int, int, int]) -> Image.Image:
    """What lies in a box; of a `LargePhoto` that has to be converted with at most `MAX_CUT_SIDE` pixels a side."""
    size = (box[2] - box[0], box[3] - box[1])
    scale = MAX_CUT_SIDE / max(size)
    if scale >= 1 or not isinstance(image, LargePhoto) or image.is_rgb:
        return image.crop(box)
    fitted = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
    return image.resize(fitted, Image.Resampling.BICUBIC, box, reducing_gap=2.0)


def _shift_inside(centre: float, side: int, limit: int) -> int:
    return min(max(round(centre - side / 2), 0), limit - side)


def _turn(image: Image.Image, turns: int) -> Image.Image:
    """Counter-clockwise by `turns` quarters."""
    turn = (None, Image.Transpose.ROTATE_90, Image.Transpose.ROTATE_180, Image.Transpose.ROTATE_270)[turns]
    return image if turn is None else image.transpose(turn)


def _detect(photo: _Searched, look: FaceSearch, turns: int) -> list[Face]:
    """Faces in the turned photo, largest first."""
    width, height = photo.size
    small, size = photo.turned(look.side, turns), (height, width) if turns % 2 else (width, height)
    factors = np.array(size) / np.array(small.size)
    found = zip(*_cascade().detect(small, smallest=look.smallest, below=look.below), strict=True)
    faces = [_face(b, c, p, factors, size) for b, c, p in found if c >= MIN_CONFIDENCE]
    # A box can lie wholly outside the picture: clipped, nothing of it is left.
    return sorted((face for face in faces if min(face.width, face.height) >= 1), key=lambda face: -face.area)


def _face(box: np.ndarray, confidence: float, points: np.ndarray, factors: np.ndarray, size: tuple[int, int]) -> Face:
    x0, y0, x1, y1 = map(float, np.clip(box.reshape(2, 2).astype(float) * factors, 0, size).ravel())
    landmarks = tuple((float(x), float(y)) for x, y in points.astype(float) * factors)
    return Face((x0, y0, x1, y1), landmarks, float(confidence))


def _turn_back(face: Face, turns: int, size: tuple[int, int]) -> Face:
    """From pixels of a picture turned counter-clockwise by `turns` quarters to pixels of the picture of `size`."""
    x0, y0, x1, y1 = face.box_xyxy
    corners = [_turn_point_back(point, turns, size) for point in ((x0, y0), (x1, y1))]
    xs, ys = sorted(x for x, _ in corners), sorted(y for _, y in corners)
    landmarks = tuple(_turn_point_back(point, turns, size) for point in face.landmarks)
    return Face((xs[0], ys[0], xs[1], ys[1]), landmarks, face.confidence, turns)


def _turn_point_back(point: tuple[float, float], turns: int, size: tuple[int, int]) -> tuple[float, float]:
    (x, y), (width, height) = point, size
    return ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[turns]


def _cascade() -> Cascade:
    with _lock:
        return _load_cascade()


@functools.cache
def _load_cascade() -> Cascade:
    from virtus.faces.mtcnn import Cascade

    return Cascade()
