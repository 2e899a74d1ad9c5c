"""Explanations: which patches of a face crop a verdict rests on, by several methods with one signature."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from virtus.errors import InputError
from virtus.results import Explanation, Label

if TYPE_CHECKING:
    import numpy as np

    from virtus.checkpoints import TrunkState

HEAD_FUSIONS = ("mean", "max", "min")  # what the option `head_fusion` may be


@dataclass(frozen=True)
class Explainer:
    """A method.

    Attributes:
        home: the file here and the function in it, loaded on first use: what offers methods needs no torch.
        class_specific: whether `targets` (a class for each crop) makes a difference.
        description: one line for people who choose.
        options: names of what it takes.
        signed: whether its maps are evidence for fake (above 0) and for real (below 0), in logits.
        finding: what measurements say against it, in one sentence; empty where nothing.
    """

    home: str
    class_specific: bool
    description: str
    options: tuple[str, ...] = ("layer",)
    signed: bool = False
    finding: str = ""

    @property
    def compute(self) -> Callable[..., np.ndarray]:
        """`(state, targets, **options)` to maps of shape (N, grid_h, grid_w), float32."""
        file, _, name = self.home.partition(".")
        return getattr(importlib.import_module(f"virtus.explain.{file}"), name)


# What docs/benchmarks.md (Explanations) says against them, measured on virtus-base: read it there, with its intervals.
BESIDE = "In one of three known forgeries its brightest patch lies outside the forged part"
EXPLAINERS = {
    "rollout": Explainer(
        "attention.rollout",
        False,
        "where attention flowed through all blocks; knows no class",
        options=("head", "head_fusion", "discard_ratio"),
        finding="On known forgeries its brightest patch lies in the forged part no more often than by chance.",
    ),
    "attribution": Explainer(
        "attention.attribution",
        True,
        "where attention that raised the class's lead flowed, in the blocks that learned of fakes",
        options=("head",),
        finding="The best at finding known forgeries, and yet in one of nine its brightest patch lies elsewhere.",
    ),
    "gradcam": Explainer(
        "cams.gradcam",
        True,
        "which patches spoke for one class, by channels weighted alike for all",
        finding=f"{BESIDE}.",
    ),
    "gradcam++": Explainer(
        "cams.gradcam_plus_plus",
        True,
        "Grad-CAM with more weight on places that speak strongly",
        finding="In more than half of the known forgeries its brightest patch lies outside the forged part.",
    ),
    "layercam": Explainer(
        "cams.layercam",
        True,
        "Grad-CAM with a weight of its own for each patch, if it is positive",
        finding=f"{BESIDE}.",
    ),
    "hirescam": Explainer(
        "cams.hirescam",
        True,
        "gradient times activation of each patch, what speaks for one class",
        finding=f"{BESIDE}.",
    ),
    "eigencam": Explainer(
        "cams.eigencam",
        False,
        "which patches differ most from the others; knows no class",
        finding="In more than half of the known forgeries its brightest patch lies outside the forged part.",
    ),
    "occlusion": Explainer(
        "occlusion.occlusion",
        True,
        "how far the class's lead falls when patches are left out",
        options=("window",),
        finding="Slow, and in a third of the known forgeries its brightest patch lies outside the forged part.",
    ),
    "evidence": Explainer(
        "cams.evidence",
        False,
        "which patches spoke for fake, and which for real",
        signed=True,
        finding=f"Its patches do not add up to the verdict. {BESIDE}.",
    ),
}

DEFAULT_METHOD = "attribution"  # what the table in docs/benchmarks.md supports


@dataclass(frozen=True)
class Localisation:
    """How a method came off on forgeries whose altered part is known.

    Attributes:
        hits: share of them whose altered part holds the map's brightest patch.
        time_ms: that a map takes after the verdict.
    """

    hits: float
    time_ms: float


# Of docs/benchmarks.md (Explanations): part swaps, pointing hits and ms. To be renewed as a whole, for one checkpoint.
# Of five hundred fakes, but occlusion's of five; two threads with bfloat16 units.
LOCALISATION_OF = "virtus-base"
LOCALISATION = {
    "rollout": Localisation(0.11, 15),
    "attribution": Localisation(0.89, 36),
    "gradcam": Localisation(0.64, 5),
    "gradcam++": Localisation(0.39, 5),
    "layercam": Localisation(0.67, 5),
    "hirescam": Localisation(0.67, 5),
    "eigencam": Localisation(0.45, 32),
    "occlusion": Localisation(0.65, 3400),
    "evidence": Localisation(0.67, 7),
}
# Of smoothed random maps, and of one that always points at the middle of the face.
CHANCE_HITS, CENTRE_HITS = 0.15, 0.48


def explain(
    state: TrunkState, *, method: str = DEFAULT_METHOD, target: Label | str | None = None, **options
) -> list[Explanation]:
    """Explain each crop of a `TrunkState`, without another pass of the trunk (but for `occlusion`, which makes many).

    Args:
        method: a name in `EXPLAINERS`.
        target: the class to explain; the predicted one of each crop by default. Ignored by methods that know no class,
            and by signed ones, which speak of both: their `Explanation.target` is None.
        options: of the method, by its `Explainer.options`.

            layer: index of the block to look at, negative from the end; the last by default.
            head: index of the attention head to follow; None, the default, is all of them.
            head_fusion, discard_ratio: see `virtus.explain.attention.rollout`.
            window: see `virtus.explain.occlusion.occlusion`.

    Raises:
        InputError: for a method, target or option that there is not.
    """
    if method not in EXPLAINERS:
        raise InputError(f"There is no method {method!r}. There are: {', '.join(EXPLAINERS)}.")
    explainer = EXPLAINERS[method]
    if unknown := [name for name in options if name not in explainer.options]:
        raise InputError(f"{method} has no option {unknown[0]!r}. It has: {', '.join(explainer.options)}.")
    if not len(state):
        return []
    targets = _targets(state, target) if explainer.class_specific else [None] * len(state)
    maps = explainer.compute(state, targets, **options)
    return [
        Explanation(method, heatmap, label, signed=explainer.signed)
        for heatmap, label in zip(maps, targets, strict=True)
    ]


def _targets(state: TrunkState, target: Label | str | None) -> list[Label]:
    if target is None:
        return state.predicted
    try:
        return [Label(target)] * len(state)
    except ValueError as exc:
        raise InputError(f"There is no class {target!r}. There are: {', '.join(Label)}.") from exc
