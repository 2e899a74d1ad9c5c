"""One block of a vision transformer: attention that explanations can look into and replace, and the MLP."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn

from virtus.models.architecture import GELU_BY_TANH, Architecture

Rotation = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines of the angles by which queries and keys are turned: (T, d), or (N, 1, T, d)."""


class QuickGELU(nn.Module):
    """x sigmoid(1.702 x), of OpenAI's CLIP (Hendrycks & Gimpel 2016)."""

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        """In place where nothing will be differentiated: three new tensors of that size do not fit a CPU's cache.

        A product with a gate, for that leaves CLIP's few huge activations as they are also in bfloat16. A SiLU of
        1.702 x divided by 1.702 rounds them twice, which moved p three times as far.
        """
        if torch.is_grad_enabled():
            return hidden * torch.sigmoid(1.702 * hidden)
        return hidden.mul_((1.702 * hidden).sigmoid_())


ACTIVATION = {
    "gelu": nn.GELU,
    "gelu_python": nn.GELU,
    **{name: partial(nn.GELU, approximate="tanh") for name in GELU_BY_TANH},
    "quick_gelu": QuickGELU,
    "relu": nn.ReLU,
    "silu": nn.SiLU,
    "swish": nn.SiLU,
}


class Block(nn.Module):
    """Pre-norm (Dosovitskiy et al. 2021), with a scale of each channel of what it adds where the family has one."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.attention = Attention(config)
        self.layernorm_before, self.layernorm_after = layer_norm(config), layer_norm(config)
        self.mlp = GatedMLP(config) if config.gated_mlp else MLP(config)
        self.layer_scale1, self.layer_scale2 = (
            nn.Parameter(torch.ones(config.hidden_size)) if config.layer_scale else None for _ in range(2)
        )

    def forward(
        self,
        hidden: torch.Tensor,
        normed: torch.Tensor | None = None,
        *,
        attention: torch.Tensor | None = None,
        num_tokens: int | None = None,
        rotation: Rotation | None = None,
    ) -> torch.Tensor:
        """Tokens (N, T, D) to those that leave it.

        Args:
            normed: replaces what the first norm gives: a place to differentiate at.
            attention: replaces what `Attention.scores` becomes by a softmax: another such place.
            num_tokens: how many of the first tokens are wanted; all by default.
            rotation: of all tokens, where positions are rotary.
        """
        hidden = self.attended(hidden, normed, attention=attention, num_tokens=num_tokens, rotation=rotation)
        return hidden + scaled(self.mlp(self.layernorm_after(hidden)), self.layer_scale2)

    def attended(
        self,
        hidden: torch.Tensor,
        normed: torch.Tensor | None = None,
        *,
        attention: torch.Tensor | None = None,
        num_tokens: int | None = None,
        rotation: Rotation | None = None,
    ) -> torch.Tensor:
        """Tokens (N, T, D) to those between its attention and its MLP; see `forward`."""
        read: torch.Tensor = self.layernorm_before(hidden) if normed is None else normed
        if attention is None and num_tokens is None:
            added = self.attention(read, rotation)
        else:
            if attention is None:
                attention = torch.softmax(self.attention.scores(read, num_tokens, rotation), dim=-1)
            added = self.attention.attend(read, attention)
        return hidden[:, :num_tokens] + scaled(added, self.layer_scale1)


class Attention(nn.Module):
    """Scaled dot products of queries and keys, and values weighed by them."""

    def __init__(self, config: Architecture, *, biases: str = ""):
        super().__init__()
        width, biases = config.hidden_size, biases or config.attention_bias
        self.num_attention_heads, self.head_dim = config.num_attention_heads, config.head_dim
        self.scaling = self.head_dim**-0.5
        self.q_proj, self.k_proj, self.v_proj, self.o_proj = (
            nn.Linear(width, width, bias=letter in biases) for letter in "qkvo"
        )

    def forward(self, normed: torch.Tensor, rotation: Rotation | None = None) -> torch.Tensor:
        """`attend` to the softmax of `scores` of all tokens, in one kernel that never holds these: (N, T, D)."""
        normed = normed.to(self.v_proj.weight.dtype)
        return self.o_proj(self.mix(self.q_proj(normed), self.k_proj(normed), self.v_proj(normed), rotation))

    def mix(
        self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, rotation: Rotation | None = None
    ) -> torch.Tensor:
        """What the three projections give, (N, T, D) each, to values weighed by attention, (N, T, D)."""
        query, key = self._by_head_and_turned(query, key, rotation)
        mixed = nn.functional.scaled_dot_product_attention(query, key, self.by_head(value), scale=1.0)
        return mixed.transpose(1, 2).flatten(2)

    def scores(
        self, normed: torch.Tensor, num_tokens: int | None = None, rotation: Rotation | None = None
    ) -> torch.Tensor:
        """Q K^T / sqrt(d), (N, num_heads, T, T) float32, or only the rows of so many first tokens.

        Those rows lack a constant each, which the softmax takes out.
        """
        normed = normed.to(self.q_proj.weight.dtype)
        if num_tokens is None or rotation is not None:
            query, key = self.q_proj(normed[:, :num_tokens]), self.k_proj(normed)
            query, key = self._by_head_and_turned(query, key, rotation)
            return query.float() @ key.float().mT  # as the kernel of `forward` has them
        # Few queries: q (W x) = (q W) x, and the second way need not take every token through W.
        query = self.scaling * self.by_head(self.q_proj(normed[:, :num_tokens]))
        query = torch.einsum("nhqd,hdw->nhqw", query, self._weight_by_head(self.k_proj.weight))
        return (query.flatten(1, 2) @ normed.mT).unflatten(1, query.shape[1:3])

    def attend(self, normed: torch.Tensor, attention: torch.Tensor) -> torch.Tensor:
        """Values weighed by attention (N, num_heads, Q, T), through the output projection: (N, Q, D)."""
        normed = normed.to(self.v_proj.weight.dtype)
        attention = attention.to(normed.dtype)
        if attention.shape[2] == attention.shape[3]:
            mixed = attention @ self.by_head(self.v_proj(normed))
        else:  # few queries: a (W x + b) = W (a x) + (sum of a) b, and the second way takes fewer tokens through W
            mixed = (attention.flatten(1, 2) @ normed).unflatten(1, attention.shape[1:3])
            mixed = torch.einsum("nhqw,hdw->nhqd", mixed, self._weight_by_head(self.v_proj.weight))
            if self.v_proj.bias is not None:
                mixed = mixed + attention.sum(-1, keepdim=True) * self._weight_by_head(self.v_proj.bias).unsqueeze(1)
        return self.o_proj(mixed.transpose(1, 2).flatten(2))

    def by_head(self, projected: torch.Tensor) -> torch.Tensor:
        """Queries, keys or values (N, T, D) to those of each head, (N, num_heads, T, d)."""
        return projected.unflatten(-1, (self.num_attention_heads, self.head_dim)).transpose(1, 2)

    def _by_head_and_turned(
        self, query: torch.Tensor, key: torch.Tensor, rotation: Rotation | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        query, key = self.scaling * self.by_head(query), self.by_head(key)
        return (query, key) if rotation is None else (_rotate(query, rotation), _rotate(key, rotation))

    def _weight_by_head(self, weight: torch.Tensor) -> torch.Tensor:
        """A projection's weight (D, D) or bias (D,) to each head's part: (num_heads, d, D) or (num_heads, d)."""
        return weight.unflatten(0, (self.num_attention_heads, self.head_dim))


class MLP(nn.Module):
    def __init__(self, config: Architecture, *, bias: bool | None = None):
        super().__init__()
        width, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias if bias is None else bias
        self.activation_fn = ACTIVATION[config.hidden_act]()
        self.fc1, self.fc2 = nn.Linear(width, inner, bias=bias), nn.Linear(inner, width, bias=bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.activation_fn(self.fc1(hidden.to(self.fc1.weight.dtype))))


class GatedMLP(nn.Module):
    """SwiGLU (Shazeer 2020), with the family's activation where DINOv3 names another."""

    def __init__(self, config: Architecture):
        super().__init__()
        width, inner, bias = config.hidden_size, config.intermediate_size, config.mlp_bias
        self.activation_fn = ACTIVATION[config.gate_act]()
        self.gate_proj, self.up_proj = nn.Linear(width, inner, bias=bias), nn.Linear(width, inner, bias=bias)
        self.down_proj = nn.Linear(inner, width, bias=bias)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden.to(self.gate_proj.weight.dtype)
        return self.down_proj(self.activation_fn(self.gate_proj(hidden)) * self.up_proj(hidden))


def layer_norm(config: Architecture) -> nn.LayerNorm:
    return nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


def scaled(added: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
    """What a block adds, by the scale of each channel where there is one."""
    return added if scale is None else added * scale


def _rotate(vectors: torch.Tensor, rotation: Rotation) -> torch.Tensor:
    """Turn queries or keys (N, num_heads, T, d) by the angles of the first T tokens (Su et al. 2021)."""
    cos, sin = (part[..., : vectors.shape[2], :] for part in rotation)
    first, second = vectors.chunk(2, dim=-1)
    return (vectors * cos + torch.cat((-second, first), dim=-1) * sin).to(vectors.dtype)
