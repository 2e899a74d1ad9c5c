"""MTCNN's cascade of three nets (Zhang et al. 2016): facenet-pytorch's, run at a fraction of its cost.

Its own loop spends two thirds of a CPU's time on scaling pictures by an average pool and on a max pool over channels
that lie apart. Here OpenCV scales, channels lie together, small copies of the picture are looked at side by side, and
those in which only faces below a wanted size would be seen are left out; nets, thresholds and arithmetic of boxes are
the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image

from virtus.faces.nets import STRIDE, WINDOW, LookingNet, output_net, proposing_net, refining_net
from virtus.parallel import on_one_core

MIN_SIDE, FACTOR = 20, 0.709  # the smallest face, and how much smaller each copy of the picture is than the last
PROPOSED, REFINED, SURE = 0.6, 0.7, 0.7  # probabilities from which each net hands on
MEAN, STEP = 127.5, 1 / 128  # what the nets were trained on: (pixel - mean) * step
SHELF = 320  # pixels: so wide are copies of the picture that are looked at side by side, together
FAR = 1 << 14  # pixels: further apart than any two faces
AT_ONCE = 512  # boxes that are held against each other: memory grows with its square


class Detections(NamedTuple):
    """N faces: boxes (N, 4) as x0, y0, x1, y1 in pixels, perhaps outside the picture; confidences (N,) in [0, 1];
    landmarks (N, 5, 2): eyes, nose, corners of the mouth. All float32."""

    boxes: np.ndarray
    confidences: np.ndarray
    landmarks: np.ndarray


class Slot(NamedTuple):
    """A copy of the picture, `width` x `height`, that begins at a column of a shelf."""

    scale: float
    left: int
    width: int
    height: int


class Cascade:
    """Faces in pictures of at least 20 pixels a side. Holds no state between calls: several threads may share one."""

    def __init__(self) -> None:
        self._propose, self._refine, self._output = proposing_net(), refining_net(), output_net()

    @torch.inference_mode()
    def detect(self, image: Image.Image, *, smallest: float = MIN_SIDE, below: float = np.inf) -> Detections:
        """Faces in an RGB picture, none left out for want of confidence.

        Args:
            smallest, below: sides in pixels of the windows in which faces are looked for: at least, and less than.
                A face is seen in windows of some 0.6 to 1.5 times its side.
        """
        pixels = np.asarray(image).astype(np.float32)
        pixels -= MEAN
        pixels *= STEP
        scales = [scale for scale in _scales(min(pixels.shape[:2])) if smallest <= WINDOW / scale < below]
        with on_one_core():  # its many small steps gain a tenth by two, and take three times as long beside other work
            boxes = self._proposals(pixels, scales)
            boxes = self._refined(pixels, boxes)
            return self._detections(pixels, boxes)

    def _proposals(self, pixels: np.ndarray, scales: Sequence[float]) -> np.ndarray:
        """(N, 5): squares with their scores, from the first net on ever smaller copies of the picture."""
        found = [self._proposals_of(pixels, shelf) for shelf in _shelves(pixels.shape, scales)]
        boxes = np.concatenate(found or [np.zeros((0, 9), np.float32)])
        boxes = boxes[strongest(boxes, 0.7)]
        sides = np.tile(boxes[:, 2:4] - boxes[:, :2], 2)
        return squared(np.hstack((boxes[:, :4] + boxes[:, 5:] * sides, boxes[:, 4:5])))

    def _proposals_of(self, pixels: np.ndarray, shelf: Sequence[Slot]) -> np.ndarray:
        """(N, 9) of some copies of the picture: windows, probabilities, offsets."""
        row = np.zeros((max(slot.height for slot in shelf), shelf[-1].left + shelf[-1].width, 3), np.float32)
        for _, left, width, height in shelf:
            row[:height, left : left + width] = _scaled(pixels, width, height)
        seen, faces = self._propose(torch.from_numpy(row), [slot[1:] for slot in shelf])
        found = [proposed(faces.numpy(), slot, PROPOSED) for slot in shelf]
        rows, columns = np.concatenate([places for places, _ in found]).T
        offsets = self._propose.offsets(seen[rows, columns]).numpy()
        boxes = np.hstack((np.concatenate([windows for _, windows in found]), offsets))
        apart = np.repeat(np.arange(len(shelf), dtype=np.float32) * FAR, [len(windows) for _, windows in found])
        return boxes[strongest(np.hstack((boxes[:, :4] + apart[:, None], boxes[:, 4:5])), 0.5)]

    def _refined(self, pixels: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Those of the squares that the second net takes for faces, moved to where it sees them."""
        boxes, (offsets,) = _looked_at(self._refine, pixels, boxes, side=24, threshold=REFINED)
        kept = strongest(boxes, 0.7)
        return squared(moved(boxes[kept], offsets[kept]))

    def _detections(self, pixels: np.ndarray, boxes: np.ndarray) -> Detections:
        boxes, (offsets, points) = _looked_at(self._output, pixels, boxes, side=48, threshold=SURE)
        points = points.reshape(-1, 2, 5).swapaxes(1, 2)  # of the net: five x, then five y, in shares of the box
        landmarks = points * (boxes[:, None, 2:4] - boxes[:, None, :2] + 1) + boxes[:, None, :2] - 1
        boxes = moved(boxes, offsets)
        kept = strongest(boxes, 0.7, of_smaller=True)
        return Detections(boxes[kept, :4], boxes[kept, 4], landmarks[kept])


