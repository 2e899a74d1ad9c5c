"""Faces in the frames of a clip to persons: who is whom, from one frame to the next.

Frames that are evenly spaced over a clip may lie seconds apart, so a face may have moved anywhere meanwhile. Two things
are looked at: what it looks like, by a histogram of the colours of its crop (skin, hair and what is behind; compared
as in Comaniciu et al. 2003, doi:10.1109/TPAMI.2003.1195991), and how far it moved and grew, measured in faces. The
pairs of each frame are those that cost the least in sum. This knows no names: it cannot tell twins, nor know a
person again who comes back in another light.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

BINS = (8, 4, 4)  # of hue, saturation, value
LOOKS_SIDE = 64  # px a side at which colours are counted
# Between crops of one person in one clip the distance is below 0.44 in 95 of 100 pairs, 0.53 in 99; between those of
# two clips below 0.51 in 1 of 100 (four clips, and 300 pairs of DFDC crops).
MAX_LOOKS = 0.55
FAR = 3.0  # faces moved from which more makes no difference
MOVED, GROWN = 0.3, 0.15  # weights: who moved far and doubled in size must look the more alike
NUM_REMEMBERED = 5  # last sights of a person that a face is held against

Box = tuple[float, float, float, float]
"""XYXY, in pixels."""


@dataclass(frozen=True)
class SeenFace:
    """A face in a frame.

    Attributes:
        box_xyxy: in the frame's pixels.
        looks: (128,) float32, of its crop: see `looks_of`.
    """

    box_xyxy: Box
    looks: np.ndarray


def looks_of(crop: Image.Image) -> np.ndarray:
    """(128,) float32, of length 1: the roots of the shares of pixels of each colour."""
    small = crop.resize((LOOKS_SIDE, LOOKS_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(small.convert("HSV")).reshape(-1, 3)
    counts = np.histogramdd(pixels, BINS, range=((0, 256),) * 3)[0].ravel()
    return np.sqrt(counts / counts.sum()).astype(np.float32)


def track_people(frames: Sequence[Sequence[SeenFace]]) -> list[list[tuple[int, int]]]:
    """The persons in a clip, in the order in which they first come.

    A person is never given up: who leaves and comes back is the same one, if the looks are. A frame without the person
    does no harm.

    Args:
        frames: the faces of each frame, in the order of time.

    Returns:
        For each person the (frame, face) indices, one at most a frame.
    """
    people: list[list[tuple[int, int]]] = []
    for number, faces in enumerate(frames):
        remembered = [[frames[at][face] for at, face in person[-NUM_REMEMBERED:]] for person in people]
        known = _assign(remembered, faces)
        for face in range(len(faces)):
            if face in known:
                people[known[face]].append((number, face))
            else:
                people.append([(number, face)])
    return people


def match_cost(person: Sequence[SeenFace], face: SeenFace) -> float:
    """How unlike the last sights of a person a face is: 0 for the same again, above 1 for somebody else."""
    looks = min(float(np.linalg.norm(seen.looks - face.looks)) for seen in person)
    last = person[-1].box_xyxy
    moved = min(_distance(last, face.box_xyxy) / FAR, 1.0)
    grown = min(abs(np.log2(_side(face.box_xyxy) / _side(last))), 1.0)
    return float(looks / MAX_LOOKS + MOVED * moved + GROWN * grown)


def _assign(people: Sequence[Sequence[SeenFace]], faces: Sequence[SeenFace]) -> dict[int, int]:
    """Face to person, for the faces that are somebody's."""
    from scipy.optimize import linear_sum_assignment

    if not people or not faces:
        return {}
    costs = np.array([[match_cost(person, face) for face in faces] for person in people])
    # As dear as can be where it may not be, so that no pair that may be is given up for it.
    rows, columns = linear_sum_assignment(np.where(costs <= 1, costs, len(faces) + 1.0))
    return {int(face): int(person) for person, face in zip(rows, columns, strict=True) if costs[person, face] <= 1}


def _distance(box: Box, other: Box) -> float:
    """Of the centres, in faces."""
    (x, y), (u, v) = (((x0 + x1) / 2, (y0 + y1) / 2) for x0, y0, x1, y1 in (box, other))
    return float(np.hypot(x - u, y - v) / ((_side(box) + _side(other)) / 2))


def _side(box: Box) -> float:
    return max(box[2] - box[0], box[3] - box[1], 1.0)
