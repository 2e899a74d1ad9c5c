"""The parts of a transformers ViT or DeiT classifier: the only file that knows their names.

Blocks are run one by one and without hooks, so that several threads can share a model. The residual stream and the
layer norms stay in float32; attention and MLP of the inner blocks run in the compute dtype. The first block is float32
because its rounding errors go through all others; the last block, the final norm and the head (the "tail") because
explanations differentiate them.
"""

from __future__ import annotations

import torch
from transformers import PreTrainedModel

NUM_PREFIX_TOKENS = {"vit": 1, "deit": 2}


class Trunk:
    """A frozen classifier on one device.

    Attributes:
        num_prefix_tokens: tokens before the patches: 1 (cls) or 2 (cls and distillation).
        num_head_tokens: of these, how many the head reads.
        grid_size: (grid_h, grid_w) of the patches.
    """

    def __init__(self, model: PreTrainedModel, *, device: torch.device, dtype: torch.dtype):
        self.model = model.eval().requires_grad_(False).to(device)
        self.device, self.dtype = device, dtype
        base = model.base_model
        self.embeddings, self.blocks, self.norm = base.embeddings, base.layers, base.layernorm
        self.num_prefix_tokens = NUM_PREFIX_TOKENS[model.config.model_type]
        self.num_head_tokens = 2 if hasattr(model, "distillation_classifier") else 1
        patches = base.embeddings.patch_embeddings
        self.grid_size = tuple(
            s // p for s, p in zip(_pair(patches.image_size), _pair(patches.patch_size), strict=True)
        )
        for block in self.blocks[1:-1]:
            block.attention.to(dtype)
            block.mlp.to(dtype)

    def embed(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to tokens (N, T, D), float32."""
        return self.embeddings(pixel_values.to(self.device, torch.float32))

    def run_block(self, index: int, hidden: torch.Tensor, normed: torch.Tensor | None = None) -> torch.Tensor:
        """One pre-norm block (Dosovitskiy et al. 2021) on tokens (N, T, D).

        `normed` replaces what the block's first norm gives: a place to differentiate at.
        """
        if not len(hidden):  # transformers cannot reshape an empty batch
            return hidden
        block = self.blocks[index]
        dtype = block.mlp.fc1.weight.dtype
        normed = block.layernorm_before(hidden) if normed is None else normed
        hidden = hidden + block.attention(normed.to(dtype))[0].float()
        return hidden + block.mlp(block.layernorm_after(hidden).to(dtype)).float()

    def attention(self, index: int, hidden: torch.Tensor) -> torch.Tensor:
        """softmax(Q K^T / sqrt(d)) of a block, (N, num_heads, T, T), float32, from the tokens that enter it."""
        block = self.blocks[index]
        own = block.attention
        normed = block.layernorm_before(hidden).to(own.q_proj.weight.dtype)
        shape = (*hidden.shape[:-1], own.num_attention_heads, own.head_dim)
        query, key = (proj(normed).view(shape).transpose(1, 2).float() for proj in (own.q_proj, own.k_proj))
        return torch.softmax(query @ key.transpose(2, 3) * own.scaling, dim=-1)

    def tail_norm(self, hidden: torch.Tensor) -> torch.Tensor:
        """The last block's first norm: the deepest place where patches still reach the head."""
        return self.blocks[-1].layernorm_before(hidden)

    def tail(self, hidden: torch.Tensor, normed: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens that enter the last block (N, T, D) to logits (N, 2), float32."""
        return self.head(self.norm(self.run_block(len(self.blocks) - 1, hidden, normed)))

    def head(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits; with a teacher, the mean of both heads, as DeiT does at inference (Touvron et al. 2021)."""
        if self.num_head_tokens == 1:
            return self.model.classifier(tokens[:, 0])
        return (self.model.cls_classifier(tokens[:, 0]) + self.model.distillation_classifier(tokens[:, 1])) / 2


def _pair(size: int | tuple[int, int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else tuple(size)
