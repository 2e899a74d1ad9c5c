"""What a ViT or DeiT classifier is made of: its sizes, by its `config.json`, and the tensors that its files must hold.

Known without torch, so that a checkpoint can be refused before anything heavy is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

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
PARTS = ("weight", "bias")


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
    def num_prefix_tokens(self) -> int:
        return len(self._prefix_tokens)

    @property
    def heads(self) -> tuple[str, ...]:
        """Names of the linear layers that give logits."""
        return ("cls_classifier", "distillation_classifier") if self.name.endswith("WithTeacher") else ("classifier",)

    @property
    def _prefix_tokens(self) -> tuple[str, ...]:
        return ("cls_token",) if self.model_type == "vit" else ("cls_token", "distillation_token")

    @classmethod
    def from_config(cls, name: str, config: Mapping) -> Architecture:
        """From the content of a `config.json`.

        Args:
            name: a key of `KIND_OF`.

        Raises:
            CheckpointError: if it gives no sizes that a model can have.
        """
        counts = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
        given = {key: _count(config, key) for key in counts if key in config}
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
        width, base = self.hidden_size, self.model_type
        patches = math.prod(side // patch for side, patch in zip(self.image_size, self.patch_size, strict=True))
        found = {f"embeddings.{token}": (1, 1, width) for token in self._prefix_tokens}
        found["embeddings.position_embeddings"] = (1, patches + self.num_prefix_tokens, width)
        found["embeddings.patch_embeddings.projection.weight"] = (width, 3, *self.patch_size)
        found["embeddings.patch_embeddings.projection.bias"] = (width,)
        for index in range(self.num_hidden_layers):
            found |= {f"layers.{index}.{name}": shape for name, shape in self._block().items()}
        found |= {"layernorm.weight": (width,), "layernorm.bias": (width,)}
        heads = {f"{head}.weight": (NUM_LABELS, width) for head in self.heads}
        heads |= {f"{head}.bias": (NUM_LABELS,) for head in self.heads}
        return {f"{base}.{name}": shape for name, shape in found.items()} | heads

    def _block(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden_size, self.intermediate_size
        found = {f"attention.{one}_proj.weight": (width, width) for one in "qkvo"}
        found |= {f"attention.{one}_proj.bias": (width,) for one in ("qkvo" if self.qkv_bias else "o")}
        found |= {f"{norm}.{part}": (width,) for norm in ("layernorm_before", "layernorm_after") for part in PARTS}
        found |= {"mlp.fc1.weight": (inner, width), "mlp.fc1.bias": (inner,)}
        return found | {"mlp.fc2.weight": (width, inner), "mlp.fc2.bias": (width,)}


def new_name(name: str) -> str:
    """What a tensor of a file is called in `Architecture.tensors`."""
    for old, new in NEW_NAMES:
        name = old.sub(new, name)
    return name


def _count(config: Mapping, key: str) -> int:
    if not _is_count(value := config[key]):
        raise _unfit(key, value, "a whole number from 1 on")
    return value


def _sides(config: Mapping, key: str) -> tuple[int, int]:
    value = config[key]
    sides = tuple(value) if isinstance(value, (list, tuple)) and len(value) == 2 else (value, value)
    if not all(map(_is_count, sides)):
        raise _unfit(key, value, "a side in pixels, or two")
    return sides


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _unfit(key: str, value: object, wanted: str) -> CheckpointError:
    return CheckpointError(
        f"Its config.json does not describe a model that can judge: {key} is {value!r}, not {wanted}."
    )
