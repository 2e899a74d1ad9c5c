"""Attention times gradient, carried through all blocks (Chefer et al. 2021, arXiv:2103.15679)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch

from virtus.checkpoints import TrunkState
from virtus.explain.gradients import attention_gradients, towards
from virtus.explain.heads import fuse


def attribution(state: TrunkState, targets: Sequence[int], *, head: int | None = None) -> np.ndarray:
    """How much of each patch the head's token(s) hold, counting only attention that raises the target's logit.

    Args:
        targets: index in the logits for each crop.
        head: index of the attention head to follow through all blocks; their mean by default.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    trunk = state.trunk
    relevance = head_relevance(attention_gradients(state, towards(state, targets)), head=head)
    patches = relevance[:, :, trunk.num_prefix_tokens :].mean(dim=1)
    return patches.unflatten(1, trunk.grid_size).cpu().numpy()


def head_relevance(attentions: Iterable[tuple[torch.Tensor, torch.Tensor]], *, head: int | None = None) -> torch.Tensor:
    """The first rows of the product over blocks, last to first, of I + mean over heads of relu(gradient * attention).

    Only the rows that the head reads are followed, from the last block back, so no (T, T) is multiplied by another.

    Args:
        attentions: for each block, last first, attention and gradient (N, heads, rows, T); rows is T but in the last
            block, whose number of rows is that of the result.

    Returns:
        (N, rows, T), float32, not negative.
    """
    relevance = None
    for attention, gradient in attentions:
        fused = fuse((attention * gradient).relu(), head=head)
        if relevance is None:
            relevance = torch.eye(*fused.shape[1:], device=fused.device).expand_as(fused)
        relevance = relevance + relevance[:, :, : fused.shape[1]] @ fused
    return relevance
