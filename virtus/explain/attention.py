"""Attention rollout (Abnar & Zuidema 2020, arXiv:2005.00928)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch

from virtus.checkpoints import TrunkState
from virtus.errors import InputError
from virtus.explain.heads import fuse


@torch.no_grad()
def rollout(
    state: TrunkState,
    _targets: Sequence[int] = (),
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
) -> np.ndarray:
    """How much of each patch reaches the head's token(s) if attention is all that moves information.

    Args:
        _targets: not used; the method knows no class.
        head: index of the attention head to follow through all blocks; all of them, fused, by default.
        head_fusion: how the heads of a block become one: `mean` (the paper's), `max` or `min`.
        discard_ratio: share of the smallest weights of each block that is set to 0, in [0, 1); 0 is the paper's.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    trunk = state.trunk
    # Of the last block only the rows that are read, unless the weights to discard are looked for in all.
    attentions = _attentions(state, None if discard_ratio else trunk.num_head_tokens)
    joint = joint_attention(attentions, head=head, head_fusion=head_fusion, discard_ratio=discard_ratio)
    patches = joint[:, : trunk.num_head_tokens, trunk.num_prefix_tokens :].mean(dim=1)
    return patches.unflatten(1, trunk.grid_size).cpu().numpy()


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
        fused = _discard(fuse(attention, head=head, head_fusion=head_fusion), discard_ratio)
        fused = fused + torch.eye(*fused.shape[1:], device=fused.device)
        blocks.append(fused / fused.sum(dim=-1, keepdim=True))
    return functools.reduce(torch.matmul, reversed(blocks))  # from the last: rows that are not wanted cost nothing


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
