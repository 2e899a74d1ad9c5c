"""MTCNN's cascade of three nets (Zhang et al. 2016): facenet-pytorch's nets and weights, run at half of its cost.

Its own loop spends two thirds of a CPU's time on scaling pictures by an average pool and on a max pool over channels
that lie apart. Here OpenCV scales, and channels lie together; nets, thresholds and arithmetic of boxes are the same.
The package itself is not imported: it brings torchvision, which takes longer to import than torch.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn

PACKAGE = "facenet_pytorch"  # in its wheel lie the weights
MIN_SIDE, FACTOR = 20, 0.709  # the smallest face, and how much smaller each copy of the picture is than the last
PROPOSED, REFINED, SURE = 0.6, 0.7, 0.7  # probabilities from which each net hands on
MEAN, STEP = 127.5, 1 / 128  # what the nets were trained on: (pixel - mean) * step
STRIDE, WINDOW = 2, 12  # pixels of the scaled picture, of the first net
AT_ONCE = 512  # boxes that are held against each other: memory grows with its square


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


def proposed(offsets: torch.Tensor, faces: torch.Tensor, scale: float, threshold: float) -> torch.Tensor:
    """(4, H, W) offsets and (H, W) probabilities to (N, 9): window in the picture, probability, offsets."""
    rows, columns = torch.nonzero(faces >= threshold, as_tuple=True)
    corner = torch.stack((columns, rows), dim=1).float() * STRIDE
    windows = torch.cat((((corner + 1) / scale).floor(), ((corner + WINDOW) / scale).floor()), dim=1)
    return torch.cat((windows, faces[rows, columns, None], offsets[:, rows, columns].T), dim=1)


def moved(boxes: torch.Tensor, offsets: torch.Tensor) -> torch.Tensor:
    """(N, 5) boxes with probabilities, their corners moved by shares of their sides (N, 4)."""
    sides = (boxes[:, 2:4] - boxes[:, :2] + 1).repeat(1, 2)
    return torch.cat((boxes[:, :4] + offsets * sides, boxes[:, 4:]), dim=1)


def squared(boxes: torch.Tensor) -> torch.Tensor:
    """(N, 5) boxes with probabilities to squares of the longer side about the same centres."""
    sides = boxes[:, 2:4] - boxes[:, :2]
    longest = sides.amax(dim=1, keepdim=True)
    first = boxes[:, :2] + sides * 0.5 - longest * 0.5
    return torch.cat((first, first + longest, boxes[:, 4:]), dim=1)


def inside(boxes: torch.Tensor, width: int, height: int) -> np.ndarray:
    """(N, 4) int: left, top, right, bottom of what lies in the picture, counted from 1, the last ones included."""
    edges = boxes[:, :4].trunc().int().numpy().copy()
    edges[:, :2] = edges[:, :2].clip(min=1)
    edges[:, 2:] = edges[:, 2:].clip(max=(width, height))
    return edges


def strongest(boxes: torch.Tensor, overlap: float, *, of_smaller: bool = False) -> torch.Tensor:
    """Indices of the boxes that overlap no more probable one by more than a share: non-maximum suppression.

    Args:
        boxes: (N, 5 or more): corners, then the probability.
        of_smaller: the share is of the smaller of both boxes, pixels counted from edge to edge, not of their union.
    """
    values = boxes.numpy()
    order = np.argsort(-values[:, 4], kind="stable")
    kept = order[:0]
    for start in range(0, len(order), AT_ONCE):
        some = order[start : start + AT_ONCE]
        if len(kept):
            some = some[~_overlaps(values[some], values[kept], overlap, of_smaller).any(axis=1)]
        hides = _overlaps(values[some], values[some], overlap, of_smaller)
        hidden = np.zeros(len(some), bool)
        for at in range(len(some)):
            if not hidden[at]:
                hidden[at + 1 :] |= hides[at, at + 1 :]
        kept = np.concatenate((kept, some[~hidden]))
    return torch.from_numpy(kept)


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


class Net(nn.Module):
    """Layers one after the other, then heads side by side, of which the first gives logits of no face and face."""

    def __init__(self, layers: Mapping[str, nn.Module], heads: Mapping[str, nn.Module]):
        super().__init__()
        self._layers, self._heads = tuple(layers), tuple(heads)
        for name, module in {**layers, **heads}.items():
            self.add_module(name, module)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N, 3, H, W), values in [-1, 1], to what the other heads give, then probabilities (N, 2, ...)."""
        values = pictures
        for name in self._layers:
            layer = getattr(self, name)
            if isinstance(layer, nn.Linear) and values.ndim == 4:
                values = values.permute(0, 3, 2, 1).flatten(1)  # trained by a library that counts columns first
            values = layer(values)
        logits, *others = (getattr(self, name)(values) for name in self._heads)
        return *others, logits.softmax(dim=1)


def proposing_net() -> Net:
    """Looks at every window of 12 pixels: offsets of the box (N, 4, H', W')."""
    layers = _convolutions([3, 10, 16, 32], kernels=(3, 3, 3), pools=(2,))
    return _with_weights(Net(layers, {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)}), "pnet")


def refining_net() -> Net:
    """Looks at 24x24 pixels: offsets (N, 4)."""
    layers = _convolutions([3, 28, 48, 64], kernels=(3, 3, 2), pools=(3, 3))
    layers |= {"dense4": nn.Linear(576, 128), "prelu4": nn.PReLU(128)}
    return _with_weights(Net(layers, {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)}), "rnet")


def output_net() -> Net:
    """Looks at 48x48 pixels: offsets (N, 4), and landmarks (N, 10), all x and then all y."""
    layers = _convolutions([3, 32, 64, 64, 128], kernels=(3, 3, 3, 2), pools=(3, 3, 2))
    layers |= {"dense5": nn.Linear(1152, 256), "prelu5": nn.PReLU(256)}
    heads = {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10)}
    return _with_weights(Net(layers, heads), "onet")


def _convolutions(channels: list[int], *, kernels: tuple[int, ...], pools: tuple[int, ...]) -> dict[str, nn.Module]:
    """A convolution and its PReLU for each kernel; after the first ones, a pool."""
    found: dict[str, nn.Module] = {}
    for at, kernel in enumerate(kernels):
        found[f"conv{at + 1}"] = nn.Conv2d(channels[at], channels[at + 1], kernel)
        found[f"prelu{at + 1}"] = nn.PReLU(channels[at + 1])
        if at < len(pools):
            found[f"pool{at + 1}"] = nn.MaxPool2d(pools[at], 2, ceil_mode=True)
    return found


def _with_weights(net: Net, name: str) -> Net:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"{PACKAGE}, whose wheel holds MTCNN's weights, is not installed")
    net.load_state_dict(torch.load(Path(spec.origin).parent / "data" / f"{name}.pt", weights_only=True))
    return net.eval().requires_grad_(False)