def _scales(shorter: int) -> Iterator[float]:
    """From the one in which the smallest faces fill a window to the one in which the picture's shorter side does."""
    scale = WINDOW / MIN_SIDE
    while shorter * scale >= WINDOW:
        yield scale
        scale *= FACTOR


def _shelves(shape: tuple[int, ...], scales: Sequence[float]) -> list[list[Slot]]:
    """Copies of a picture side by side, each from an even column on: large ones alone."""
    shelves: list[list[Slot]] = []
    for scale in scales:
        height, width = (int(side * scale + 1) for side in shape[:2])
        left = shelves[-1][-1].left + shelves[-1][-1].width if shelves else SHELF
        left += left % 2
        if left + width > SHELF:
            shelves.append([])
            left = 0
        shelves[-1].append(Slot(scale, left, width, height))
    return shelves


def _looked_at(
    net: LookingNet, pixels: np.ndarray, boxes: np.ndarray, *, side: int, threshold: float
) -> tuple[np.ndarray, list[np.ndarray]]:
    """The boxes that a net is sure of, with its own scores (N, 5), and what else it says of each.

    Shown what lies in a box and in the picture, scaled to (side, side).
    """
    edges = inside(boxes, width=pixels.shape[1], height=pixels.shape[0])
    kept = (edges[:, 2:] >= edges[:, :2]).all(axis=1)
    count = int(kept.sum())
    sizes = _batch_sizes(count)
    cuts = np.zeros((sum(sizes), side, side, 3), np.float32)
    for cut, (left, top, right, bottom) in zip(cuts[:count], edges[kept], strict=True):
        cut[:] = _scaled(pixels[top - 1 : bottom, left - 1 : right], side, side)
    parts = [net(part) for part in torch.from_numpy(cuts).split(sizes)]
    probabilities, *others = (torch.cat(values)[:count].numpy() for values in zip(*parts, strict=True))
    sure = probabilities > threshold
    boxes = np.hstack((boxes[kept, :4][sure], probabilities[sure, None]))
    return boxes, [values[sure] for values in others]


