"""Does a heatmap point at the region that was altered? Each measure is of one map on the patch grid.

pytorch-grad-cam's metrics measure perturbation alone; Quantus has these measures, but brings another OpenCV, so that it
cannot be installed beside Virtus. docs/benchmarks.md says how far its figures agree with these.
"""

from __future__ import annotations

import cv2
import numpy as np
from PIL import Image

from virtus.checkpoints import Checkpoint
from virtus.faces import crop_face
from virtus.results import Face

INSIDE = 0.5  # a patch belongs to the region if at least so much of it does


def share_on_grid(region: np.ndarray, face: Face, checkpoint: Checkpoint) -> np.ndarray:
    """How much of each patch lies in a region of a photo, on the way that the photo's pixels take to the model.

    Args:
        region: bool, (height, width) of the photo.
        face: that is judged.

    Returns:
        (grid_h, grid_w), float32, in [0, 1].
    """
    mask = Image.fromarray(region.astype(np.uint8) * 255).convert("RGB")
    crop = crop_face(mask, face, margin=checkpoint.margin).image
    seen = np.asarray(checkpoint.transform.resize(crop), np.float32)[:, :, 0] / 255
    return cv2.resize(seen, checkpoint.trunk.grid_size[::-1], interpolation=cv2.INTER_AREA)


def pointing_hit(heatmap: np.ndarray, share: np.ndarray) -> float:
    """The pointing game (Zhang et al. 2018, arXiv:1608.00507): 1 if the greatest value lies in the region, else 0.

    Several equal greatest values count each with its part, so that a map without any contrast gains nothing.
    """
    return float((share[heatmap == heatmap.max()] >= INSIDE).mean())


def relevance_share(heatmap: np.ndarray, share: np.ndarray) -> float:
    """How much of all positive relevance lies in the region, in [0, 1]; NaN where there is none."""
    positive = np.maximum(heatmap, 0)
    total = positive.sum()
    return float((positive * share).sum() / total) if total > 0 else np.nan


def iou_at_area(heatmap: np.ndarray, share: np.ndarray) -> float:
    """Intersection over union of the region's k patches and the k most relevant ones, in [0, 1]; NaN where k is 0."""
    inside = share.ravel() >= INSIDE
    if not inside.any():
        return np.nan
    top = np.zeros_like(inside)
    top[np.argsort(-heatmap.ravel(), kind="stable")[: inside.sum()]] = True
    return float((top & inside).sum() / (top | inside).sum())


def change(heatmap: np.ndarray, other: np.ndarray) -> float:
    """1 - |rank correlation| of two maps (Adebayo et al. 2018, arXiv:1810.03292), in [0, 1]; high is unlike.

    A map that is the same everywhere is like no other.
    """
    from scipy.stats import spearmanr

    if np.ptp(heatmap) == 0 or np.ptp(other) == 0:
        return 1.0
    return 1 - abs(float(spearmanr(heatmap.ravel(), other.ravel()).statistic))
