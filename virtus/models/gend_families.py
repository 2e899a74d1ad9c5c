"""GenD's own layout (Yermakov et al. 2025): an encoder of CLIP or DINO, known by its name alone, and a head on it.

As in src/hf/modeling_gend.py of github.com/yermandy/GenD; app/run.py there takes the second output for fake.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from virtus.errors import CheckpointError
from virtus.models import transformers_families as towers
from virtus.models.architecture import Architecture, Family
from virtus.models.config_values import unfit

MODEL_TYPE = "GenD"
HEADS = {"linear": False, "LinearNorm": True}  # whether features are brought to length 1
LABELS = {"0": "real", "1": "fake"}
WIDTHS = {"small": (384, 12, 6), "base": (768, 12, 12), "large": (1024, 24, 16), "giant": (1536, 40, 24)}
CLIP = re.compile(r"openai/clip-vit-(base|large)-patch(14|16|32)(-336)?")
DINOV2 = re.compile(r"facebook/dinov2-(with-registers-)?(small|base|large|giant)")
DINOV3 = re.compile(r"facebook/dinov3-vit([sbl])16-pretrain-lvd1689m")
CLIP_MEAN, CLIP_STD = [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]
IMAGENET_MEAN, IMAGENET_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
UNUSED = (".visual_projection.", ".position_ids", ".mask_token")


def describe(config: Mapping) -> dict[str, Any]:
    """Its `config.json` with a class for each kind of encoder, and with the labels that GenD's own code gives."""
    kind, _ = _encoder(config)
    return {"id2label": LABELS, **config, "architectures": [_class_of(kind)]}


def write_config(architecture: Architecture, config: Mapping, id2label: Mapping[int, str]) -> dict[str, Any]:
    """See `Family.config`."""
    head = next(name for name, is_normalised in HEADS.items() if is_normalised == architecture.l2_features)
    labels = {str(index): name for index, name in id2label.items()}
    return {**config, "architectures": [MODEL_TYPE], "model_type": MODEL_TYPE, "head": head, "id2label": labels}


def read_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    """See `Family.sizes`."""
    kind, encoder = _encoder(config)
    if (head := config.get("head", "linear")) not in list(HEADS):
        raise unfit("head", head, f"one of {', '.join(HEADS)}")
    sizes = SIZES[kind]("", encoder)
    return sizes | {"pooling": "cls", "final_norm": "tokens", "l2_features": HEADS[head]}


def read_processor(config: Mapping, _saved: Mapping | None) -> Mapping:
    """See `Family.processor`: that of the encoder, whose own repository holds it."""
    kind, encoder = _encoder(config)
    if kind == "DINOv3":
        return {"size": 224, "resample": 2, "image_mean": IMAGENET_MEAN, "image_std": IMAGENET_STD}
    side, shorter = (encoder["image_size"],) * 2 if kind == "CLIP" else (224, 256)
    mean, std = (CLIP_MEAN, CLIP_STD) if kind == "CLIP" else (IMAGENET_MEAN, IMAGENET_STD)
    crop = {"do_center_crop": True, "crop_size": side, "resample": 3}
    return {"size": {"shortest_edge": shorter}, "image_mean": mean, "image_std": std, **crop}


def _encoder(config: Mapping) -> tuple[str, dict[str, Any]]:
    """Its kind, and its sizes as the `config.json` of its own repository has them."""
    name = config.get("backbone", "openai/clip-vit-large-patch14")
    if not isinstance(name, str):
        raise unfit("backbone", name, "the name of an encoder")
    if found := CLIP.fullmatch(name):
        size, patch, larger = found.groups()
        return "CLIP", _sizes(size, patch=int(patch), side=336 if larger else 224)
    if found := DINOV2.fullmatch(name):
        registers, size = found.groups()
        kind = "DINOv2 with registers" if registers else "DINOv2"
        return kind, _sizes(size, patch=14, side=518) | {"use_swiglu_ffn": size == "giant"}
    if found := DINOV3.fullmatch(name):
        size = {"s": "small", "b": "base", "l": "large"}[found[1]]
        return "DINOv3", _sizes(size, patch=16, side=224) | {"num_register_tokens": 4}
    raise CheckpointError(f"It is a GenD of {name}, but only those of {', '.join(SIZES)} can judge.")


def _sizes(size: str, *, patch: int, side: int) -> dict[str, Any]:
    width, depth, heads = WIDTHS[size]
    counts = {"hidden_size": width, "num_hidden_layers": depth, "num_attention_heads": heads}
    return counts | {"intermediate_size": 4 * width, "patch_size": patch, "image_size": side}


def _class_of(kind: str) -> str:
    return f"{MODEL_TYPE} of {kind}"


def _family(kind: str, prefix: str, blocks: tuple[str, ...], names: Mapping[str, Any], *, flat: bool = False) -> Family:
    return Family(
        MODEL_TYPE,
        (_class_of(kind),),
        read_sizes,
        prefixes=(f"feature_extractor.{prefix}.",),
        blocks=blocks,
        names={**names, "classifier": "model.linear"},
        flat=flat,
        unused=UNUSED,
        any_size=kind != "CLIP",
        config=write_config,
        processor=read_processor,
    )


SIZES = {
    "CLIP": towers.clip_sizes,
    "DINOv2": towers.dinov2_sizes,
    "DINOv2 with registers": towers.dinov2_with_registers_sizes,
    "DINOv3": towers.dinov3_sizes,
}
OF_GEND = (
    _family("CLIP", "vision_model", ("encoder.layers.#.",), towers.CLIP_NAMES, flat=True),
    _family("DINOv2", "backbone", ("encoder.layer.#.",), towers.DINOV2_NAMES),
    _family("DINOv2 with registers", "backbone", ("encoder.layer.#.",), towers.DINOV2_NAMES),
    _family("DINOv3", "backbone", ("layer.#.", "model.layer.#."), towers.DINOV3_NAMES),
)
