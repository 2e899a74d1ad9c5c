"""Parts of a face taken away: what the model says of the rest, and which parts must go for another verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from virtus.errors import InputError
from virtus.parallel import with_own_cores
from virtus.results import FaceCrop

if TYPE_CHECKING:
    import torch
    from PIL import Image

    from virtus.checkpoints import Detector
    from virtus.models import Trunk

BLUR = 1 / 14  # standard deviation, of the sides of the model's input
AT_ONCE = 8  # sets of patches that are judged between two steps of a search
NOTHING_LEFT = (
    "With all patches dropped there is nothing left to judge: this model judges by its patches alone. "
    "Leave one, or fill them with blur or grey."
)

Fill = Literal["blur", "grey", "drop"]
MaskJudge = Callable[[np.ndarray], np.ndarray]
"""Masks (M, grid_h * grid_w), True where a patch is taken away, to p of fake, (M,)."""


def erasing_judge(detector: Detector, crop: FaceCrop, fill: Fill = "blur") -> MaskJudge:
    """The calibrated p of fake, at the detector's prior, of a crop with some of its patches taken away.

    Patches are embedded one by one, so mixing the tokens of the crop and of its filling is the same as mixing their
    pixels, and costs no pass of the embedding.

    Args:
        fill: what stands in their place: a blurred copy of the crop, the grey (or mean colour) that the model's input
            is centred on, or nothing: their tokens are dropped, as `occlusion` does.

    Raises:
        InputError: by the judge, where all patches are dropped of a model whose head reads patches.
    """
    return judge_of_tokens(detector, embed_filled(detector, crop, fill), fill)


def embed_filled(detector: Detector, crop: FaceCrop, fill: Fill) -> torch.Tensor:
    """The tokens of a crop and those of what stands in for patches taken away, (2, T, width), on the trunk's device.

    Where these are dropped, nothing does: (1, T, width).
    """
    import torch

    pixel_values = detector.checkpoint.transform(crop.image)
    pictures = [pixel_values, *([FILLINGS[fill](pixel_values)] if fill in FILLINGS else [])]
    with torch.inference_mode():
        return detector.checkpoint.trunk.embed(torch.from_numpy(np.stack(pictures)))


def filling_pictures(detector: Detector, crop: FaceCrop) -> dict[Fill, Image.Image]:
    """All of a crop as it stands in for patches taken away, in the model's input size; none where they are dropped."""
    transform = detector.checkpoint.transform
    pixel_values = transform(crop.image)
    return {fill: transform.picture_of(filled(pixel_values)) for fill, filled in FILLINGS.items()}


def judge_of_tokens(detector: Detector, tokens: torch.Tensor, fill: Fill) -> MaskJudge:
    """`erasing_judge` of a crop whose tokens are there already: what `embed_filled` gave, on any device."""
    import torch

    trunk = detector.checkpoint.trunk
    plain, filled = (tokens := tokens.to(trunk.device))[0], tokens[-1]
    each = with_own_cores if plain.device.type == "cpu" else map

    @torch.inference_mode()  # of each thread by itself
    def fill_and_judge(batch: torch.Tensor) -> torch.Tensor:
        return trunk.logits(torch.where(batch[..., None], filled, plain))

    @torch.inference_mode()
    def drop_and_judge(batch: torch.Tensor) -> torch.Tensor:
        (kept,) = (~batch[0]).nonzero(as_tuple=True)
        return trunk.logits(plain[None, kept], kept[None])

    @torch.inference_mode()
    def judge(masks: np.ndarray) -> np.ndarray:
        batches = _batches(trunk, masks, fill)
        return detector.p_fake_of(torch.cat(list(each(drop_and_judge if fill == "drop" else fill_and_judge, batches))))

    return judge


def _batches(trunk: Trunk, masks: np.ndarray, fill: Fill) -> tuple[torch.Tensor, ...]:
    """Masks of patches to masks of tokens, (batch, T) each; one at a time where what is left differs in length."""
    import torch

    from virtus.models import crops_at_once

    if fill == "drop" and trunk.model.config.pooling != "cls" and masks.all(axis=1).any():
        raise InputError(NOTHING_LEFT)
    of_tokens = torch.from_numpy(np.pad(masks, ((0, 0), (trunk.num_prefix_tokens, 0)))).to(trunk.device)
    return of_tokens.split(1 if fill == "drop" else crops_at_once(trunk.device))