def _batch_sizes(count: int) -> list[int]:
    """Powers of two, the largest first, that hold so many cut-outs, and two or a quarter of the rest in vain at most:
    a small batch more takes as long as those.

    oneDNN keeps a megabyte of kernels for each size that a net was shown: a server grew by some 300 MB until all had
    come.
    """
    sizes: list[int] = []
    while count > 0:
        size = 1 << (count - 1).bit_length()
        sizes.append(size if size - count <= max(2, count // 4) else size // 2)
        count -= sizes[-1]
    return sizes or [0]


def _scaled(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def proposed(faces: np.ndarray, slot: Slot, threshold: float) -> tuple[np.ndarray, np.ndarray]:
    """Of a slot's windows those that show a face: places (N, 2) in the probabilities (H, W), and (N, 5) windows in the
    picture with their probabilities."""
    left = slot.left // STRIDE
    rows, columns = ((side - 1) // 2 - 4 for side in (slot.height, slot.width))  # of the net: a pool, two convolutions
    places = np.argwhere(faces[:rows, left : left + columns] >= threshold)
    corners = places[:, ::-1].astype(np.float32) * STRIDE
    places += (0, left)
    scale = np.float32(slot.scale)
    windows = (np.floor((corners + 1) / scale), np.floor((corners + WINDOW) / scale))
    return places, np.hstack((*windows, faces[places[:, 0], places[:, 1], None]))


def moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """(N, 5) boxes with probabilities, their corners moved by shares of their sides (N, 4)."""
    sides = np.tile(boxes[:, 2:4] - boxes[:, :2] + 1, 2)
    return np.hstack((boxes[:, :4] + offsets * sides, boxes[:, 4:]))


def squared(boxes: np.ndarray) -> np.ndarray:
    """(N, 5) boxes with probabilities to squares of the longer side about the same centres."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longest = sides.max(axis=1, keepdims=True)
    first = boxes[:, :2] + sides * 0.5 - longest * 0.5
    return np.hstack((first, first + longest, boxes[:, 4:]))


def inside(boxes: np.ndarray, width: int, height: int) -> np.ndarray:
    """(N, 4) int: left, top, right, bottom of what lies in the picture, counted from 1, the last ones included."""
    edges = boxes[:, :4].astype(np.int32)
    edges[:, :2] = edges[:, :2].clip(min=1)
    edges[:, 2:] = edges[:, 2:].clip(max=(width, height))
    return edges


def strongest(boxes: np.ndarray, overlap: float, *, of_smaller: bool = False) -> np.ndarray:
    """Indices of the boxes that overlap no more probable one by more than a share: non-maximum suppression.

    Args:
        boxes: (N, 5 or more): corners, then the probability.
        of_smaller: the share is of the smaller of both boxes, pixels counted from edge to edge, not of their union.
    """
    order = np.argsort(-boxes[:, 4], kind="stable")
    kept = order[:0]
    for start in range(0, len(order), AT_ONCE):
        some = order[start : start + AT_ONCE]
        if len(kept):
            some = some[~_overlaps(boxes[some], boxes[kept], overlap, of_smaller).any(axis=1)]
        hides = _overlaps(boxes[some], boxes[some], overlap, of_smaller)
        hidden = np.zeros(len(some), bool)
        for at in range(len(some)):
            if not hidden[at]:
                hidden[at + 1 :] |= hides[at, at + 1 :]
        kept = np.concatenate((kept, some[~hidden]))
    return kept


def _overlaps(boxes: np.ndarray, others: np.ndarray, share: float, of_smaller: bool) -> np.ndarray:
    """(N, 4 or more) and (M, 4 or more) to (N, M): whether two overlap by more than the share."""
    extra = np.float32(of_smaller)
    left, top, right, bottom = boxes.T[:4, :, None]  # (N, 1), against (M,) of the others
    left_2, top_2, right_2, bottom_2 = others.T[:4]
    width = np.maximum(np.minimum(right, right_2) - np.maximum(left, left_2) + extra, 0)
    height = np.maximum(np.minimum(bottom, bottom_2) - np.maximum(top, top_2) + extra, 0)
    areas = (right - left + extra) * (bottom - top + extra)
    areas_2 = (right_2 - left_2 + extra) * (bottom_2 - top_2 + extra)
    shared = width * height
    return shared / (np.minimum(areas, areas_2) if of_smaller else areas + areas_2 - shared) > share
