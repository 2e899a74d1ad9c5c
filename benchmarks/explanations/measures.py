"""All maps of a set of fakes, and what is measured of each map: for `python -m benchmarks.explanations`.

pytorch-grad-cam's metrics measure perturbation alone; Quantus has those of localisation, but brings another OpenCV, so
that it cannot be installed beside Virtus. docs/benchmarks.md says how far its figures agree with these.
"""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from tqdm import tqdm

from benchmarks.explanations.forgeries import INSIDE, Fake
from virtus.checkpoints import Detector
from virtus.explain import ChanceTest, centre_map, erasing_judge, explain, random_maps
from virtus.models import Classifier, Trunk
from virtus.results import Explanation, FaceCrop, Label

CHANCE, CENTRE = "chance", "centre"
WIDTH = 1.0  # of the smoothing of random maps, in patches: about what the methods' maps have
NUM_CHANCE = 20  # random maps for each fake; their mean counts as one
NUM_JUDGED_RANDOM = 2  # of these, for deletion and insertion
SLOW = {"occlusion"}  # a model pass for each of its squares
CASCADE: dict[str, int | None] = {"head": 0, "1 block": 1, "2": 2, "4": 4, "8": 8, "all weights": None}
BATCH = 16
ROUNDS = 5

Rows = dict[str, dict[str, np.ndarray]]
"""Name of method or baseline to name of measure to (N,); NaN where it was not measured or is not defined."""


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


def rank_correlation(heatmap: np.ndarray, other: np.ndarray) -> float:
    """|Spearman's correlation| of two maps (Adebayo et al. 2018, arXiv:1810.03292), in [0, 1]; low is unlike.

    A map that is the same everywhere is like no other.
    """
    from scipy.stats import rankdata

    if np.ptp(heatmap) == 0 or np.ptp(other) == 0:
        return 0.0
    ranks = rankdata(heatmap.ravel()), rankdata(other.ravel())
    return abs(float(np.corrcoef(*ranks)[0, 1]))


LOCALISATION = {"hit": pointing_hit, "inside": relevance_share, "iou": iou_at_area}
FAITHFULNESS = ("deletion", "insertion", "better")


def localise(detector: Detector, fakes: Sequence[Fake], methods: Sequence[str], *, every: int) -> Rows:
    """Where the maps point: those of `LOCALISATION`, and `hit_before`.

    Args:
        every: only every so many-th fake gets `hit_before` (pointing game of the unforged picture's map in the region
            that is to be forged), and a map by what is in `SLOW`.
    """
    rows = {name: _unknown(len(fakes), (*LOCALISATION, "hit_before")) for name in (*methods, CHANCE, CENTRE)}
    for names, step in ((set(methods) - SLOW, 1), (SLOW & set(methods), every)):
        for name, maps in maps_of(detector, [fake.crop for fake in fakes[::step]], names).items():
            _localise(rows[name], maps[:, None], fakes, step)
    for name, maps in baselines(len(fakes), detector.checkpoint.trunk.grid_size).items():
        _localise(rows[name], maps, fakes, 1)
    for name, maps in maps_of(detector, [fake.original for fake in fakes[::every]], methods).items():
        pairs = zip(maps, fakes[::every], strict=True)
        rows[name]["hit_before"][::every] = [pointing_hit(heatmap, fake.share) for heatmap, fake in pairs]
    return rows


def compare_randomised(detector: Detector, fakes: Sequence[Fake], methods: Sequence[str]) -> Rows:
    """How like the maps are to those of models whose weights are random from the top down: a column for each."""
    crops = [fake.crop for fake in fakes]
    own, rows = maps_of(detector, crops, methods), {name: _unknown(len(fakes), CASCADE) for name in methods}
    for title, blocks in CASCADE.items():
        for name, others in maps_of(randomise(detector, top_blocks=blocks), crops, methods).items():
            rows[name][title][:] = [rank_correlation(*pair) for pair in zip(own[name], others, strict=True)]
    return rows


