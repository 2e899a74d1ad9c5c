"""All maps of a set of fakes, and what is measured of each map: for `python -m benchmarks.explanations`.

pytorch-grad-cam's metrics measure perturbation alone; Quantus has those of localisation, but brings another OpenCV, so
that it cannot be installed beside Virtus. docs/benchmarks.md says how far its figures agree with these.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch

from benchmarks.explanations.forgeries import INSIDE, Fake
from virtus.checkpoints import Detector
from virtus.explain import ChanceTest, blurring_judge, centre_map, explain, random_maps
from virtus.models import Classifier, Trunk
from virtus.results import FaceCrop, Label

CHANCE, CENTRE = "chance", "centre"
WIDTH = 1.0  # of the smoothing of random maps, in patches: about what the methods' maps have
NUM_RANDOM = 20  # maps for each fake; their mean counts as one
NUM_JUDGED_RANDOM = 2  # of these, for deletion and insertion
BATCH = 16
ROUNDS = 15


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
    from scipy.stats import rankdata

    if np.ptp(heatmap) == 0 or np.ptp(other) == 0:
        return 1.0
    ranks = rankdata(heatmap.ravel()), rankdata(other.ravel())
    return 1 - abs(float(np.corrcoef(*ranks)[0, 1]))


LOCALISATION = {"hit": pointing_hit, "inside": relevance_share, "iou": iou_at_area}
MEASURES = (*LOCALISATION, "hit_before", "deletion", "insertion", "change")


def measure(
    detector: Detector, fakes: Sequence[Fake], methods: Sequence[str], *, every: int
) -> dict[str, dict[str, np.ndarray]]:
    """Name of method or baseline to name of measure to (N,); NaN where it was not measured or is not defined.

    Args:
        every: only every so many-th fake gets what costs a model pass for each map: `hit_before` (pointing game of the
            unforged picture's map in the region that is to be forged), `deletion`, `insertion` and `change`.
    """
    maps = {name: own[:, None] for name, own in maps_of(detector, [fake.crop for fake in fakes], methods).items()}
    maps |= baselines(len(fakes), detector.checkpoint.trunk.grid_size)
    found = {name: _localise(own, fakes) for name, own in maps.items()}
    some = slice(None, None, every)
    for name, areas in _areas(detector, fakes[some], {name: own[some] for name, own in maps.items()}).items():
        found[name]["deletion"][some], found[name]["insertion"][some] = areas.T
    before = maps_of(detector, [fake.original for fake in fakes[some]], methods)
    randomised = maps_of(randomise(detector), [fake.crop for fake in fakes[some]], methods)
    for name in before:
        found[name]["hit_before"][some] = _each(pointing_hit, before[name], [fake.share for fake in fakes[some]])
        found[name]["change"][some] = _each(change, maps[name][some, 0], randomised[name])
    return found


def maps_of(detector: Detector, crops: Sequence[FaceCrop], methods: Sequence[str]) -> dict[str, np.ndarray]:
    """The maps of the class fake by each method, (N, grid_h, grid_w), all from one pass of the trunk."""
    found = defaultdict(list)
    for start in range(0, len(crops), BATCH):
        state = detector.encode(crops[start : start + BATCH])
        for name in methods:
            maps = explain(state, method=name, target=Label.FAKE)
            found[name] += [explanation.heatmap for explanation in maps]
    return {name: np.stack(maps) for name, maps in found.items()}


def baselines(count: int, grid_size: tuple[int, int]) -> dict[str, np.ndarray]:
    """Maps that know nothing of the picture: (count, NUM_RANDOM, grid_h, grid_w), and (count, 1, grid_h, grid_w)."""
    random = np.stack([random_maps(WIDTH, grid_size, num_maps=NUM_RANDOM, seed=seed) for seed in range(count)])
    centre = centre_map(grid_size)
    return {CHANCE: random, CENTRE: np.broadcast_to(centre - centre.min(), (count, 1, *grid_size))}


def randomise(detector: Detector, *, seed: int = 83) -> Detector:
    """The same architecture with the weights that it would start training with (Adebayo et al. 2018)."""
    trunk = detector.checkpoint.trunk
    model = Classifier(trunk.model.config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, tensor in model.named_parameters():  # as transformers starts a ViT
            if tensor.ndim > 1:
                torch.nn.init.trunc_normal_(tensor, std=0.02)
            elif name.endswith(".bias"):
                torch.nn.init.zeros_(tensor)
    fresh = Trunk(model, device=trunk.device, dtype=trunk.dtype)
    return Detector(dataclasses.replace(detector.checkpoint, trunk=fresh), batch_size=detector.batch_size)


def time_each(detector: Detector, fakes: Sequence[Fake], methods: Sequence[str]) -> dict[str, float]:
    """Median milliseconds of each method for one face whose trunk pass is done, taken in turns."""
    times = defaultdict(list)
    for fake in fakes[: ROUNDS + 1]:
        state = detector.encode([fake.crop])
        for name in methods:
            start = time.perf_counter()
            explain(state, method=name, target=Label.FAKE)
            times[name].append(1000 * (time.perf_counter() - start))
    return {name: statistics.median(taken[1:] or taken) for name, taken in times.items()}


def _localise(maps: np.ndarray, fakes: Sequence[Fake]) -> dict[str, np.ndarray]:
    """All measures, those of localisation filled in, each the mean over the maps of a fake."""
    rows = {name: np.full(len(fakes), np.nan) for name in MEASURES}
    for name, function in LOCALISATION.items():
        pairs = zip(maps, fakes, strict=True)
        rows[name][:] = [np.mean([function(one, fake.share) for one in own]) for own, fake in pairs]
    return rows


def _each(function: Callable, first: Iterable[np.ndarray], second: Iterable[np.ndarray]) -> list[float]:
    return [function(one, other) for one, other in zip(first, second, strict=True)]


def _areas(detector: Detector, fakes: Sequence[Fake], maps: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Deletion and insertion of p of fake, (N, 2) for each name: the blurred copy of a face serves all its maps."""
    found = {name: np.empty((len(fakes), 2)) for name in maps}
    for index, fake in enumerate(fakes):
        test = ChanceTest(blurring_judge(detector, fake.crop), detector.checkpoint.trunk.grid_size, seed=0)
        for name, own in maps.items():
            found[name][index] = test.areas(own[index, :NUM_JUDGED_RANDOM]).mean(axis=0)
    return found
