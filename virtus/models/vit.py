"""A vision transformer of any known family as torch modules, with one forward pass for training and for the engine.

They are made here and not by transformers, whose import takes longer than torch's own, and which first fills a model
with random numbers; tests hold the results against its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import nn

from virtus.models.architecture import Architecture
from virtus.models.block import MLP, Attention, Block, Rotation, layer_norm


class Classifier(nn.Module):
    """Backbone and head(s), in training as in use: it has no dropout.

    Attributes:
        config: its sizes.
        num_outputs: how many of the first tokens that leave the last block the head reads; all if None.
    """

    def __init__(self, config: Architecture):
        super().__init__()
        self.config = config
        self.embeddings = Embeddings(config)
        self.pre_layernorm = layer_norm(config) if config.pre_norm else None
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.layernorm = layer_norm(config) if config.final_norm != "none" else None
        self.pooler = AttentionPooling(config) if config.pooling == "attention" else None
        self.pooled_layernorm = layer_norm(config) if config.pooled_norm else None
        for head in config.heads:
            self.add_module(head, nn.Linear(config.num_features, config.num_labels))
        self.num_outputs = len(config.heads) if config.pooling == "cls" else None
        self.rotary = Rotary(config) if config.positions == "rotary" else None

    @property
    def blocks(self) -> Sequence[Block]:
        return cast("Sequence[Block]", self.layers)  # a ModuleList is not generic

    @property
    def heads(self) -> list[nn.Linear]:
        """The linear layers that give logits."""
        return [getattr(self, name) for name in self.config.heads]

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to logits (N, num_labels)."""
        return self.judge(self.embed(pixel_values))

    def embed(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to the tokens that enter the first block (N, T, D)."""
        tokens = self.embeddings(pixel_values)
        return tokens if self.pre_layernorm is None else self.pre_layernorm(tokens)

    def judge(self, hidden: torch.Tensor, kept: torch.Tensor | None = None, *, first_block: int = 0) -> torch.Tensor:
        """Tokens as `embed` gives them, or some of them, to logits (N, num_labels); see `features`."""
        return self.decide(self.features(hidden, kept, first_block=first_block))

    def features(self, hidden: torch.Tensor, kept: torch.Tensor | None = None, *, first_block: int = 0) -> torch.Tensor:
        """Tokens as `embed` gives them, or some of them, to what the heads read: (N, vectors, D).

        Args:
            kept: which of all tokens each of these is, (N, T); all of them by default.
            first_block: that they enter.
        """
        return self._pooled(self.run_blocks(hidden, kept, first_block=first_block))

    def run_blocks(
        self, hidden: torch.Tensor, kept: torch.Tensor | None = None, *, first_block: int = 0
    ) -> torch.Tensor:
        """The tokens that leave the last block and that `finish` needs, (N, num_outputs, D); see `features`."""
        rotation, last = self.rotation(kept), len(self.layers) - 1
        for index, block in enumerate(self.blocks[first_block:], first_block):
            hidden = block(hidden, num_tokens=self.num_outputs if index == last else None, rotation=rotation)
        return hidden

    def rotation(self, kept: torch.Tensor | None = None) -> Rotation | None:
        """How queries and keys are turned by where their patches are; None where positions are learned."""
        return None if self.rotary is None else self.rotary(kept)

    def finish(self, hidden: torch.Tensor, attention: torch.Tensor | None = None) -> torch.Tensor:
        """Tokens that leave the last block, at least `num_outputs`, to logits (N, num_labels).

        Args:
            attention: replaces that of an attention pooling, as `pooling` gives it.
        """
        return self.decide(self._pooled(hidden, attention))

    def decide(self, pooled: torch.Tensor) -> torch.Tensor:
        """What `features` gives to logits (N, num_labels)."""
        if len(self.heads) > 1:
            return torch.stack([head(pooled[:, place]) for place, head in enumerate(self.heads)]).mean(dim=0)
        features = pooled.flatten(1)
        return self.heads[0](nn.functional.normalize(features, dim=1) if self.config.l2_features else features)

    def judge_each(self, hidden: torch.Tensor) -> torch.Tensor:
        """What the heads say of each token that leaves a block (N, T, D) by itself: logits (N, T, num_labels).

        It takes the place of what they read: of the class token (of both, where distilled), of the mean of the patches,
        of all that the learned query attends to. The tokens that heads read get the logits that `finish` gives.
        """
        tokens = self._normed(hidden)
        if self.pooler is not None:
            vectors = self.pooler(tokens.flatten(0, 1).unsqueeze(1))
        else:
            places = pooling_places(self.config, tokens.shape[1]).to(tokens.device)
            pooled = pooling_rows(self.config, tokens) @ tokens
            vectors = torch.where(places[..., None], tokens.unsqueeze(2), pooled.unsqueeze(1)).flatten(0, 1)
        vectors = vectors if self.pooled_layernorm is None else self.pooled_layernorm(vectors)
        return self.decide(vectors).unflatten(0, tokens.shape[:2])

    def pooling(self, hidden: torch.Tensor) -> torch.Tensor:
        """How much each token that leaves the last block counts in what the heads read.

        Returns:
            (N, num_heads, vectors, T), rows sum to 1: a vector for each head's token, for the mean of the patches, for
            both of `cls+mean`, for what a learned query attends to. Only there heads of the attention differ.
        """
        if self.pooler is not None:
            return self.pooler.attention_to(self._normed(hidden))
        return pooling_rows(self.config, hidden).expand(len(hidden), self.config.num_attention_heads, -1, -1)

    def _pooled(self, hidden: torch.Tensor, attention: torch.Tensor | None = None) -> torch.Tensor:
        tokens = self._normed(hidden)
        pooled = self.pooler(tokens, attention) if self.pooler else pooling_rows(self.config, tokens) @ tokens
        return pooled if self.pooled_layernorm is None else self.pooled_layernorm(pooled)

    def _normed(self, hidden: torch.Tensor) -> torch.Tensor:
        if self.layernorm is None or self.config.final_norm == "idle":
            return hidden
        return self.layernorm(hidden)


class Embeddings(nn.Module):
    """A picture to tokens: those that stand before the patches, the patches, and where each of them is."""

    def __init__(self, config: Architecture):
        super().__init__()
        shapes = {name: shape for name, shape in config.tensors().items() if name.startswith("embeddings.")}
        self.patch_embeddings = PatchEmbeddings(config)
        self.prefix_tokens, self.num_prefix_tokens = config.prefix_tokens, config.num_prefix_tokens
        for name in config.prefix_tokens:
            self.register_parameter(name, nn.Parameter(torch.zeros(shapes[f"embeddings.{name}"])))
        self.num_positioned = self.num_prefix_tokens if config.num_positioned is None else config.num_positioned
        num_positions = self.num_positioned + config.grid_size[0] * config.grid_size[1]
        positions = nn.Parameter(torch.zeros(1, num_positions, config.hidden_size))
        self.position_embeddings = positions if config.positions == "learned" else None

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to (N, T, D)."""
        patches = self.patch_embeddings(pixel_values)
        tokens = [getattr(self, name).expand(len(patches), -1, -1) for name in self.prefix_tokens]
        tokens, positions = torch.cat((*tokens, patches), dim=1), self.position_embeddings
        if positions is None:
            return tokens
        if without := self.num_prefix_tokens - self.num_positioned:
            nowhere = positions.new_zeros(1, without, positions.shape[2])
            first, of_patches = positions[:, : self.num_positioned], positions[:, self.num_positioned :]
            positions = torch.cat((first, nowhere, of_patches), dim=1)
        return tokens + positions


class PatchEmbeddings(nn.Module):
    def __init__(self, config: Architecture):
        super().__init__()
        size, bias = config.patch_size, config.patch_bias
        self.projection = nn.Conv2d(3, config.hidden_size, kernel_size=size, stride=size, bias=bias)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.projection(pixel_values).flatten(2).transpose(1, 2)


class Rotary(nn.Module):
    """Rotary positions over both axes (DINOv3, Siméoni et al. 2025): by the centre of each patch in [-1, 1].

    Half of each head's channels turn by the row, half by the column. Tokens before the patches stay as they are.
    """

    cos: torch.Tensor
    sin: torch.Tensor

    def __init__(self, config: Architecture):
        super().__init__()
        with torch.device("cpu"):  # also where the weights are not made yet
            periods = config.rope_theta ** torch.arange(0, 1, 4 / config.head_dim)
            axes = [2 * (torch.arange(side) + 0.5) / side - 1 for side in config.grid_size]
            places = torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1).flatten(0, 1)
            angles = (2 * torch.pi * places[:, :, None] / periods).flatten(1).tile(2)
            angles = nn.functional.pad(angles, (0, 0, config.num_prefix_tokens, 0))
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, kept: torch.Tensor | None = None) -> Rotation:
        """Cosines and sines, (T, d) for all tokens, or (N, 1, T, d) for those that were kept."""
        if kept is None:
            return self.cos, self.sin
        return self.cos[kept].unsqueeze(1), self.sin[kept].unsqueeze(1)


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
