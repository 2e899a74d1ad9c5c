"""Is a heatmap better than chance, for this very photo? Deletion and insertion against random maps as smooth as it.

Deletion and insertion are those of Petsiuk et al. 2018 (RISE, arXiv:1806.07421), with patches in place of pixels.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from virtus.checkpoints import EVEN
from virtus.explain.erasing import MaskJudge, erasing_judge, smoothing_matrix
from virtus.results import Explanation, FaceCrop, Faithfulness, Label

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_STEPS = 14
NUM_RANDOM = 99
MAPS_A_STEP = 5
STEPS_A_MAP = -(-((NUM_RANDOM + 1) // 2) // MAPS_A_STEP)  # of `measure_in_steps`, beside the one that has the answer
WIDTHS = (0.0, 0.5, 0.7, 1.0, 1.4, 2.0)  # of the Gaussian that smooths noise into random maps, in patches
NUM_DRAWS = 400  # maps that say how smooth a width makes them
ROUNDING = 1e-9  # of a score: maps that differ by less do equally well


def measure_faithfulness(detector: Detector, crop: FaceCrop, explanations: Sequence[Explanation]) -> list[Faithfulness]:
    """How well each map points at what the model uses on this crop, and how often chance does as well.

    In 14 steps patches are replaced by a blurred copy, most relevant first (deletion), or put back into it (insertion).
    The curves are of the calibrated p of the map's target, at an even prior; where it has none, of the class predicted
    for the unchanged crop. A signed map is read for that class: the evidence for real is the map times -1. The random
    maps are drawn by the crop's own pixels, so that the same photo gives the same answer.

    Returns:
        One for each explanation, in their order. A map without any difference gets a p_value of 1, zeros for the rest,
        and `num_random` 0.
    """
    return [measured for measured in measure_in_steps(detector, crop, explanations) if measured is not None]


def measure_in_steps(
    detector: Detector, crop: FaceCrop, explanations: Sequence[Explanation]
) -> Iterator[Faithfulness | None]:
    """The same in steps of about a second, None after those that only took time: who is gone need not be served."""
    judge, seed = erasing_judge(detector.at_prior(EVEN), crop), zlib.crc32(crop.image.tobytes())
    test = ChanceTest(judge, detector.checkpoint.trunk.grid_size, seed=seed)
    for explanation in explanations:
        yield from test.prepare(explanation)
        yield test.measure(explanation)


def describe_faithfulness(faithfulness: Faithfulness) -> str:
    """The sentence to show beside a map."""
    if not faithfulness.num_random:
        return "the map is empty: there is nothing to read in it"
    if not faithfulness.better_than_chance:
        return "no better than chance: do not read anything into it"
    words = f"better than chance (p={faithfulness.p_value:.2f})"
    return words if faithfulness.beats_centre else f"{words}, but no better than pointing at the centre"


class ChanceTest:
    """What all maps of one crop are held against. Each random map is judged once, when the first map needs it.

    A map's score is insertion minus deletion (areas under the curves). The pictures that insert a map are those that
    delete its negative, so the score of the negative is the negative score: 50 random maps give those of 100, and the
    test stays exact, because a random map is as likely as its negative.
    """

    def __init__(self, judge: MaskJudge, grid_size: tuple[int, int], *, seed: int, num_random: int = NUM_RANDOM):
        self.judge, self.grid_size, self.seed, self.num_random = judge, grid_size, seed, num_random
        self._chance: dict[float, np.ndarray] = {}

    def prepare(self, explanation: Explanation) -> Iterator[None]:
        """Judge the random maps that `measure` needs for this map, a few at a time; nothing if that was done before."""
        width = nearest_width(explanation.heatmap) if np.ptp(explanation.heatmap) else None
        if width is None or width in self._chance:
            return
        maps, scores = random_maps(width, self.grid_size, num_maps=(self.num_random + 1) // 2, seed=self.seed), []
        for first in range(0, len(maps), MAPS_A_STEP):
            scores.append(self._scores(maps[first : first + MAPS_A_STEP]))
            yield
        self._chance[width] = np.concatenate([*scores, *(-batch for batch in scores)])[: self.num_random]

    def measure(self, explanation: Explanation) -> Faithfulness:
        heatmap = explanation.heatmap
        if np.ptp(heatmap) == 0:
            return Faithfulness(0.0, 0.0, p_value=1.0, beats_centre=False, num_random=0)
        is_real = (explanation.target or self.predicted) is Label.REAL
        heatmap = -heatmap if explanation.signed and is_real else heatmap
        list(self.prepare(explanation))
        sign = -1 if is_real else 1  # p of real is 1 - p of fake, and the score is a difference of two of them
        deletion, insertion = self.areas(heatmap[None])[0]
        score, chance = sign * (insertion - deletion), sign * self._chance[nearest_width(explanation.heatmap)]
        return Faithfulness(
            deletion=float(1 - deletion if is_real else deletion),
            insertion=float(1 - insertion if is_real else insertion),
            p_value=(1 + int((chance >= score - ROUNDING).sum())) / (1 + self.num_random),
            beats_centre=bool(score > sign * self._centre),
            num_random=self.num_random,
        )

    @property
    def predicted(self) -> Label:
        return Label.FAKE if self._ends[0] >= 0.5 else Label.REAL

    def areas(self, heatmaps: np.ndarray) -> np.ndarray:
        """(M, grid_h, grid_w) to the areas under the deletion and insertion curve of each, of p of fake, (M, 2)."""
        ranks = np.stack([rank_patches(heatmap).ravel() for heatmap in heatmaps])[:, None]
        num_patches = ranks.shape[-1]
        sizes = (np.arange(1, NUM_STEPS) * num_patches // NUM_STEPS)[:, None]
        masks = np.stack([ranks < sizes, ranks >= num_patches - sizes], axis=1)  # the most, the least relevant blurred
        p_fake = self.judge(masks.reshape(-1, num_patches)).reshape(masks.shape[:3])
        return (p_fake.sum(axis=2) + sum(self._ends) / 2) / NUM_STEPS  # trapezoids; both curves have the same ends

    @functools.cached_property
    def _ends(self) -> tuple[float, float]:
        """p of fake of the crop as it is, and all blurred."""
        num_patches = self.grid_size[0] * self.grid_size[1]
        plain, blurred = self.judge(np.array([[False] * num_patches, [True] * num_patches])).tolist()
        return plain, blurred

    @functools.cached_property
    def _centre(self) -> float:
        return self._scores(centre_map(self.grid_size)[None])[0]

    def _scores(self, heatmaps: np.ndarray) -> np.ndarray:
        deletion, insertion = self.areas(heatmaps).T
        return insertion - deletion


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
    product = np.concatenate([(left * right).ravel() for left, right in pairs])
    return float(product.mean() / ranks.var()) if product.size and ranks.var() else 0.0


def nearest_width(heatmap: np.ndarray) -> float:
    """The one of `WIDTHS` whose random maps are, on average, nearest in smoothness to a map of shape (h, w)."""
    smoothness = measure_smoothness(heatmap)
    return min(WIDTHS, key=lambda width: abs(_usual_smoothness(width, np.shape(heatmap)) - smoothness))


def random_maps(width: float, grid_size: tuple[int, int], *, num_maps: int, seed: int) -> np.ndarray:
    """Gaussian fields: white noise smoothed by a Gaussian of `width` patches; alike in distribution to their negatives.

    The noise reaches beyond the map, so that its border is as smooth as its middle.

    Returns:
        (num_maps, grid_h, grid_w), float64.
    """
    around = int(np.ceil(3 * width))
    height, columns = grid_size
    noise = np.random.default_rng(seed).standard_normal((num_maps, height + 2 * around, columns + 2 * around))
    inside = slice(around, -around or None)
    return smoothing_matrix(noise.shape[1], width)[inside] @ noise @ smoothing_matrix(noise.shape[2], width)[inside].T


def centre_map(grid_size: tuple[int, int]) -> np.ndarray:
    """Nearness to the centre: the squared distance to it (of half the sides), negative. (grid_h, grid_w)."""
    rows, columns = (np.linspace(-1, 1, side) if side > 1 else np.zeros(1) for side in grid_size)
    return -(rows[:, None] ** 2 + columns[None, :] ** 2)


@functools.cache
def _usual_smoothness(width: float, grid_size: tuple[int, int]) -> float:
    maps = random_maps(width, grid_size, num_maps=NUM_DRAWS, seed=0)
    return float(np.mean([measure_smoothness(heatmap) for heatmap in maps]))
