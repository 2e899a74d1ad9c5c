"""A ViT or DeiT classifier at work.

Blocks are run one by one and without hooks, so that several threads can share a model. The residual stream and the
layer norms stay in float32; attention and MLP of all blocks but the last run in the compute dtype, but for the scores
of the first third of the blocks, whose rounding goes through all others; the last block, the final norm and the head
(the "tail") are float32 because explanations differentiate them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch

from virtus.models.vit import Attention, Block, Classifier


class Trunk:
    """A frozen classifier on one device.

    Attributes:
        num_prefix_tokens: tokens before the patches: 1 (cls) or 2 (cls and distillation).
        num_head_tokens: of these, how many the head reads.
        num_heads: of each block's attention.
        grid_size: (grid_h, grid_w) of the patches.
    """

    def __init__(self, model: Classifier, *, device: torch.device, dtype: torch.dtype):
        self.model = model.eval().requires_grad_(False).to(device)
        self.device, self.dtype = device, dtype
        base, config = model.base_model, model.config
        self.embeddings, self.norm, self.heads = base.embeddings, base.layernorm, model.heads
        self.blocks = cast("Sequence[Block]", base.layers)  # a ModuleList is not generic
        self.num_prefix_tokens, self.num_head_tokens = len(config.prefix_tokens), len(config.heads)
        self.num_heads, self.grid_size = config.num_attention_heads, config.grid_size
        for block in self.blocks[:-1]:
            block.attention.to(dtype)
            block.mlp.to(dtype)

    def embed(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to tokens (N, T, D), float32."""
        on_gpu = self.device.type == "cuda"
        if on_gpu and pixel_values.device.type == "cpu":
            pixel_values = pixel_values.pin_memory()  # from there the copy runs beside what the GPU still does
        return self.embeddings(pixel_values.to(self.device, torch.float32, non_blocking=on_gpu))

    def first_norm(self, index: int, hidden: torch.Tensor) -> torch.Tensor:
        """What a block's attention reads, (N, T, D). The last block's: where patches still reach the head."""
        return self.blocks[index].layernorm_before(hidden)

    def run_block(
        self,
        index: int,
        hidden: torch.Tensor,
        normed: torch.Tensor | None = None,
        *,
        attention: torch.Tensor | None = None,
        num_tokens: int | None = None,
    ) -> torch.Tensor:
        """One pre-norm block (Dosovitskiy et al. 2021) on tokens (N, T, D).

        Args:
            normed: replaces what the block's first norm gives: a place to differentiate at.
            attention: replaces what `attention` gives: another such place.
            num_tokens: how many of the first tokens are wanted; all by default.
        """
        block = self.blocks[index]
        normed = self.first_norm(index, hidden) if normed is None else normed
        normed = normed.to(block.attention.v_proj.weight.dtype)
        hidden = hidden[:, :num_tokens] + self._attended(index, normed, attention, num_tokens)
        return hidden + block.mlp(block.layernorm_after(hidden).to(block.mlp.fc1.weight.dtype))

    def attention(self, index: int, normed: torch.Tensor, *, num_tokens: int | None = None) -> torch.Tensor:
        """softmax(Q K^T / sqrt(d)) of a block from what its first norm gives, float32.

        By hand, for explanations look at it; on a CPU that is also a tenth to a quarter faster than torch's.

        Returns:
            (N, num_heads, T, T); with `num_tokens` only the rows of so many first tokens.
        """
        return torch.softmax(self._scores(index, normed, num_tokens), dim=-1, dtype=torch.float32)

    def _scores(self, index: int, normed: torch.Tensor, num_tokens: int | None) -> torch.Tensor:
        """Before the softmax; with `num_tokens` each row but for a constant, which the softmax takes out."""
        layer = self.blocks[index].attention
        normed = normed.to(layer.q_proj.weight.dtype)
        if num_tokens is None:
            query, key = self._queries_and_keys(index, normed)
            return query @ key.transpose(2, 3)
        # Few queries: q (W x) = (q W) x, and the second way need not take every token through W.
        query = layer.scaling * _heads(layer, layer.q_proj(normed[:, :num_tokens]))
        query = torch.einsum("nhqd,hdw->nhqw", query, _by_head(layer, layer.k_proj.weight))
        return (query.flatten(1, 2) @ normed.transpose(1, 2)).unflatten(1, query.shape[1:3])

    def _queries_and_keys(self, index: int, normed: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        layer = self.blocks[index].attention
        query, key = layer.scaling * _heads(layer, layer.q_proj(normed)), _heads(layer, layer.k_proj(normed))
        return (query.float(), key.float()) if index < len(self.blocks) // 3 else (query, key)

    def _attended(
        self, index: int, normed: torch.Tensor, attention: torch.Tensor | None, num_tokens: int | None
    ) -> torch.Tensor:
        if attention is None and num_tokens is None and self.device.type == "cpu" and len(normed) > 1:
            return self._attend_by_crop(index, normed)
        if attention is None:  # not asked for by itself, it may stay in the compute dtype
            attention = torch.softmax(self._scores(index, normed, num_tokens), dim=-1)
        return _attend(self.blocks[index].attention, normed, attention)

    def _attend_by_crop(self, index: int, normed: torch.Tensor) -> torch.Tensor:
        """As `_attend`, one crop after the other: scores and softmax of a single one stay in a core's cache."""
        layer = self.blocks[index].attention
        parts = zip(*self._queries_and_keys(index, normed), _heads(layer, layer.v_proj(normed)), strict=True)
        mixed = [torch.softmax(query @ key.mT, dim=-1).to(value.dtype) @ value for query, key, value in parts]
        return layer.o_proj(torch.stack([crop.transpose(0, 1) for crop in mixed]).flatten(2))

    def tail(self, hidden: torch.Tensor, normed: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens that enter the last block (N, T, D) to logits (N, 2), float32."""
        return self.finish(self.run_block(len(self.blocks) - 1, hidden, normed, num_tokens=self.num_head_tokens))

    def finish(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens that leave the last block, at least those that the head reads, to logits (N, 2), float32.

        With a teacher, the mean of both heads, as DeiT does at inference (Touvron et al. 2021).
        """
        tokens = self.norm(hidden)
        return torch.stack([head(tokens[:, place]) for place, head in enumerate(self.heads)]).mean(dim=0)

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens as `embed` gives them (N, T, D), or mixed of such, to logits (N, 2), float32."""
        for index in range(len(self.blocks) - 1):
            hidden = self.run_block(index, hidden)
        return self.tail(hidden)


def _heads(layer: Attention, projected: torch.Tensor) -> torch.Tensor:
    """Queries, keys or values (N, T, D) to those of each head, (N, num_heads, T, d)."""
    return projected.unflatten(-1, (layer.num_attention_heads, layer.head_dim)).transpose(1, 2)


def _by_head(layer: Attention, weight: torch.Tensor) -> torch.Tensor:
    """A projection's weight (D, D) or bias (D,) to each head's part: (num_heads, d, D) or (num_heads, d)."""
    return weight.unflatten(0, (layer.num_attention_heads, layer.head_dim))


def _attend(layer: Attention, normed: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
    """Values weighed by attention (N, num_heads, Q, T), through the output projection: (N, Q, D)."""
    attention = attention.to(normed.dtype)
    if attention.shape[2] == attention.shape[3]:
        mixed = attention @ _heads(layer, layer.v_proj(normed))
    else:  # few queries: a (W x + b) = W (a x) + (sum of a) b, and the second way takes fewer tokens through W
        mixed = (attention.flatten(1, 2) @ normed).unflatten(1, attention.shape[1:3])
        mixed = torch.einsum("nhqw,hdw->nhqd", mixed, _by_head(layer, layer.v_proj.weight))
        if layer.v_proj.bias is not None:
            mixed = mixed + attention.sum(-1, keepdim=True) * _by_head(layer, layer.v_proj.bias).unsqueeze(1)
    return layer.o_proj(mixed.transpose(1, 2).flatten(2))
