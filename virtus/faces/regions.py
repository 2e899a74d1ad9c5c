"""Which part of a face each cell of a grid on its crop shows, in words: for people who cannot see a map."""

from __future__ import annotations

import numpy as np

from virtus.faces.cautions import FACE_EXTENT, MAX_YAW, yaw_of
from virtus.results import Face, FaceCrop

BACKGROUND = "background"
PLACES = (("upper left", "top", "upper right"), ("left", "centre", "right"), ("lower left", "bottom", "lower right"))
"""Of a picture in which no face was looked for."""
# In units of the geometric mean of the distance between the eyes and that from eyes to mouth.
EYE, NOSE, MOUTH, CHIN = (0.36, 0.26), 0.28, (0.18, 0.24), 0.55
NEAR, WING = 0.5, 1.0  # how much wider the near halves of a face and of its nose are for each unit of yaw
BEFORE_NOSE = 0.15  # of a profile
MAX_SHIFT = 0.5  # from where the landmarks place a face that looks ahead to where its box is: one at the border is cut


def name_cells(
    face: Face | None, crop: FaceCrop, shown_box: tuple[float, float, float, float], grid_size: tuple[int, int]
) -> tuple[str, ...]:
    """The part that the middle of each cell shows, by the landmarks, row by row from the top.

    "left eye" (with the brow), "right eye", "nose", "mouth", "forehead", "left cheek", "right cheek", "chin", or
    "background": hair, neck and all around. Left is left in the picture. Without a face "upper left", "top" ...
    "lower right", by thirds.

    Args:
        shown_box: what the grid covers of the crop's picture: left, top, right, bottom, in its pixels.
    """
    rows, columns = ((np.arange(count) + 0.5) / count for count in grid_size)
    if face is None:
        return tuple(PLACES[int(3 * row)][int(3 * column)] for row in rows for column in columns)
    left, top, right, bottom = shown_box
    xs, ys = np.meshgrid(left + (right - left) * columns, top + (bottom - top) * rows)
    landmarks = _in_crop(crop, np.array(face.landmarks))
    box = _in_crop(crop, np.reshape(face.box_xyxy, (2, 2)))
    return tuple(_parts(np.stack([xs.ravel(), ys.ravel()], axis=1), landmarks, box).tolist())


def _in_crop(crop: FaceCrop, points: np.ndarray) -> np.ndarray:
    """Points (M, 2) of the photo in pixels of the crop's picture, in which the face is upright."""
    x0, y0, x1, y1 = crop.box_xyxy
    points = (points - (x0, y0)) / (x1 - x0, y1 - y0) - 0.5
    for _ in range(crop.quarter_turns):
        points = np.stack([points[:, 1], -points[:, 0]], axis=1)
    return (points + 0.5) * crop.image.size


def _outline(box_middle: np.ndarray, box_area: float) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half axes of a face's ellipse, across and down, about the mean of its landmarks and in their unit.

    Of a head turned to the side the landmarks crowd at the far edge, nearer to each other, while the box holds the near
    cheek and jaw too. So the box says where the face is, and how large, unless the picture's border cuts it.
    """
    left, top, right, bottom = FACE_EXTENT
    middle, half = np.array([left + right, top + bottom]) / 2, np.array([right - left, bottom - top]) / 2
    shift = np.clip(box_middle - middle, -MAX_SHIFT, MAX_SHIFT)
    larger = float(np.sqrt(box_area / np.prod(2 * half)))  # by the area, which a tilted face's box hardly changes
    return middle + shift, half * max(larger, 1.0)


def _is_inside(points: np.ndarray, middle: np.ndarray, half: np.ndarray, marks: np.ndarray) -> np.ndarray:
    """Which points (M, 2) show the face: those in an ellipse that is wider on the side that the head turns away from.

    Seen from the side, nothing lies before the nose.
    """
    turn = yaw_of(marks)
    across, below = ((points - middle) / half).T
    is_near = across * np.sign(turn) < 0
    is_before = (points[:, 0] - marks[2, 0]) * np.sign(turn) > BEFORE_NOSE
    in_ellipse = (across / np.where(is_near, 1 + NEAR * abs(turn), 1)) ** 2 + below**2 <= 1
    return in_ellipse & ~(is_before & (abs(turn) > MAX_YAW))


def _parts(points: np.ndarray, landmarks: np.ndarray, box: np.ndarray) -> np.ndarray:
    """Names (M,) of points (M, 2), measured along the line through the eyes and down from it."""
    eyes, mouth = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    down = (mouth - eyes) / max(float(np.hypot(*(mouth - eyes))), 1e-6)
    axes = np.array([(down[1], -down[0]), down]).T
    scale = max(float(np.sqrt(np.hypot(*(landmarks[1] - landmarks[0])) * np.hypot(*(mouth - eyes)))), 1e-6)
    centre = landmarks.mean(axis=0)
    across, below = ((points - centre) @ axes / scale).T
    marks = (landmarks - centre) @ axes / scale
    (eye_line, mouth_line), nose = (marks[:2, 1].mean(), marks[3:, 1].mean()), marks[2]
    bridge = marks[:2, 0].mean()
    middle = bridge + (nose[0] - bridge) * np.clip((below - eye_line) / max(nose[1] - eye_line, 1e-6), 0, 1)
    beside, turn = across - middle, yaw_of(marks)
    wing = np.where(beside * np.sign(turn) < 0, NOSE * (1 + WING * abs(turn)), NOSE)
    box_middle, box_area = (box.mean(axis=0) - centre) @ axes / scale, float(np.prod(np.ptp(box, axis=0))) / scale**2
    inside = _is_inside(np.stack([across, below], axis=1), *_outline(box_middle, box_area), marks)
    mouth_left, mouth_right = marks[3:, 0].min() - MOUTH[0], marks[3:, 0].max() + MOUTH[0]
    is_eye = [np.hypot((across - x) / EYE[0], (below - y) / EYE[1]) < 1 for x, y in marks[:2]]
    parts = {
        "left eye": is_eye[0],
        "right eye": is_eye[1],
        BACKGROUND: ~inside,
        "mouth": (np.abs(below - mouth_line) < MOUTH[1]) & (across > mouth_left) & (across < mouth_right),
        "nose": (np.abs(beside) < wing) & (below > eye_line - EYE[1]) & (below < mouth_line),
        "forehead": below < eye_line - EYE[1],
        "chin": (below > mouth_line) & (np.abs(across - marks[3:, 0].mean()) < CHIN),
        "left cheek": across < middle,
    }
    return np.select(list(parts.values()), list(parts), default="right cheek")