def _blurred(pixel_values: np.ndarray) -> np.ndarray:
    """By torch, in as many threads as this one computes with: numpy takes all cores, and waits for those in use."""
    import torch

    sides = [torch.from_numpy(smoothing_matrix(side, BLUR * side)).float() for side in pixel_values.shape[1:]]
    return (sides[0] @ torch.from_numpy(pixel_values) @ sides[1].T).numpy()


FILLINGS: dict[Fill, Callable[[np.ndarray], np.ndarray]] = {"blur": _blurred, "grey": np.zeros_like}
OTHER_FILL: dict[Fill, Fill] = {"blur": "grey", "grey": "blur", "drop": "blur"}
"""By which a finding is held against what stands in for patches: a blur, or grey, may look forged by itself."""


def smoothing_matrix(length: int, width: float) -> np.ndarray:
    """(length, length): times a signal, it smooths it by a Gaussian of standard deviation `width`. Rows sum to 1."""
    if not width:
        return np.eye(length)
    places = np.arange(length)
    weights = np.exp(-0.5 * ((places[:, None] - places) / width) ** 2)
    return weights / weights.sum(axis=1, keepdims=True)


@dataclass(frozen=True)
class FlippingStep:
    """How far a search for the patches that flip a verdict has come.

    Attributes:
        erased: (patches,), bool: the set found so far; of a search that has not flipped it, that which came nearest.
        p_fake: with these patches taken away.
        flipped: whether that is a verdict of the other side.
        progress: share of the search that is done, in [0, 1]; 1 of the last step, which has the answer.
        p_fake_otherwise: with the same patches filled by `OTHER_FILL`, of an answer that flipped the verdict.
    """

    erased: np.ndarray
    p_fake: float
    flipped: bool
    progress: float
    p_fake_otherwise: float | None = None


def find_flipping_patches(
    judge: MaskJudge, evidence: np.ndarray, thresholds: tuple[float, float]
) -> Iterator[FlippingStep]:
    """A small set of patches without which the verdict is of the other side, greedily.

    Patches are taken away one after the other, those first that speak most for the side of 0.5 where p lies, until p
    is beyond the other threshold; at least one stays. Then each, the last first, is put back where the verdict stays
    flipped: none of those that are left can be spared then, though there may be smaller sets.

    Args:
        evidence: (grid_h, grid_w), how much each patch speaks for fake: the `occlusion` map for the target `fake`.
        thresholds: a p below the first is real, one from the second on fake, at the judge's prior.

    Yields:
        A step after every few sets that were judged. The last has the answer, or `flipped` False where there is none.
    """
    step = FlippingStep(np.zeros(evidence.size, bool), 0.0, False, 0.0)
    p_fake = float(judge(step.erased[None])[0])
    sign, bound = (-1, thresholds[0]) if p_fake >= 0.5 else (1, thresholds[1])  # -1: p has to fall
    is_flipped = (lambda p: p < bound) if sign < 0 else (lambda p: p >= bound)
    order = np.argsort(sign * evidence.ravel(), kind="stable")
    ranks = np.argsort(order)
    step = replace(step, p_fake=p_fake)
    for first in range(1, evidence.size, AT_ONCE):
        masks = ranks < np.arange(first, min(first + AT_ONCE, evidence.size))[:, None]
        p_fakes = judge(masks)
        flips = is_flipped(p_fakes)
        at = int(flips.argmax() if flips.any() else (sign * p_fakes).argmax())
        if flips.any() or sign * p_fakes[at] > sign * step.p_fake:
            step = FlippingStep(masks[at], float(p_fakes[at]), bool(flips[at]), 0.0)
        yield (step := replace(step, progress=0.5 * (first + len(masks) - 1) / (evidence.size - 1)))
        if step.flipped:
            yield from _put_back(judge, step, order, is_flipped)
            return
    yield replace(step, progress=1.0)


def _put_back(
    judge: MaskJudge, step: FlippingStep, order: np.ndarray, is_flipped: Callable[[np.ndarray], np.ndarray]
) -> Iterator[FlippingStep]:
    """Each patch that is not needed, the last of the order first."""
    for number, patch in enumerate(erased := order[: step.erased.sum()][::-1], 1):
        without = step.erased.copy()
        without[patch] = False
        p_fake = judge(without[None])
        if is_flipped(p_fake)[0]:
            step = replace(step, erased=without, p_fake=float(p_fake[0]))
        yield (step := replace(step, progress=0.5 + 0.5 * number / len(erased)))
