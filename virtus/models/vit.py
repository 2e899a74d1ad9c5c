"""A ViT or DeiT classifier as torch modules, with the names that transformers 5 has for them.

`Trunk` runs them. They are made here and not by transformers, whose import takes longer than torch's own, and
which first fills a model with random numbers; tests hold the results against its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from virtus.models.families import NUM_LABELS, Architecture, new_name
from virtus.models.weights import read_headers, read_tensors

ACTIVATION = {
    "gelu": nn.GELU,
    "gelu_new": lambda: nn.GELU(approximate="tanh"),
    "gelu_pytorch_tanh": lambda: nn.GELU(approximate="tanh"),
    "relu": nn.ReLU,
    "silu": nn.SiLU,
}


class Classifier(nn.Module):
    """Backbone and head(s), without a forward pass of its own.

    Attributes:
        config: its sizes.
        base_model: the backbone.
        heads: the linear layers that give logits, each from the prefix token of the same place.
    """

    def __init__(self, config: Architecture):
        super().__init__()
        self.config = config
        self.add_module(config.model_type, Backbone(config))
        for head in config.heads:
            self.add_module(head, nn.Linear(config.hidden_size, NUM_LABELS))

    @property
    def base_model(self) -> Backbone:
        return getattr(self, self.config.model_type)

    @property
    def heads(self) -> list[nn.Linear]:
        return [getattr(self, name) for name in self.config.heads]


class Backbone(nn.Module):
    def __init__(self, config: Architecture):
        super().__init__()
        self.embeddings = Embeddings(config)
        self.layers = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)


class Embeddings(nn.Module):
    """A picture to tokens: those that stand before the patches, the patches, and where each of them is."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.patch_embeddings = PatchEmbeddings(config)
        self.prefix_tokens = config.prefix_tokens
        for name in config.prefix_tokens:
            self.register_parameter(name, nn.Parameter(torch.zeros(1, 1, config.hidden_size)))
        self.position_embeddings = nn.Parameter(torch.zeros(1, config.num_tokens, config.hidden_size))

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """(N, 3, H, W) to (N, T, D)."""
        patches = self.patch_embeddings(pixel_values)
        tokens = [getattr(self, name).expand(len(patches), -1, -1) for name in self.prefix_tokens]
        return torch.cat((*tokens, patches), dim=1) + self.position_embeddings


class PatchEmbeddings(nn.Module):
    def __init__(self, config: Architecture):
        super().__init__()
        self.projection = nn.Conv2d(3, config.hidden_size, kernel_size=config.patch_size, stride=config.patch_size)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        return self.projection(pixel_values).flatten(2).transpose(1, 2)


class Block(nn.Module):
    """Pre-norm; `Trunk.run_block` is its forward pass."""

    def __init__(self, config: Architecture):
        super().__init__()
        self.attention = Attention(config)
        self.layernorm_before = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.layernorm_after = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = MLP(config)


class Attention(nn.Module):
    def __init__(self, config: Architecture):
        super().__init__()
        width = config.hidden_size
        self.num_attention_heads, self.head_dim = config.num_attention_heads, width // config.num_attention_heads
        self.scaling = self.head_dim**-0.5
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(width, width, bias=config.qkv_bias) for _ in range(3))
        self.o_proj = nn.Linear(width, width)


class MLP(nn.Module):
    def __init__(self, config: Architecture):
        super().__init__()
        self.activation_fn = ACTIVATION[config.hidden_act]()
        self.fc1 = nn.Linear(config.hidden_size, config.intermediate_size)
        self.fc2 = nn.Linear(config.intermediate_size, config.hidden_size)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        return self.fc2(self.activation_fn(self.fc1(hidden)))


def build_classifier(config: Architecture, files: Sequence[Path]) -> Classifier:
    """A classifier in float32 with the weights of safetensors files that hold all of `config.tensors()`.

    Raises:
        SafetensorError, OSError: if a file cannot be read any more.
    """
    with torch.device("meta"):  # no memory, and nothing drawn at random only to be overwritten
        model = Classifier(config)
    wanted = config.tensors()
    names = {name: new for name in read_headers(files) if (new := new_name(name)) in wanted}
    model.load_state_dict({names[name]: tensor for name, tensor in read_tensors(files, names)}, assign=True)
    return model
