"""Which part of a face each cell of a grid on its crop shows, in words: for people who cannot see a map."""

from __future__ import annotations

import numpy as np

from virtus.faces.cautions import FACE_EXTENT
from virtus.results import Face, FaceCrop

BACKGROUND = "background"
PLACES = (("upper left", "top", "upper right"), ("left", "centre", "right"), ("lower left", "bottom", "lower right"))
"""Of a picture in which no face was looked for."""
# In units of the geometric mean of the distance between the eyes and that from eyes to mouth.
EYE, NOSE, MOUTH, CHIN = (0.36, 0.26), 0.28, (0.18, 0.24), 0.55


def name_cells(
    face: Face | None, crop: FaceCrop, shown_box: tuple[float, float, float, float], grid_size: tuple[int, int]
) -> tuple[str, ...]:
    """The part that the middle of each cell shows, by the landmarks, row by row from the top.

    "left eye" (with the brow), "right eye", "nose", "mouth", "forehead", "left cheek", "right cheek", "chin", or
    "background": hair, ears, neck and all around. Left is left in the picture. Without a face "upper left", "top" ...
    "lower right", by thirds.

    Args:
        shown_box: what the grid covers of the crop's picture: left, top, right, bottom, in its pixels.
    """
    rows, columns = ((np.arange(count) + 0.5) / count for count in grid_size)
    if face is None:
        return tuple(PLACES[int(3 * row)][int(3 * column)] for row in rows for column in columns)
    left, top, right, bottom = shown_box
    xs, ys = np.meshgrid(left + (right - left) * columns, top + (bottom - top) * rows)
    return tuple(_parts(np.stack([xs.ravel(), ys.ravel()], axis=1), _landmarks_in(crop, face)).tolist())


def _landmarks_in(crop: FaceCrop, face: Face) -> np.ndarray:
    """(5, 2), in pixels of the crop's picture, in which the face is upright."""
    x0, y0, x1, y1 = crop.box_xyxy
    points = (np.array(face.landmarks) - (x0, y0)) / (x1 - x0, y1 - y0) - 0.5
    for _ in range(crop.quarter_turns):
        points = np.stack([points[:, 1], -points[:, 0]], axis=1)
    return (points + 0.5) * crop.image.size


def _parts(points: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
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
    left, top, right, bottom = FACE_EXTENT
    ellipse = (2 * across / (right - left)) ** 2 + ((2 * below - top - bottom) / (bottom - top)) ** 2
    mouth_left, mouth_right = marks[3:, 0].min() - MOUTH[0], marks[3:, 0].max() + MOUTH[0]
    is_eye = [np.hypot((across - x) / EYE[0], (below - y) / EYE[1]) < 1 for x, y in marks[:2]]
    parts = {
        "left eye": is_eye[0],
        "right eye": is_eye[1],
        BACKGROUND: ellipse > 1,
        "mouth": (np.abs(below - mouth_line) < MOUTH[1]) & (across > mouth_left) & (across < mouth_right),
        "nose": (np.abs(across - middle) < NOSE) & (below > eye_line - EYE[1]) & (below < mouth_line),
        "forehead": below < eye_line - EYE[1],
        "chin": (below > mouth_line) & (np.abs(across) < CHIN),
        "left cheek": across < middle,
    }
    return np.select(list(parts.values()), list(parts), default="right cheek")
