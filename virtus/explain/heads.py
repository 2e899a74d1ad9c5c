"""Attention heads: one of them, or all fused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtus.errors import InputError

if TYPE_CHECKING:
    import torch

HEAD_FUSIONS = {
    "mean": lambda attention: attention.mean(dim=1),
    "max": lambda attention: attention.amax(dim=1),
    "min": lambda attention: attention.amin(dim=1),
}


def fuse(attention: torch.Tensor, *, head: int | None = None, head_fusion: str = "mean") -> torch.Tensor:
    """(N, heads, rows, T) to (N, rows, T): the head of that index, or where it is None all heads.

    Raises:
        InputError: if there is no such head or fusion.
    """
    if head_fusion not in HEAD_FUSIONS:
        raise InputError(f"There is no head_fusion {head_fusion!r}. There are: {', '.join(HEAD_FUSIONS)}.")
    if head is None:
        return HEAD_FUSIONS[head_fusion](attention)
    count = attention.shape[1]
    if isinstance(head, bool) or not isinstance(head, int) or not 0 <= head < count:
        raise InputError(f"There is no head {head!r}: the model has {count}, 0 to {count - 1}.")
    return attention[:, head]
