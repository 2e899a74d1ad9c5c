"""What a ViT or DeiT classifier is made of: its sizes, by its `config.json`, and the tensors that its files must hold.

Known without torch, so that a checkpoint can be refused before anything heavy is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from virtus.errors import CheckpointError

KIND_OF = {
    "ViTForImageClassification": "vit",
    "DeiTForImageClassification": "deit",
    "DeiTForImageClassificationWithTeacher": "deit",
}
ACTIVATIONS = ("gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu")
MAX_BLOCKS = 200  # a config that claims more would only cost time and memory to refuse
NUM_LABELS = 2
# Files have the names that transformers gave in version 4, or those of version 5, which this engine has too.
NEW_NAMES = (
    (re.compile(r"^(vit|deit)\.encoder\.layer\."), r"\1.layers."),
    (re.compile(r"\.attention\.attention\.(q|k|v)(?:uery|ey|alue)\."), r".attention.\1_proj."),
    (re.compile(r"\.attention\.output\.dense\."), ".attention.o_proj."),
    (re.compile(r"(\.\d+)\.intermediate\.dense\."), r"\1.mlp.fc1."),
    (re.compile(r"(\.\d+)\.output\.dense\."), r"\1.mlp.fc2."),
)


@dataclass(frozen=True)
class Architecture:
    """The sizes, named as in a `config.json`; what one leaves out has transformers' defaults.

    Attributes:
        name: of the transformers class.
        model_type: vit or deit.
        image_size, patch_size: height and width in pixels.
        hidden_act: a name in `ACTIVATIONS`.
    """

    name: str
    image_size: tuple[int, int] = (224, 224)
    patch_size: tuple[int, int] = (16, 16)
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    qkv_bias: bool = True

    @property
    def model_type(self) -> str:
        return KIND_OF[self.name]

    @property
    def grid_size(self) -> tuple[int, int]:
        """(grid_h, grid_w) of the patches."""
        return self.image_size[0] // self.patch_size[0], self.image_size[1] // self.patch_size[1]

    @property
    def prefix_tokens(self) -> tuple[str, ...]:
        """Names of the learned tokens that stand before the patches."""
        return ("cls_token",) if self.model_type == "vit" else ("cls_token", "distillation_token")

    @property
    def num_tokens(self) -> int:
        return len(self.prefix_tokens) + math.prod(self.grid_size)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the linear layers that give logits, each from the prefix token of the same place."""
        return ("cls_classifier", "distillation_classifier") if self.name.endswith("WithTeacher") else ("classifier",)

    @classmethod
    def from_config(cls, name: str, config: Mapping) -> Architecture:
        """From the content of a `config.json`.

        Args:
            name: a key of `KIND_OF`.

        Raises:
            CheckpointError: if it gives no sizes that a model can have.
        """
        counts = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        given: dict[str, Any] = {key: _count(config, key) for key in counts if key in config}
        given |= {key: _sides(config, key) for key in ("image_size", "patch_size") if key in config}
        given |= {key: config[key] for key in ("hidden_act", "layer_norm_eps", "qkv_bias") if key in config}
        return cls(name, **given)._checked()

    def _checked(self) -> Architecture:
        if self.hidden_act not in list(ACTIVATIONS):
            raise _unfit("hidden_act", self.hidden_act, f"one of {', '.join(ACTIVATIONS)}")
        eps = self.layer_norm_eps
        if isinstance(eps, bool) or not isinstance(eps, (int, float)) or not 0 <= eps < math.inf:
            raise _unfit("layer_norm_eps", eps, "a number from 0 on")
        if not isinstance(self.qkv_bias, bool):
            raise _unfit("qkv_bias", self.qkv_bias, "true or false")
        if self.num_hidden_layers > MAX_BLOCKS:
            raise _unfit("num_hidden_layers", self.num_hidden_layers, f"at most {MAX_BLOCKS}")
        if self.hidden_size % self.num_attention_heads:
            raise _unfit("num_attention_heads", self.num_attention_heads, f"a divisor of {self.hidden_size}")
        if any(patch > side for patch, side in zip(self.patch_size, self.image_size, strict=True)):
            raise _unfit("patch_size", self.patch_size, f"within the picture of {self.image_size}")
        return self

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of all that a file must hold."""
        width = self.hidden_size
        backbone: dict[str, tuple[int, ...]] = {f"embeddings.{token}": (1, 1, width) for token in self.prefix_tokens}
        backbone["embeddings.position_embeddings"] = (1, self.num_tokens, width)
        backbone["embeddings.patch_embeddings.projection.weight"] = (width, 3, *self.patch_size)
        backbone["embeddings.patch_embeddings.projection.bias"] = (width,)
        for index in range(self.num_hidden_layers):
            backbone |= {f"layers.{index}.{name}": shape for name, shape in self._block().items()}
        backbone |= {"layernorm.weight": (width,), "layernorm.bias": (width,)}
        heads: dict[str, tuple[int, ...]] = {f"{head}.weight": (NUM_LABELS, width) for head in self.heads}
        heads |= {f"{head}.bias": (NUM_LABELS,) for head in self.heads}
        return {f"{self.model_type}.{name}": shape for name, shape in backbone.items()} | heads

    def _block(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden_size, self.intermediate_size
        vectors = [f"attention.{letter}_proj.bias" for letter in ("qkvo" if self.qkv_bias else "o")]
        vectors += [f"layernorm_{place}.{part}" for place in ("before", "after") for part in ("weight", "bias")]
        shapes: dict[str, tuple[int, ...]] = {f"attention.{letter}_proj.weight": (width, width) for letter in "qkvo"}
        shapes |= dict.fromkeys(vectors, (width,))
        shapes |= {"mlp.fc1.weight": (inner, width), "mlp.fc1.bias": (inner,)}
        return shapes | {"mlp.fc2.weight": (width, inner), "mlp.fc2.bias": (width,)}


def new_name(name: str) -> str:
    """What a tensor of a file is called in `Architecture.tensors`."""
    for old, new in NEW_NAMES:
        name = old.sub(new, name)
    return name


def _count(config: Mapping, key: str) -> int:
    if not is_count(value := config[key]):
        raise _unfit(key, value, "a whole number from 1 on")
    return value


def _sides(config: Mapping, key: str) -> tuple[int, int]:
    value = config[key]
    height, width = value if isinstance(value, (list, tuple)) and len(value) == 2 else (value, value)
    if not (is_count(height) and is_count(width)):
        raise _unfit(key, value, "a side in pixels, or two")
    return height, width


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value of a JSON file is a whole number from 1 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _unfit(key: str, value: object, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"Its config.json does not describe a model that can judge: {key} is {value!r}, not {wanted}."
    )
