"""Is a heatmap better than chance, for this very photo? Deletion and insertion against random maps as smooth as it."""

from __future__ import annotations

import functools
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from virtus.checkpoints import UNCALIBRATED
from virtus.explain.nullmaps import centre_map, nearest_width, random_maps, rank_patches, smoothing_matrix
from virtus.results import Explanation, FaceCrop, Faithfulness, Label

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

NUM_STEPS = 14
NUM_RANDOM = 99
MAPS_A_STEP = 5
BLUR = 1 / 14  # standard deviation, of the sides of the model's input
ROUNDING = 1e-9  # of a score: maps that differ by less do equally well

Judge = Callable[[np.ndarray], np.ndarray]
"""Masks (M, grid_h * grid_w), True where a patch is blurred, to p of fake, (M,)."""


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
    return [found for found in measure_in_steps(detector, crop, explanations) if found is not None]


def measure_in_steps(
    detector: Detector, crop: FaceCrop, explanations: Sequence[Explanation]
) -> Iterator[Faithfulness | None]:
    """The same in steps of about a second, None after those that only took time: who is gone need not be served."""
    trial = Trial(blurring_judge(detector, crop), detector.checkpoint.trunk.grid_size, seed=_seed(crop))
    for explanation in explanations:
        yield from trial.prepare(explanation)
        yield trial.measure(explanation)


def in_words(faithfulness: Faithfulness) -> str:
    """The sentence to show beside a map."""
    if not faithfulness.num_random:
        return "the map is empty: there is nothing to read in it"
    if not faithfulness.better_than_chance:
        return "no better than chance: do not read anything into it"
    found = f"better than chance (p={faithfulness.p_value:.2f})"
    return found if faithfulness.beats_centre else f"{found}, but no better than pointing at the centre"


class Trial:
    """What all maps of one crop are held against. Each random map is judged once, when the first map needs it.

    A map's score is insertion minus deletion (areas under the curves). The pictures that insert a map are those that
    delete its negative, so the score of the negative is the negative score: 50 random maps give those of 100, and the
    test stays exact, because a random map is as likely as its negative.
    """

    def __init__(self, judge: Judge, grid_size: tuple[int, int], *, seed: int):
        self.judge, self.grid_size, self.seed = judge, grid_size, seed
        self._chance: dict[float, np.ndarray] = {}

    def prepare(self, explanation: Explanation) -> Iterator[None]:
        """Judge the random maps that `measure` needs for this map, a few at a time; nothing if that was done before."""
        width = nearest_width(explanation.heatmap) if np.ptp(explanation.heatmap) else None
        if width is None or width in self._chance:
            return
        maps, scores = random_maps(width, self.grid_size, count=(NUM_RANDOM + 1) // 2, seed=self.seed), []
        for first in range(0, len(maps), MAPS_A_STEP):
            scores.append(self._scores(maps[first : first + MAPS_A_STEP]))
            yield
        self._chance[width] = np.concatenate([*scores, *(-one for one in scores)])[:NUM_RANDOM]

    def measure(self, explanation: Explanation) -> Faithfulness:
        heatmap = explanation.heatmap
        if np.ptp(heatmap) == 0:
            return Faithfulness(0.0, 0.0, p_value=1.0, beats_centre=False, num_random=0)
        is_real = (explanation.target or self.predicted) is Label.REAL
        heatmap = -heatmap if explanation.signed and is_real else heatmap
        list(self.prepare(explanation))
        sign = -1 if is_real else 1  # p of real is 1 - p of fake, and the score is a difference of two of them
        deletion, insertion = self.areas(heatmap[None])[0]
        own, chance = sign * (insertion - deletion), sign * self._chance[nearest_width(explanation.heatmap)]
        return Faithfulness(
            deletion=float(1 - deletion if is_real else deletion),
            insertion=float(1 - insertion if is_real else insertion),
            p_value=(1 + int((chance >= own - ROUNDING).sum())) / (1 + NUM_RANDOM),
            beats_centre=bool(own > sign * self._centre),
            num_random=NUM_RANDOM,
        )

    @property
    def predicted(self) -> Label:
        return Label.FAKE if self._ends[0] >= 0.5 else Label.REAL

    def areas(self, heatmaps: np.ndarray) -> np.ndarray:
        """(M, grid_h, grid_w) to the areas under the deletion and insertion curve of each, of p of fake, (M, 2)."""
        ranks = np.stack([rank_patches(one).ravel() for one in heatmaps])[:, None]
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


def blurring_judge(detector: Detector, crop: FaceCrop) -> Judge:
    """The calibrated p of fake, at as many fakes as reals, for a crop with some of its patches blurred.

    Patches are embedded one by one, so mixing the tokens of the crop and of its blurred copy is the same as mixing
    their pixels, and costs no pass of the embedding.
    """
    import torch

    from virtus.checkpoints import margins_of
    from virtus.models import crops_at_once

    trunk, labels, info = detector.checkpoint.trunk, detector.checkpoint.labels, detector.checkpoint.info
    pixel_values = detector.checkpoint.transform(crop.image)
    rows, columns = (smoothing_matrix(side, BLUR * side).astype(np.float32) for side in pixel_values.shape[1:])
    pair = torch.from_numpy(np.stack([pixel_values, rows @ pixel_values @ columns.T]))
    with torch.inference_mode():
        plain, blurred = trunk.embed(pair)
    size = crops_at_once(plain.device)
    calibration = info.calibration or UNCALIBRATED

    @torch.inference_mode()
    def judge(masks: np.ndarray) -> np.ndarray:
        padded = np.pad(masks, ((0, 0), (trunk.num_prefix_tokens, 0)))[..., None]
        batches = torch.from_numpy(padded).to(plain.device).split(size)
        logits = torch.cat([trunk.logits(torch.where(batch, blurred, plain)) for batch in batches])
        margins = margins_of(logits, labels).double()
        return torch.sigmoid(margins / calibration.temperature + calibration.bias).cpu().numpy()

    return judge


def _seed(crop: FaceCrop) -> int:
    return zlib.crc32(crop.image.tobytes())
