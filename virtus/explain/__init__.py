"""Explanations: which patches of a face crop a verdict rests on, by several methods with one signature."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from virtus.detector import TrunkState
from virtus.errors import InputError
from virtus.explain.gradcam import gradcam
from virtus.explain.rollout import rollout
from virtus.results import Explanation, Label

__all__ = ["EXPLAINERS", "Explainer", "explain"]


@dataclass(frozen=True)
class Explainer:
    """A method.

    Attributes:
        compute: `(state, targets, **options)` to maps of shape (N, grid_h, grid_w), float32.
        class_specific: whether `targets` (an index in the logits for each crop) makes a difference.
        description: one line for people who choose.
    """

    compute: Callable[..., np.ndarray]
    class_specific: bool
    description: str


EXPLAINERS = {
    "rollout": Explainer(rollout, False, "where attention flowed through all blocks; knows no class"),
    "gradcam": Explainer(gradcam, True, "which patches spoke for one class at the last block"),
}


def explain(
    state: TrunkState, *, method: str = "rollout", target: Label | str | None = None, **options
) -> list[Explanation]:
    """Explain each crop of a `TrunkState`, without another pass of the trunk.

    Args:
        method: a name in `EXPLAINERS`.
        target: the class to explain; the predicted one of each crop by default. Ignored by methods that know no class:
            their `Explanation.target` is None.
        options: of the method: `head_fusion` and `discard_ratio` for `rollout`.

    Raises:
        InputError: for a method, target or option that there is not.
    """
    if method not in EXPLAINERS:
        raise InputError(f"There is no method {method!r}. There are: {', '.join(EXPLAINERS)}.")
    explainer = EXPLAINERS[method]
    if not len(state):
        return []
    targets = _targets(state, target) if explainer.class_specific else [None] * len(state)
    indices = [state.labels[label] for label in targets if label is not None]
    try:
        maps = explainer.compute(state, indices, **options)
    except TypeError as exc:
        unknown = [name for name in options if f"'{name}'" in str(exc)]
        if not unknown:
            raise
        raise InputError(f"{method} has no option {unknown[0]!r}.") from exc
    return [Explanation(method, heatmap, label) for heatmap, label in zip(maps, targets, strict=True)]


def _targets(state: TrunkState, target: Label | str | None) -> list[Label]:
    if target is None:
        return _predicted(state)
    try:
        return [Label(target)] * len(state)
    except ValueError as exc:
        raise InputError(f"There is no class {target!r}. There are: {', '.join(Label)}.") from exc


def _predicted(state: TrunkState) -> list[Label]:
    by_index = {index: label for label, index in state.labels.items()}
    return [by_index[index] for index in state.logits.argmax(dim=-1).tolist()]
