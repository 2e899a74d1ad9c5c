"""Maps that know nothing of the photo: random ones as smooth as a given map, and nearness to the centre."""

from __future__ import annotations

import functools

import numpy as np

WIDTHS = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)  # of the Gaussian that smooths noise, in patches
NUM_DRAWS = 400  # maps that say how smooth a width makes them


def rank_patches(heatmap: np.ndarray) -> np.ndarray:
    """(h, w) to whole numbers of the same shape: 0 is the most relevant patch. Equal patches are put in a random but
    fixed order: in reading order, the upper left would win."""
    flat = np.asarray(heatmap, np.float64).ravel()
    order = np.lexsort((np.random.default_rng(0).permutation(flat.size), -flat))
    ranks = np.empty(flat.size, np.int64)
    ranks[order] = np.arange(flat.size)
    return ranks.reshape(np.shape(heatmap))


def measure_smoothness(heatmap: np.ndarray) -> float:
    """Correlation of the ranks of neighbouring patches (side by side and one above the other), in [-1, 1]."""
    ranks = rank_patches(heatmap).astype(float)
    ranks -= ranks.mean()
    pairs = ((ranks[:, :-1], ranks[:, 1:]), (ranks[:-1], ranks[1:]))
    product = np.concatenate([(one * other).ravel() for one, other in pairs])
    return float(product.mean() / ranks.var()) if product.size and ranks.var() else 0.0


def nearest_width(heatmap: np.ndarray) -> float:
    """The one of `WIDTHS` whose random maps are, on average, nearest in smoothness to a map of shape (h, w)."""
    smoothness = measure_smoothness(heatmap)
    return min(WIDTHS, key=lambda width: abs(_usual_smoothness(width, np.shape(heatmap)) - smoothness))


def random_maps(width: float, grid_size: tuple[int, int], *, count: int, seed: int) -> np.ndarray:
    """Gaussian fields: white noise smoothed by a Gaussian of `width` patches; alike in distribution to their negatives.

    The noise reaches beyond the map, so that its border is as smooth as its middle.

    Returns:
        (count, grid_h, grid_w), float64.
    """
    around = int(np.ceil(3 * width))
    height, columns = grid_size
    noise = np.random.default_rng(seed).standard_normal((count, height + 2 * around, columns + 2 * around))
    inside = slice(around, -around or None)
    return smoothing_matrix(noise.shape[1], width)[inside] @ noise @ smoothing_matrix(noise.shape[2], width)[inside].T


def centre_map(grid_size: tuple[int, int]) -> np.ndarray:
    """Nearness to the centre: the squared distance to it (of half the sides), negative. (grid_h, grid_w)."""
    rows, columns = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in grid_size)
    return -(rows[:, None] ** 2 + columns[None, :] ** 2)


def smoothing_matrix(length: int, width: float) -> np.ndarray:
    """(length, length): times a signal, it smooths it by a Gaussian of standard deviation `width`. Rows sum to 1."""
    if not width:
        return np.eye(length)
    places = np.arange(length)
    weights = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


@functools.cache
def _usual_smoothness(width: float, grid_size: tuple[int, int]) -> float:
    return float(np.mean([measure_smoothness(one) for one in random_maps(width, grid_size, count=NUM_DRAWS, seed=0)]))