def judge_faithfulness(detector: Detector, fakes: Sequence[Fake], methods: Sequence[str], *, num_random: int) -> Rows:
    """Deletion and insertion (Petsiuk et al. 2018) of p of fake, and whether the map does better than chance.

    Args:
        num_random: maps that a map is held against; 19 are the fewest that can tell at one in twenty.
    """
    rows = {name: _unknown(len(fakes), FAITHFULNESS) for name in (*methods, CHANCE, CENTRE)}
    grid, judged = detector.checkpoint.trunk.grid_size, tqdm(fakes, desc="faithfulness", unit="fake")
    for index, fake in enumerate(judged):
        test = ChanceTest(erasing_judge(detector, fake.crop), grid, seed=0, num_random=num_random)
        for name, maps in maps_of(detector, [fake.crop], methods).items():
            found = test.measure(Explanation(name, maps[0], Label.FAKE))
            values = (found.deletion, found.insertion, found.better_than_chance)
            for key, value in zip(FAITHFULNESS, values, strict=True):
                rows[name][key][index] = value
        for name, maps in baselines(1, grid, seed=index).items():
            areas = test.areas(maps[0, :NUM_JUDGED_RANDOM]).mean(axis=0)
            rows[name]["deletion"][index], rows[name]["insertion"][index] = areas
    return rows


def maps_of(detector: Detector, crops: Sequence[FaceCrop], methods: Iterable[str]) -> dict[str, np.ndarray]:
    """The maps of the class fake by each method, (N, grid_h, grid_w), all from one pass of the trunk."""
    found = defaultdict(list)
    for start in range(0, len(crops), BATCH):
        state = detector.encode(crops[start : start + BATCH])
        for name in methods:
            maps = explain(state, method=name, target=Label.FAKE)
            found[name] += [explanation.heatmap for explanation in maps]
    return {name: np.stack(maps) for name, maps in found.items()}


def baselines(count: int, grid_size: tuple[int, int], *, seed: int = 0) -> dict[str, np.ndarray]:
    """Maps that know nothing of the picture: (count, NUM_CHANCE, grid_h, grid_w), and (count, 1, grid_h, grid_w)."""
    seeds = range(seed, seed + count)
    random = np.stack([random_maps(WIDTH, grid_size, num_maps=NUM_CHANCE, seed=seed) for seed in seeds])
    centre = centre_map(grid_size)
    return {CHANCE: random, CENTRE: np.broadcast_to(centre - centre.min(), (count, 1, *grid_size))}


def randomise(detector: Detector, *, top_blocks: int | None = None, seed: int = 83) -> Detector:
    """The same architecture with the weights that it would start training with (Adebayo et al. 2018).

    Args:
        top_blocks: so many of the last blocks get them, and what comes after these; all that there is if None.
    """
    trunk = detector.checkpoint.trunk
    model = Classifier(trunk.model.config)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for name, tensor in model.named_parameters():  # as transformers starts a ViT
            if tensor.ndim > 1:
                torch.nn.init.trunc_normal_(tensor, std=0.02)
            elif name.endswith(".bias"):
                torch.nn.init.zeros_(tensor)
    if top_blocks is not None:
        below = ["embeddings.", "pre_layernorm.", *(f"layers.{at}." for at in range(len(trunk.blocks) - top_blocks))]
        kept = {name: value for name, value in trunk.model.state_dict().items() if name.startswith(tuple(below))}
        model.load_state_dict(kept, strict=False)
    fresh = Trunk(model, device=trunk.device, precision=trunk.precision)
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


def _unknown(count: int, columns: Iterable[str]) -> dict[str, np.ndarray]:
    return {column: np.full(count, np.nan) for column in columns}


def _localise(row: dict[str, np.ndarray], maps: np.ndarray, fakes: Sequence[Fake], step: int) -> None:
    """Fill in the measures of localisation of every `step`-th fake, each the mean over its maps."""
    for key, function in LOCALISATION.items():
        pairs = zip(maps, fakes[::step], strict=True)
        row[key][::step] = [np.mean([function(one, fake.share) for one in own]) for own, fake in pairs]
