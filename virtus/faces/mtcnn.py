"""MTCNN's cascade of three nets (Zhang et al. 2016): facenet-pytorch's nets and weights, run at half of its cost.

Its own loop spends two thirds of a CPU's time on scaling pictures by an average pool and on a max pool over channels
that lie apart. Here OpenCV scales, and channels lie together; nets, thresholds and arithmetic of boxes are the same.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image

from virtus.faces.boxes import WINDOW, inside, moved, proposed, squared, strongest
from virtus.faces.nets import output_net, proposing_net, refining_net

MIN_SIDE, FACTOR = 20, 0.709  # the smallest face, and how much smaller each copy of the picture is than the last
PROPOSED, REFINED, SURE = 0.6, 0.7, 0.7  # probabilities from which each net hands on
MEAN, STEP = 127.5, 1 / 128  # what the nets were trained on: (pixel - mean) * step


class Detections(NamedTuple):
    """N faces: boxes (N, 4) as x0, y0, x1, y1 in pixels, perhaps outside the picture; confidences (N,) in [0, 1];
    landmarks (N, 5, 2): eyes, nose, corners of the mouth. All float32."""

    boxes: np.ndarray
    confidences: np.ndarray
    landmarks: np.ndarray


class Cascade:
    """Faces in pictures of at least 20 pixels a side. Holds no state between calls: several threads may share one."""

    def __init__(self) -> None:
        nets = (proposing_net(), refining_net(), output_net())
        self._propose, self._refine, self._output = (net.to(memory_format=torch.channels_last) for net in nets)

    @torch.inference_mode()
    def detect(self, image: Image.Image) -> Detections:
        """Faces in an RGB picture, none left out for want of size or confidence."""
        pixels = (np.asarray(image, dtype=np.float32) - MEAN) * STEP
        boxes = self._proposals(pixels)
        boxes = self._refined(pixels, boxes)
        return self._detections(pixels, boxes)

    def _proposals(self, pixels: np.ndarray) -> torch.Tensor:
        """(N, 5): squares with their scores, from the first net on ever smaller copies of the picture."""
        found = [self._proposals_at(pixels, scale) for scale in self._scales(min(pixels.shape[:2]))]
        boxes = torch.cat(found)
        boxes = boxes[strongest(boxes, 0.7)]
        sides = (boxes[:, 2:4] - boxes[:, :2]).repeat(1, 2)
        return squared(torch.cat((boxes[:, :4] + boxes[:, 5:] * sides, boxes[:, 4:5]), dim=1))

    def _scales(self, shorter: int) -> list[float]:
        scales = [WINDOW / MIN_SIDE]
        while shorter * scales[-1] * FACTOR >= WINDOW:
            scales.append(scales[-1] * FACTOR)
        return scales

    def _proposals_at(self, pixels: np.ndarray, scale: float) -> torch.Tensor:
        height, width = (int(side * scale + 1) for side in pixels.shape[:2])
        offsets, probabilities = self._propose(_batch([_scaled(pixels, width, height)]))
        boxes = proposed(offsets[0], probabilities[0, 1], scale, PROPOSED)
        return boxes[strongest(boxes, 0.5)]

    def _refined(self, pixels: np.ndarray, boxes: torch.Tensor) -> torch.Tensor:
        """Those of the squares that the second net takes for faces, moved to where it sees them."""
        boxes, cuts = _cut(pixels, boxes, side=24)
        if cuts is None:
            return boxes
        offsets, probabilities = self._refine(cuts)
        boxes, offsets = _taken(boxes, probabilities, REFINED, offsets)
        kept = strongest(boxes, 0.7)
        return squared(moved(boxes[kept], offsets[kept]))

    def _detections(self, pixels: np.ndarray, boxes: torch.Tensor) -> Detections:
        boxes, cuts = _cut(pixels, boxes, side=48)
        if cuts is None:
            return Detections(*(np.zeros((0, *shape), np.float32) for shape in ((4,), (), (5, 2))))
        offsets, points, probabilities = self._output(cuts)
        boxes, offsets, points = _taken(boxes, probabilities, SURE, offsets, points)
        points = points.unflatten(1, (2, 5)).transpose(1, 2)  # of the net: five x, then five y, in shares of the box
        landmarks = points * (boxes[:, None, 2:4] - boxes[:, None, :2] + 1) + boxes[:, None, :2] - 1
        boxes = moved(boxes, offsets)
        kept = strongest(boxes, 0.7, of_smaller=True)
        return Detections(boxes[kept, :4].numpy(), boxes[kept, 4].numpy(), landmarks[kept].numpy())


def _taken(boxes: torch.Tensor, probabilities: torch.Tensor, threshold: float, *others: torch.Tensor) -> tuple:
    """The boxes that a net is sure of, with its own scores, and the rest of what it says of them."""
    sure = probabilities[:, 1] > threshold
    return torch.cat((boxes[sure, :4], probabilities[sure, 1:]), dim=1), *(other[sure] for other in others)


def _cut(pixels: np.ndarray, boxes: torch.Tensor, *, side: int) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The boxes of which something lies in the picture, and that part scaled to (N, 3, side, side); None for none."""
    edges = inside(boxes, width=pixels.shape[1], height=pixels.shape[0])
    kept = (edges[:, 2:] >= edges[:, :2]).all(axis=1)
    cuts = [_scaled(pixels[top - 1 : bottom, left - 1 : right], side, side) for left, top, right, bottom in edges[kept]]
    return boxes[torch.from_numpy(kept)], _batch(cuts) if cuts else None


def _scaled(pixels: np.ndarray, width: int, height: int) -> np.ndarray:
    return cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)


def _batch(pictures: list[np.ndarray]) -> torch.Tensor:
    """(H, W, 3) each, to (N, 3, H, W) with the channels of a pixel side by side in memory."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2)
