"""Boxes of faces, as MTCNN's nets propose, move and weigh them (Zhang et al. 2016). Without torchvision."""

from __future__ import annotations

import numpy as np
import torch

STRIDE, WINDOW = 2, 12  # pixels of the scaled picture, of the first net
AT_ONCE = 512  # boxes that are held against each other: memory grows with its square


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
