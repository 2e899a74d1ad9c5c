"""Methods that follow attention through all blocks: rollout, and attribution, which also asks what raised a class."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from virtus.checkpoints import TrunkState
from virtus.errors import InputError
from virtus.explain.gradients import attention_gradients
from virtus.results import Label

FUSIONS = {"mean": torch.mean, "max": torch.amax, "min": torch.amin}


@torch.no_grad()
def rollout(
    state: TrunkState,
    _targets: Sequence[Label | None] = (),
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
) -> np.ndarray:
    """How much of each patch reaches the head's token(s) if attention is all that moves information.

    Attention rollout (Abnar & Zuidema 2020, arXiv:2005.00928).

    Args:
        _targets: not used; the method knows no class.
        head: index of the attention head to follow through all blocks; all of them, fused, by default.
        head_fusion: how the heads of a block become one: `mean` (the paper's), `max` or `min`.
        discard_ratio: share of the smallest weights of each block that is set to 0, in [0, 1); 0 is the paper's.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    # Of the last block only the rows that are read, unless the weights to discard are looked for in all.
    attentions = _attentions(state, None if discard_ratio else state.trunk.num_head_tokens)
    joint = joint_attention(attentions, head=head, head_fusion=head_fusion, discard_ratio=discard_ratio)
    return _on_grid(state, joint[:, : state.trunk.num_head_tokens])


def attribution(state: TrunkState, targets: Sequence[Label], *, head: int | None = None) -> np.ndarray:
    """How much of each patch the head's token(s) hold, counting only attention that raises the target's margin.

    Attention times gradient, carried through all blocks (Chefer et al. 2021, arXiv:2103.15679).

    Args:
        targets: the class for each crop.
        head: index of the attention head to follow through all blocks; their mean by default.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    attentions = attention_gradients(state, targets)
    return _on_grid(state, head_relevance(attentions, head=head))


def joint_attention(
    attentions: Iterable[torch.Tensor],
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
) -> torch.Tensor:
    """The product over blocks, first to last, of (A + I) / rowsum: the paper's 0.5 A + 0.5 I for rows that sum to 1.

    Args:
        attentions: for each block (N, heads, T, T), rows sum to 1. The last may have only the first `rows` of its rows.

    Returns:
        (N, T or rows, T); row i says what token i is made of. Rows sum to 1.
    """
    if not 0 <= discard_ratio < 1:
        raise InputError(f"discard_ratio is a share of at least 0 and less than 1, not {discard_ratio}.")
    blocks = []
    for attention in attentions:
        fused = _discard(_fuse(attention, head=head, head_fusion=head_fusion), discard_ratio)
        fused = fused + torch.eye(*fused.shape[1:], device=fused.device)
        blocks.append(fused / fused.sum(dim=-1, keepdim=True))
    return functools.reduce(torch.matmul, reversed(blocks))  # from the last: rows that are not wanted cost nothing


def head_relevance(attentions: Iterable[tuple[torch.Tensor, torch.Tensor]], *, head: int | None = None) -> torch.Tensor:
    """The first rows of the product over blocks, last to first, of I + mean over heads of relu(gradient * attention).

    Only the rows that the head reads are followed, from the last block back, so no (T, T) is multiplied by another.

    Args:
        attentions: for each block, last first, attention and gradient (N, heads, rows, T); rows is T but in the last
            block, whose number of rows is that of the result.

    Returns:
        (N, rows, T), float32, not negative.
    """
    blocks = (_fuse((attention * gradient).relu(), head=head) for attention, gradient in attentions)
    last = next(blocks)
    relevance = last + torch.eye(*last.shape[1:], device=last.device)
    for fused in blocks:
        relevance = relevance + relevance @ fused
    return relevance


def _fuse(attention: torch.Tensor, *, head: int | None = None, head_fusion: str = "mean") -> torch.Tensor:
    """(N, heads, rows, T) to (N, rows, T): the head of that index, or where it is None all heads.

    Raises:
        InputError: if there is no such head or fusion.
    """
    if head_fusion not in FUSIONS:
        raise InputError(f"There is no head_fusion {head_fusion!r}. There are: {', '.join(FUSIONS)}.")
    if head is None:
        return FUSIONS[head_fusion](attention, dim=1)
    count = attention.shape[1]
    if isinstance(head, bool) or not isinstance(head, int) or not 0 <= head < count:
        raise InputError(f"There is no head {head!r}: the model has {count}, 0 to {count - 1}.")
    return attention[:, head]


def _attentions(state: TrunkState, num_last_rows: int | None) -> Iterator[torch.Tensor]:
    trunk, last = state.trunk, len(state.block_inputs) - 1
    for index, hidden in enumerate(state.block_inputs):
        num_tokens = num_last_rows if index == last else None
        yield trunk.attention(index, trunk.first_norm(index, hidden), num_tokens=num_tokens)


def _discard(fused: torch.Tensor, ratio: float) -> torch.Tensor:
    """Set the smallest `ratio` of each (T, T) to 0."""
    if not ratio:
        return fused
    flat = fused.flatten(1)
    smallest = flat.topk(int(flat.shape[1] * ratio), dim=1, largest=False).indices
    return flat.scatter(1, smallest, 0.0).view_as(fused)


def _on_grid(state: TrunkState, rows: torch.Tensor) -> np.ndarray:
    """What the head's tokens are made of, (N, num_head_tokens, T), to the mean over them for each patch."""
    patches = rows[:, :, state.trunk.num_prefix_tokens :].mean(dim=1)
    return patches.unflatten(1, state.trunk.grid_size).cpu().numpy()
