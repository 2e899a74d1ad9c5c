"""From the tokens that leave the last block to what the heads read, by weights that explanations can follow."""

from __future__ import annotations

import torch
from torch import nn

from virtus.models.architecture import Architecture
from virtus.models.block import MLP, Attention, layer_norm


def pooling_rows(config: Architecture, tokens: torch.Tensor) -> torch.Tensor:
    """How much each of the tokens (N, T, D) counts in each vector that the heads read: (vectors, T), rows sum to 1.

    The first token for each head, the mean of the patches that are there, or the first and that mean.
    """
    count = tokens.shape[1]
    first = torch.eye(len(config.heads), count, device=tokens.device)
    if config.pooling == "cls":
        return first
    mean = torch.zeros(1, count, device=tokens.device)
    mean[:, config.num_prefix_tokens :] = 1 / max(1, count - config.num_prefix_tokens)
    return mean if config.pooling == "mean" else torch.cat((first, mean))


def pooling_places(config: Architecture, count: int) -> torch.Tensor:
    """Which of the vectors that the heads read each of `count` tokens stands for where it is asked alone: bool,
    (T, vectors).

    A patch for all of them, or beside a class token for the mean; the tokens that heads read for none: these are their
    own. Any other token stands where a class token would.
    """
    patches = torch.arange(count)[:, None] >= config.num_prefix_tokens
    if config.pooling == "mean":
        return torch.ones_like(patches)
    read = torch.arange(count)[:, None] < len(config.heads)
    return ~read.expand(-1, len(config.heads)) if config.pooling == "cls" else torch.cat((~patches & ~read, patches), 1)


class AttentionPooling(nn.Module):
    """What one learned query attends to, and an MLP on it: SigLIP's head (Zhai et al. 2023, after Lee et al. 2019)."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.probe = nn.Parameter(torch.zeros(1, 1, config.hidden_size))
        self.attention = Attention(config, biases="qkvo")
        self.layernorm = layer_norm(config)
        self.mlp = MLP(config, bias=True)

    def forward(self, tokens: torch.Tensor, attention: torch.Tensor | None = None) -> torch.Tensor:
        """(N, T, D) to (N, 1, D); `attention` replaces what `attention_to` gives."""
        pooled = self.attention.attend(tokens, self.attention_to(tokens) if attention is None else attention)
        return pooled + self.mlp(self.layernorm(pooled))

    def attention_to(self, tokens: torch.Tensor) -> torch.Tensor:
        """(N, num_heads, 1, T), rows sum to 1."""
        layer = self.attention
        query = layer.scaling * layer.by_head(layer.q_proj(self.probe))
        return torch.softmax(query @ layer.by_head(layer.k_proj(tokens)).mT, dim=-1)
