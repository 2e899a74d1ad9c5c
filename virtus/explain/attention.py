"""Methods that follow attention through the blocks: rollout, and attribution, which also asks what raised a class."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

from virtus.checkpoints import TrunkState
from virtus.errors import InputError
from virtus.explain.gradients import attention_gradients, pooling_gradient
from virtus.explain.packed_attention import PackedAttention
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
    """How much of each patch reaches the head if attention is all that moves information.

    Attention rollout (Abnar & Zuidema 2020, arXiv:2005.00928), from what the head reads: the paper's row of the class
    token, or the mean of the rows of all patches where the head reads their mean (of class token and mean, the mean of
    both), or those rows weighed by the attention of a learned query (SigLIP's head), which is then the last step.

    Args:
        _targets: not used; the method knows no class.
        head: index of the attention head to follow through all blocks; all of them, fused, by default.
        head_fusion: how the heads of a block become one: `mean` (the paper's), `max` or `min`.
        discard_ratio: share of the smallest weights of each block that is set to 0, in [0, 1); 0 is the paper's.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    # Of the last block only the rows that are read, unless the weights to discard are looked for in all.
    attentions = _attentions(state, None if discard_ratio else state.trunk.num_outputs)
    options = {"head": head, "head_fusion": head_fusion}
    pooling = _fuse(_pooling(state, None if discard_ratio else state.trunk.num_outputs), **options)
    pooling = pooling / pooling.sum(dim=-1, keepdim=True)
    return _on_grid(state, joint_attention(attentions, pooling, discard_ratio=discard_ratio, **options))


def attribution(state: TrunkState, targets: Sequence[Label], *, head: int | None = None) -> np.ndarray:
    """How much of each patch the head reads, counting only attention that raises the target's margin.

    Attention times gradient, carried from block to block (Chefer et al. 2021, arXiv:2103.15679), from what the head
    reads, as in `rollout`; the attention of a learned query counts by its own gradient. The paper goes through all
    blocks. Here those are left out that fine-tuning left as they were, or the first third where it left none: on known
    forgeries the brightest patch lies in the forged part as often, and more of the map does, in less time
    (docs/benchmarks.md).

    Args:
        targets: the class for each crop.
        head: index of the attention head to follow from block to block; their mean by default.

    Returns:
        (N, grid_h, grid_w), float32, not negative.
    """
    if state.trunk.model.pooler is None:
        pooling = _pooling(state, state.trunk.num_outputs)
    else:
        attention, gradient = pooling_gradient(state, targets)
        pooling = (attention * gradient).relu()
    first = state.first_trained_block or len(state.block_inputs) // 3
    gradients = attention_gradients(state, targets, first=first)
    return _on_grid(state, head_relevance(gradients, _fuse(pooling, head=head), head=head))


def joint_attention(
    attentions: Iterable[torch.Tensor],
    pooling: torch.Tensor | None = None,
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
) -> torch.Tensor:
    """The product over blocks, first to last, of (A + I) / rowsum: the paper's 0.5 A + 0.5 I for rows that sum to 1.

    Args:
        attentions: for each block (N, heads, T, T), rows sum to 1. The last may have only the first `rows` of its rows.
        pooling: (N, vectors, T or rows), how much each of these counts in what the head reads.

    Returns:
        (N, T or rows, T); row i says what token i is made of. With `pooling` (N, vectors, T): what each vector is made
        of. Rows sum to 1 if those of `pooling` do.
    """
    blocks = list(_mixtures(attentions, head, head_fusion, discard_ratio))
    last_first = blocks[::-1] if pooling is None else [pooling, *blocks[::-1]]
    return functools.reduce(torch.matmul, last_first)  # rows that are not wanted cost nothing


def grow_rollout(
    attention: PackedAttention,
    pooling: np.ndarray,
    *,
    head: int | None = None,
    head_fusion: str = "mean",
    discard_ratio: float = 0.0,
) -> np.ndarray:
    """Rollout up to each block, from packed attention: what a page draws, and how it must compute it.

        A  = mean, max or min over heads of the block's decoded weights, or one head's        (T, T)
        A  = A with its int(T * T * discard_ratio) smallest weights set to 0
        B  = (A + I) / rowsum(A + I), a block's
        r  = the same mean, max, min or head of `pooling`, each vector divided by its sum, then their mean    (T,)
        rollout up to block k = r B_k B_(k-1) ... B_0                                        (T,)

    From a token i instead of the head, r is 1 at i and 0 elsewhere. The last row's patches, on the grid, are the map of
    `explain(method="rollout")`. Packing moves it by less than 1/255 of its range where nothing is discarded; where
    something is, weights at the edge of what goes may change sides, which moves single patches by more.

    Args:
        attention: of all blocks.
        pooling: (num_heads, vectors, T), how much each token counts in what the head reads: see `read_by_head`.

    Returns:
        (blocks, T), float32; rows sum to 1.
    """
    start = _fuse(torch.from_numpy(pooling)[None], head=head, head_fusion=head_fusion)
    start = (start / start.sum(dim=-1, keepdim=True)).mean(dim=1, keepdim=True)
    weights = (torch.from_numpy(attention.unpack(block))[None] for block in range(len(attention.codes)))
    mixtures = list(_mixtures(weights, head, head_fusion, discard_ratio))
    grown = [functools.reduce(torch.matmul, mixtures[k::-1], start) for k in range(len(mixtures))]
    return torch.cat(grown)[:, 0].numpy()


def read_by_head(state: TrunkState, index: int) -> np.ndarray:
    """How much each token of a crop counts in each vector that the heads read: (num_heads, vectors, T), float32.

    Rows sum to 1: 1 at the class token, even over the patches, or as a learned query attends, by its heads.
    """
    with torch.inference_mode():
        return _pooling(state.select(index), None)[0].cpu().numpy()


def _mixtures(
    attentions: Iterable[torch.Tensor], head: int | None, head_fusion: str, discard_ratio: float
) -> Iterator[torch.Tensor]:
    """What each token is made of behind each block, (N, rows, T): (A + I) / rowsum."""
    if not 0 <= discard_ratio < 1:
        raise InputError(f"discard_ratio is a share of at least 0 and less than 1, not {discard_ratio}.")
    for attention in attentions:
        fused = _discard(_fuse(attention, head=head, head_fusion=head_fusion), discard_ratio)
        fused = fused + torch.eye(*fused.shape[1:], device=fused.device)
        yield fused / fused.sum(dim=-1, keepdim=True)


def head_relevance(
    attentions: Iterable[tuple[torch.Tensor, torch.Tensor]], pooling: torch.Tensor, *, head: int | None = None
) -> torch.Tensor:
    """`pooling` times the product over blocks, last to first, of I + mean over heads of relu(gradient * attention).

    Only what the head reads is followed, from the last block back, so no (T, T) is multiplied by another.

    Args:
        attentions: for each block, last first, attention and gradient (N, heads, rows, T); rows is T but in the last
            block, which may have only the first ones.
        pooling: (N, vectors, rows), how much the rows of the last block count.

    Returns:
        (N, vectors, T), float32, not negative.
    """
    relevance = pooling
    for attention, gradient in attentions:
        fused = _fuse((attention * gradient).relu(), head=head)
        beside = nn.functional.pad(relevance, (0, fused.shape[2] - relevance.shape[2]))
        relevance = beside + relevance @ fused
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


def _pooling(state: TrunkState, num_rows: int | None) -> torch.Tensor:
    """`Trunk.pooling` of the first rows of the last block, (N, num_heads, vectors, rows)."""
    trunk, hidden = state.trunk, state.tail_input[:, :num_rows]
    return trunk.pooling(hidden if trunk.model.pooler is None else trunk.run_block(len(trunk.blocks) - 1, hidden))


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
    """What the vectors that the head reads are made of, (N, vectors, T), to the mean over them for each patch."""
    patches = rows[:, :, state.trunk.num_prefix_tokens :].mean(dim=1)
    return patches.unflatten(1, state.trunk.grid_size).cpu().numpy()
