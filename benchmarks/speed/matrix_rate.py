"""How fast this machine multiplies matrices, and how many such operations a verdict takes."""

from __future__ import annotations

import torch

from virtus.models import Trunk

SIDE = 2048
OPERATIONS = 2 * SIDE**3


def multiply(dtype: torch.dtype):
    """A product of two large matrices, to be timed: `OPERATIONS` floating-point operations."""
    one, other = (torch.randn(SIDE, SIDE).to(dtype) for _ in range(2))
    return lambda: one @ other


def verdict_operations(trunk: Trunk) -> int:
    """Of the matrix products that Virtus computes for one crop: less than the whole model, for its end is cut short."""
    width, num_patches = trunk.model.config.hidden_size, trunk.grid_size[0] * trunk.grid_size[1]
    num_tokens = trunk.num_prefix_tokens + num_patches
    embedding = num_patches * trunk.embeddings.patch_embeddings.projection.weight.numel()
    inner = (len(trunk.blocks) - 1) * block_products(width, num_tokens, num_tokens)
    return 2 * (embedding + inner + block_products(width, num_tokens, trunk.num_head_tokens))


def block_products(width: int, num_tokens: int, num_wanted: int) -> int:
    """Multiplications of one block with an MLP four times as wide, of which so many tokens are wanted."""
    keys_and_values, queries_and_outputs = 2 * num_tokens * width**2, 2 * num_wanted * width**2
    attention, mlp = 2 * num_wanted * num_tokens * width, 8 * num_wanted * width**2
    return keys_and_values + queries_and_outputs + attention + mlp
