"""The families of transformers: how their configs give sizes, and what their files call tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from virtus.models.architecture import Family
from virtus.models.config_values import read_count, read_sides, read_switch, unfit


def _vit_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    return _common_sizes(config) | _qkv_bias(config)


def _deit_sizes(name: str, config: Mapping) -> dict[str, Any]:
    """With a teacher, the mean of both heads, as DeiT does at inference (Touvron et al. 2021)."""
    both = ("cls_classifier", "distillation_classifier")
    heads = {"heads": both} if name.endswith("WithTeacher") else {}
    return _vit_sizes(name, config) | {"prefix_tokens": ("cls_token", "distillation_token")} | heads


def clip_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    sizes: dict[str, Any] = {"patch_size": (32, 32), "hidden_act": "quick_gelu", "layer_norm_eps": 1e-5}
    sizes |= {"patch_bias": False, "pre_norm": True, "final_norm": "idle", "pooling": "mean"}
    return sizes | _common_sizes(config)


def _siglip_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    sizes: dict[str, Any] = {"hidden_act": "gelu_pytorch_tanh", "layer_norm_eps": 1e-6}
    return sizes | {"prefix_tokens": (), "pooling": "mean"} | _common_sizes(config)


def dinov2_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    ratio, width = config.get("mlp_ratio", 4), read_count(config, "hidden_size", 768)
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 64:
        raise unfit("mlp_ratio", ratio, "a number above 0, at most 64")
    gated, inner = read_switch(config, "use_swiglu_ffn", default=False), int(width * ratio)
    inner = (int(inner * 2 / 3) + 7) // 8 * 8 if gated else inner
    sizes: dict[str, Any] = {"layer_norm_eps": 1e-6, "patch_size": (14, 14)} | _common_sizes(config)
    sizes |= {"intermediate_size": inner, "gated_mlp": gated, "layer_scale": True, "pooling": "cls+mean"}
    return sizes | _qkv_bias(config)


def dinov2_with_registers_sizes(name: str, config: Mapping) -> dict[str, Any]:
    sizes = dinov2_sizes(name, {"patch_size": 16, **config}) | {"position_antialias": True}
    return sizes | _registers(config, default=4)


def dinov3_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    """No class of transformers puts a head on it: the class token behind the norm, as its authors probe it."""
    theta = config.get("rope_theta", (config.get("rope_parameters") or {}).get("rope_theta", 100.0))
    if isinstance(theta, bool) or not isinstance(theta, (int, float)) or not theta > 1:
        raise unfit("rope_theta", theta, "a number above 1")
    biases = {"q": ("query_bias", True), "k": ("key_bias", False), "v": ("value_bias", True), "o": ("proj_bias", True)}
    letters = [letter for letter, (key, default) in biases.items() if read_switch(config, key, default=default)]
    sizes: dict[str, Any] = {"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 6}
    sizes |= {"layer_norm_eps": 1e-5, "positions": "rotary", "rope_theta": float(theta), "layer_scale": True}
    sizes |= {"attention_bias": "".join(letters), "mlp_bias": read_switch(config, "mlp_bias", default=True)}
    sizes |= {
        "gated_mlp": read_switch(config, "use_gated_mlp", default=False),
        "gate_act": config.get("hidden_act", "gelu"),
    }
    return sizes | _common_sizes(config) | _registers(config, default=0)


def _registers(config: Mapping, *, default: int) -> dict[str, Any]:
    """Tokens behind the class token that have no position."""
    count = read_count(config, "num_register_tokens", default, least=0)
    tokens = ("cls_token", "register_tokens") if count else ("cls_token",)
    return {"prefix_tokens": tokens, "num_register_tokens": count, "num_positioned": 1}


def _qkv_bias(config: Mapping) -> dict[str, Any]:
    return {"attention_bias": "qkvo" if read_switch(config, "qkv_bias", default=True) else "o"}


def _common_sizes(config: Mapping) -> dict[str, Any]:
    """The fields of `Architecture` that all families have by the same keys."""
    counts = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    given: dict[str, Any] = {key: read_count(config, key) for key in counts if key in config}
    given |= {key: read_sides(config, key) for key in ("image_size", "patch_size") if key in config}
    return given | {key: config[key] for key in ("hidden_act", "layer_norm_eps") if key in config}


# Names of version 4 of transformers, which version 5 still writes, then those of version 5.
VIT_NAMES = {
    "*.attention.q_proj": ("attention.attention.query", "attention.q_proj"),
    "*.attention.k_proj": ("attention.attention.key", "attention.k_proj"),
    "*.attention.v_proj": ("attention.attention.value", "attention.v_proj"),
    "*.attention.o_proj": ("attention.output.dense", "attention.o_proj"),
    "*.mlp.fc1": ("intermediate.dense", "mlp.fc1"),
    "*.mlp.fc2": ("output.dense", "mlp.fc2"),
}
DINO_NAMES = {
    "*.layernorm_before": "norm1",
    "*.layernorm_after": "norm2",
    "*.layer_scale1": "layer_scale1.lambda1",
    "*.layer_scale2": "layer_scale2.lambda1",
}
DINOV2_NAMES = {name: stems for name, stems in VIT_NAMES.items() if "attention" in name} | DINO_NAMES
DINOV2_NAMES |= {
    "*.mlp.gate_proj": ("mlp.weights_in[0/2]", "mlp.gate_proj"),
    "*.mlp.up_proj": ("mlp.weights_in[1/2]", "mlp.up_proj"),
    "*.mlp.down_proj": ("mlp.weights_out", "mlp.down_proj"),
}
DINOV3_NAMES = DINO_NAMES | {
    "embeddings.patch_embeddings.projection": "embeddings.patch_embeddings",
    "layernorm": "norm",
    "*.mlp.fc1": "mlp.up_proj",
    "*.mlp.fc2": "mlp.down_proj",
}
CLIP_NAMES = {
    "embeddings.cls_token": "embeddings.class_embedding",
    "embeddings.position_embeddings": "embeddings.position_embedding.weight",
    "embeddings.patch_embeddings.projection": "embeddings.patch_embedding",
    "pre_layernorm": "pre_layrnorm",
    "layernorm": "post_layernorm",
    "*.layernorm_before": "layer_norm1",
    "*.layernorm_after": "layer_norm2",
    **{f"*.attention.{letter}_proj": f"self_attn.{letter}_proj" for letter in "qkv"},
    "*.attention.o_proj": "self_attn.out_proj",
    "pooler.probe": "head.probe",
    **{f"pooler.attention.{letter}_proj": f"head.attention.in_proj_[{part}/3]" for part, letter in enumerate("qkv")},
    "pooler.attention.o_proj": "head.attention.out_proj",
    "pooler.layernorm": "head.layernorm",
    "pooler.mlp.fc1": "head.mlp.fc1",
    "pooler.mlp.fc2": "head.mlp.fc2",
}
# In files of pre-trained models, and not read by a classifier of pictures.
OF_PRETRAINING = (".pooler.", ".mask_token", ".position_ids")
TEXT_TOWER = ("text_model.", "visual_projection.", "text_projection.", "logit_scale", "logit_bias", ".position_ids")

OF_TRANSFORMERS = (
    Family(
        "vit",
        ("ViTForImageClassification",),
        _vit_sizes,
        bases={"ViTModel": "vit", "ViTForMaskedImageModeling": "vit"},
        prefixes=("vit.", ""),
        blocks=("encoder.layer.#.", "layers.#."),
        names=VIT_NAMES,
        unused=(*OF_PRETRAINING, ".decoder."),
    ),
    Family(
        "deit",
        ("DeiTForImageClassification", "DeiTForImageClassificationWithTeacher"),
        _deit_sizes,
        bases={"DeiTModel": "deit", "DeiTForMaskedImageModeling": "deit"},
        prefixes=("deit.", ""),
        blocks=("encoder.layer.#.", "layers.#."),
        names=VIT_NAMES,
        unused=(*OF_PRETRAINING, ".decoder."),
    ),
    Family(
        "siglip",
        ("SiglipForImageClassification",),
        _siglip_sizes,
        bases={"SiglipModel": "siglip", "SiglipVisionModel": "siglip_vision_model"},
        nested="vision_config",
        prefixes=("vision_model.", ""),
        blocks=("encoder.layers.#.",),
        names=CLIP_NAMES,
        flat=True,
        unused=(*TEXT_TOWER, ".head."),
        saved={"vision_use_head": False},
    ),
    Family(
        "clip",
        ("CLIPForImageClassification",),
        clip_sizes,
        bases={
            "CLIPModel": "clip",
            "CLIPVisionModel": "clip_vision_model",
            "CLIPVisionModelWithProjection": "clip_vision_model",
        },
        nested="vision_config",
        prefixes=("vision_model.", ""),
        blocks=("encoder.layers.#.",),
        names=CLIP_NAMES,
        flat=True,
        unused=TEXT_TOWER,
    ),
    Family(
        "dinov2",
        ("Dinov2ForImageClassification",),
        dinov2_sizes,
        bases={"Dinov2Model": "dinov2", "Dinov2Backbone": "dinov2"},
        prefixes=("dinov2.", ""),
        blocks=("encoder.layer.#.",),
        names=DINOV2_NAMES,
        unused=OF_PRETRAINING,
        any_size=True,
        saved={"use_mask_token": False},
    ),
    Family(
        "dinov2_with_registers",
        ("Dinov2WithRegistersForImageClassification",),
        dinov2_with_registers_sizes,
        bases={
            "Dinov2WithRegistersModel": "dinov2_with_registers",
            "Dinov2WithRegistersBackbone": "dinov2_with_registers",
        },
        prefixes=("dinov2_with_registers.", ""),
        blocks=("encoder.layer.#.",),
        names=DINOV2_NAMES,
        unused=OF_PRETRAINING,
        any_size=True,
    ),
    Family(
        "dinov3_vit",
        (),
        dinov3_sizes,
        bases={"DINOv3ViTModel": "dinov3_vit", "DINOv3ViTBackbone": "dinov3_vit"},
        blocks=("layer.#.", "model.layer.#."),
        names=DINOV3_NAMES,
        unused=OF_PRETRAINING,
        any_size=True,
    ),
)
