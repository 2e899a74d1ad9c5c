"""What a vision transformer that judges is made of: its sizes and parts, its tensors, and where files have them.

Known without torch, so that a checkpoint can be refused before anything heavy is loaded.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from virtus.models.config_values import unfit

GELU_BY_TANH = ("gelu_new", "gelu_fast", "gelu_accurate", "gelu_pytorch_tanh", "gelu_python_tanh")
ACTIVATIONS = ("gelu", "gelu_python", *GELU_BY_TANH, "quick_gelu", "relu", "silu", "swish")
PRECISIONS = ("auto", "float32", "bfloat16", "int8")  # in which one can be computed: `hardware` says where
MAX_BLOCKS = 200  # a config that claims more would only cost time and memory to refuse
ENDS = (".weight", ".bias")
BLOCK = re.compile(r"layers\.(\d+)\.")
STEM = re.compile(r"(.*?)(?:\[(\d)/(\d)\])?")


@dataclass(frozen=True)
class Source:
    """Where a tensor lies in files: all of one there, or one of `of` equal parts along its first dimension."""

    name: str
    part: int = 0
    of: int = 1


@dataclass(frozen=True, eq=False)
class Family:
    """Models of one kind: how their `config.json` is read and their files call the tensors.

    Attributes:
        model_type: in the config of the classes that judge.
        classes: of transformers, that judge; the first is what a config without one means.
        bases: classes without a head for pictures, and their model types: a backbone to train from.
        sizes: from the name of a class and the part of the config that describes the vision tower, the fields of
            `Architecture`.
        nested: key of that part where a config holds more than one tower.
        prefixes: of the backbone's names in files, the one that is written first. Heads have none.
        blocks: of a block's names, behind these; "#" stands for its index.
        names: what files call a tensor of `Architecture.tensors` where it is not the same name ("*." stands for a
            block), by its stem without .weight and .bias: one name or several, the one that is written first. "[1/3]"
            is the second of three equal parts; behind a "_" the stem's .weight is weight.
        flat: whether files have tokens and positions without leading dimensions of 1.
        unused: parts of names that files may hold and the classifier does not read.
        any_size: whether positions are resampled for pictures of another size than the config's.
        saved: further entries of the vision tower's config when a classifier is saved.
        config: from an architecture, the config that it was read from and its labels, the `config.json` of such a
            classifier, where that is not made as transformers makes it.
        processor: from a config and the content of a `preprocessor_config.json`, if there is one, what such a file says
            where the family's own need none.
    """

    model_type: str
    classes: tuple[str, ...]
    sizes: Callable[[str, Mapping], dict[str, Any]]
    bases: Mapping[str, str] = field(default_factory=dict)
    nested: str = ""
    prefixes: tuple[str, ...] = ("",)
    blocks: tuple[str, ...] = ("layers.#.",)
    names: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    flat: bool = False
    unused: tuple[str, ...] = ()
    any_size: bool = False
    saved: Mapping[str, Any] = field(default_factory=dict)
    config: Callable[[Architecture, Mapping, Mapping[int, str]], dict[str, Any]] | None = None
    processor: Callable[[Mapping, Mapping | None], Mapping] | None = None

    def sources_of(self, name: str, *, is_head: bool) -> Iterator[Source]:
        """Where files may have a tensor of `Architecture.tensors`, the place where it is written first."""
        stem, suffix = (name[: -len(end)], end) if (end := f".{name.rpartition('.')[2]}") in ENDS else (name, "")
        block = BLOCK.match(stem)
        inner = "*." + stem[block.end() :] if block else stem
        stems = self.names.get(inner, inner.removeprefix("*."))
        places = [place.replace("#", block[1]) for place in self.blocks] if block else [""]
        for prefix in ("",) if is_head else self.prefixes:
            for place in places:
                for written in (stems,) if isinstance(stems, str) else stems:
                    found, part, of = _parse(written)
                    end = suffix[1:] if found.endswith("_") else suffix
                    yield Source(f"{prefix}{place}{found}{end}", part, of)


@dataclass(frozen=True)
class Architecture:
    """Sizes, named as in a `config.json`, and parts.

    Attributes:
        family: the entry that it was read by.
        name: of the class.
        image_size, patch_size: height and width in pixels.
        hidden_act: a name in `ACTIVATIONS`.
        num_labels: how many logits there are.
        prefix_tokens: names of the learned tokens that stand before the patches, in their order.
        num_register_tokens: how many `register_tokens` is.
        num_positioned: how many of the prefix tokens have a position; all if None.
        positions: learned for each token and added; or rotary, by which queries and keys of patches are turned (Su et
            al. 2021; DINOv3's over both axes).
        position_grid: (rows, columns) of the positions in files where they are resampled; those of the patches if None.
        position_antialias: whether that resampling smooths.
        rope_theta: base of the rotary periods.
        attention_bias: letters of the projections q, k, v, o that have one.
        patch_bias, mlp_bias: whether these have one.
        pre_norm: whether a norm stands before the blocks.
        layer_scale: whether what a block adds is scaled by channel.
        gated_mlp, gate_act: whether the MLP is one with a gate (SwiGLU, Shazeer 2020), and the activation of that.
        final_norm: of the tokens that leave the last block; idle is one that files hold and the head does not see.
        pooling: what the head reads of these tokens: the first for each head, the mean of the patches, the first and
            that mean side by side, or what a learned query attends to (SigLIP's head).
        pooled_norm: whether a norm stands between pooling and head.
        heads: names of the linear layers that give logits. Of several each reads a token, and their mean counts.
        l2_features: whether the head reads features of length 1 (GenD).
    """

    family: Family = field(repr=False)
    name: str
    image_size: tuple[int, int] = (224, 224)
    patch_size: tuple[int, int] = (16, 16)
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    num_labels: int = 2
    prefix_tokens: tuple[str, ...] = ("cls_token",)
    num_register_tokens: int = 0
    num_positioned: int | None = None
    positions: Literal["learned", "rotary"] = "learned"
    position_grid: tuple[int, int] | None = None
    position_antialias: bool = False
    rope_theta: float = 100.0
    attention_bias: str = "qkvo"
    patch_bias: bool = True
    mlp_bias: bool = True
    pre_norm: bool = False
    layer_scale: bool = False
    gated_mlp: bool = False
    gate_act: str = "silu"
    final_norm: Literal["tokens", "idle", "none"] = "tokens"
    pooling: Literal["cls", "mean", "cls+mean", "attention"] = "cls"
    pooled_norm: bool = False
    heads: tuple[str, ...] = ("classifier",)
    l2_features: bool = False

    def __post_init__(self):
        """Raise a CheckpointError unless a model can have these sizes."""
        for name in (self.hidden_act, self.gate_act):
            if name not in list(ACTIVATIONS):
                raise unfit("hidden_act", name, f"one of {', '.join(ACTIVATIONS)}")
        eps = self.layer_norm_eps
        if isinstance(eps, bool) or not isinstance(eps, (int, float)) or not 0 <= eps < math.inf:
            raise unfit("layer_norm_eps", eps, "a number from 0 on")
        if self.num_hidden_layers > MAX_BLOCKS:
            raise unfit("num_hidden_layers", self.num_hidden_layers, f"at most {MAX_BLOCKS}")
        if self.hidden_size % self.num_attention_heads:
            raise unfit("num_attention_heads", self.num_attention_heads, f"a divisor of {self.hidden_size}")
        if self.positions == "rotary" and self.head_dim % 4:
            raise unfit("num_attention_heads", self.num_attention_heads, "one that gives each a multiple of 4 channels")
        if any(patch > side for patch, side in zip(self.patch_size, self.image_size, strict=True)):
            raise unfit("patch_size", self.patch_size, f"within the picture of {self.image_size}")

    @property
    def model_type(self) -> str:
        return self.family.model_type

    @property
    def grid_size(self) -> tuple[int, int]:
        """(grid_h, grid_w) of the patches."""
        return self.image_size[0] // self.patch_size[0], self.image_size[1] // self.patch_size[1]

    @property
    def head_dim(self) -> int:
        return self.hidden_size // self.num_attention_heads

    @property
    def num_prefix_tokens(self) -> int:
        """All tokens that are no patches."""
        return sum(self._count(token) for token in self.prefix_tokens)

    @property
    def num_features(self) -> int:
        """How many numbers a head reads."""
        return self.hidden_size * (2 if self.pooling == "cls+mean" else 1)

    def for_size(self, image_size: tuple[int, int]) -> Architecture:
        """The same for pictures of another size, where the family's positions can be resampled."""
        if image_size == self.image_size or not self.family.any_size:
            return self
        grid = None if self.positions == "rotary" else self.position_grid or self.grid_size
        return replace(self, image_size=image_size, position_grid=grid)

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of all that the model consists of; of the positions those that files hold."""
        width, inner = self.hidden_size, self.intermediate_size
        shapes: dict[str, tuple[int, ...]] = {
            f"embeddings.{token}": (1, self._count(token), width) for token in self.prefix_tokens
        }
        if self.positions == "learned":
            num_positioned = self.num_prefix_tokens if self.num_positioned is None else self.num_positioned
            num_patches = math.prod(self.position_grid or self.grid_size)
            shapes["embeddings.position_embeddings"] = (1, num_positioned + num_patches, width)
        shapes["embeddings.patch_embeddings.projection.weight"] = (width, 3, *self.patch_size)
        if self.patch_bias:
            shapes["embeddings.patch_embeddings.projection.bias"] = (width,)
        shapes |= _norm("pre_layernorm", width) if self.pre_norm else {}
        block = self._block()
        for index in range(self.num_hidden_layers):
            shapes |= {f"layers.{index}.{name}": shape for name, shape in block.items()}
        shapes |= _norm("layernorm", width) if self.final_norm != "none" else {}
        if self.pooling == "attention":
            shapes |= {"pooler.probe": (1, 1, width)} | _norm("pooler.layernorm", width)
            shapes |= _attention("pooler.attention", width, "qkvo")
            shapes |= _linear("pooler.mlp.fc1", width, inner) | _linear("pooler.mlp.fc2", inner, width)
        shapes |= _norm("pooled_layernorm", width) if self.pooled_norm else {}
        for head in self.heads:
            shapes |= _linear(head, self.num_features, self.num_labels)
        return shapes

    def sources(self, held: Collection[str] = ()) -> dict[str, Source]:
        """Where each tensor lies in files that hold these names; the published place of what they do not hold."""
        found = {}
        for name in self.tensors():
            places = self.family.sources_of(name, is_head=self.is_head(name))
            first = next(places)
            found[name] = (
                first if first.name in held else next((place for place in places if place.name in held), first)
            )
        return found

    def file_shapes(self, held: Collection[str] = ()) -> dict[str, tuple[int, ...]]:
        """Name and shape of all that such files must hold."""
        tensors, shapes = self.tensors(), {}
        for name, source in self.sources(held).items():
            first, *rest = self.file_shape(name, tensors[name])
            shapes[source.name] = (first * source.of, *rest)
        return shapes

    def file_shape(self, name: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape that a file has a tensor, or its part of one, in."""
        if not self.family.flat or not name.startswith("embeddings."):
            return shape
        return {"position_embeddings": shape[1:], "cls_token": shape[2:]}.get(name.removeprefix("embeddings."), shape)

    def is_head(self, name: str) -> bool:
        return name.rpartition(".")[0] in self.heads

    def _count(self, token: str) -> int:
        return self.num_register_tokens if token == "register_tokens" else 1

    def _block(self) -> dict[str, tuple[int, ...]]:
        width, inner = self.hidden_size, self.intermediate_size
        shapes = _attention("attention", width, self.attention_bias)
        shapes |= _norm("layernorm_before", width) | _norm("layernorm_after", width)
        if self.layer_scale:
            shapes |= {"layer_scale1": (width,), "layer_scale2": (width,)}
        if self.gated_mlp:
            shapes |= _linear("mlp.gate_proj", width, inner, bias=self.mlp_bias)
            shapes |= _linear("mlp.up_proj", width, inner, bias=self.mlp_bias)
            return shapes | _linear("mlp.down_proj", inner, width, bias=self.mlp_bias)
        shapes |= _linear("mlp.fc1", width, inner, bias=self.mlp_bias)
        return shapes | _linear("mlp.fc2", inner, width, bias=self.mlp_bias)


@functools.cache
def _parse(written: str) -> tuple[str, int, int]:
    """What files call a tensor, or "name[1/3]": the name, which part of it, and of how many equal ones."""
    found = STEM.fullmatch(written)
    assert found  # it matches anything
    return found[1], int(found[2] or 0), int(found[3] or 1)


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (width,), f"{name}.bias": (width,)}


def _linear(name: str, num_in: int, num_out: int, *, bias: bool = True) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (num_out, num_in)} | ({f"{name}.bias": (num_out,)} if bias else {})


def _attention(name: str, width: int, biases: str) -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for letter in "qkvo":
        shapes |= _linear(f"{name}.{letter}_proj", width, width, bias=letter in biases)
    return shapes
