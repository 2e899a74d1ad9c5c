"""Plain vision transformers of timm: what its names of architectures stand for, and where its files have tensors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from virtus.errors import CheckpointError
from virtus.models.architecture import Architecture, Family
from virtus.models.config_values import read_count, read_sides, read_switch, unfit

MODEL_TYPE, CLASS = "timm_wrapper", "TimmWrapperForImageClassification"
PROCESSOR = "TimmWrapperImageProcessor"
OPTIONAL = "model_args", "pretrained_cfg"
MAX_RATIO = 64
NAME = re.compile(r"(vit|deit|deit3)_([a-z0-9]+)(_distilled)?_patch(\d+)((?:_(?!\d+$)[a-z0-9]+)*)(?:_(\d+))?")
OLD_TAG = re.compile(r"(_\d+)(_clip)?_(?:in21k|in21ft1k|sam|dino|laion2b)")  # in names of before timm 0.8
REGISTERS = re.compile(r"reg(\d)")
SIZES = {  # width, blocks, heads, how much wider the MLP is
    "tiny": (192, 12, 3, 4),
    "xsmall": (256, 10, 4, 4),
    "wee": (256, 14, 4, 5),
    "little": (320, 14, 5, 5.6),
    "small": (384, 12, 6, 4),
    "medium": (512, 12, 8, 4),
    "mediumd": (512, 20, 8, 4),
    "betwixt": (640, 12, 10, 4),
    "base": (768, 12, 12, 4),
    "large": (1024, 24, 16, 4),
    "so400m": (1152, 27, 16, 3.7362),
    "huge": (1280, 32, 16, 4),
    "giant": (1408, 40, 16, 48 / 11),
    "giantopt": (1536, 40, 16, 4),
    "gigantic": (1664, 48, 16, 64 / 13),
}
PLUS = (896, 12, 14, 4)
SCALED_WITH_GAP = ("wee", "little", "medium", "mediumd", "betwixt")
OPTIONS = {"clip", "quickgelu", "siglip", "gap", "plus", "dinov2", "36x1"}
ACTIVATIONS = {
    None: "gelu",
    "gelu": "gelu",
    "gelu_tanh": "gelu_pytorch_tanh",
    "quick_gelu": "quick_gelu",
    "relu": "relu",
    "silu": "silu",
}
POOLINGS = {"token": "cls", "avg": "mean", "map": "attention"}
# Also what timm writes of every model, and other entries and the weights' shapes say too.
WITHOUT_EFFECT = re.compile(r".*drop.*_rate|weight_init|fix_init|(dynamic|strict)_img_size|num_classes|in_chans")


def describe(config: Mapping) -> dict[str, Any]:
    """A `config.json` of TimmWrapper or of timm's own with the keys that transformers has, of the oldest kind too."""
    if "pretrained_cfg" not in config:
        config = {"pretrained_cfg": config, "label_names": config.get("labels"), **config}
    labels = {key: _mapping(config, "pretrained_cfg").get(key) for key in ("label_names", "num_classes")}
    return {"model_type": MODEL_TYPE, "architectures": [CLASS], **labels, **config}


def write_config(_: Architecture, config: Mapping, id2label: Mapping[int, str]) -> dict[str, Any]:
    """See `Family.config`."""
    kept = {key: value for key, value in config.items() if key not in ("id2label", "label2id", "num_features")}
    kept |= {"model_type": MODEL_TYPE, "architectures": [CLASS]}
    return kept | {"num_classes": len(id2label), "label_names": list(id2label.values())}


def read_processor(config: Mapping, saved: Mapping | None) -> Mapping:
    """See `Family.processor`."""
    if saved and saved.get("image_processor_type", PROCESSOR) != PROCESSOR:
        return saved
    return {"image_processor_type": PROCESSOR, "pretrained_cfg": _mapping(config, "pretrained_cfg")}


def read_sizes(_name: str, config: Mapping) -> dict[str, Any]:
    """See `Family.sizes`; `model_args` go before what the name of the architecture stands for."""
    if not isinstance(architecture := config.get("architecture"), str):
        raise unfit("architecture", architecture, "a name of timm's")
    known, given, pictures = read_arguments(architecture), *(_mapping(config, key) for key in OPTIONAL)
    if unknown := [key for key in given if key not in known and not WITHOUT_EFFECT.fullmatch(key)]:
        raise unfit("model_args", unknown[0], "an argument of a plain vision transformer")
    size = pictures.get("input_size")
    size = {"img_size": size[1:]} if isinstance(size, list) else {}
    said = {key: value for key, value in given.items() if key in known and value is not None}  # as timm does
    arguments = known | size | said
    if (pooling := config.get("global_pool") or arguments["global_pool"]) != arguments["global_pool"]:
        raise unfit("global_pool", pooling, f"{arguments['global_pool']}, as timm would make a {architecture}")
    return _to_fields(arguments)


def _to_fields(arguments: Mapping) -> dict[str, Any]:
    for key, ways in (("global_pool", POOLINGS), ("act_layer", ACTIVATIONS)):
        if arguments[key] not in list(ways):
            raise unfit(key, arguments[key], f"one of {', '.join(filter(None, ways))}")
    pooling, distilled = arguments["global_pool"], arguments["distilled"]
    has_class_token = read_switch(arguments, "class_token", default=True)
    if pooling == "token" and not has_class_token:
        raise unfit("global_pool", pooling, "one that needs no class token")
    ratio, width = arguments["mlp_ratio"], read_count(arguments, "embed_dim")
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= MAX_RATIO:
        raise unfit("mlp_ratio", ratio, f"a number above 0, at most {MAX_RATIO}")
    num_registers, pre_norm = (
        read_count(arguments, "reg_tokens", least=0),
        read_switch(arguments, "pre_norm", default=False),
    )
    norm, norm_pooled = read_switch(arguments, "final_norm", default=True), arguments["fc_norm"]
    norm_pooled = pooling == "avg" if norm_pooled is None else read_switch(arguments, "fc_norm", default=False)
    tokens = {"cls_token": has_class_token, "distillation_token": distilled, "register_tokens": num_registers}
    return {
        "image_size": read_sides(arguments, "img_size"),
        "patch_size": read_sides(arguments, "patch_size"),
        "hidden_size": width,
        "num_hidden_layers": read_count(arguments, "depth"),
        "num_attention_heads": read_count(arguments, "num_heads"),
        "intermediate_size": int(width * ratio),
        "hidden_act": ACTIVATIONS[arguments["act_layer"]],
        "layer_norm_eps": arguments["eps"],
        "prefix_tokens": tuple(token for token, there in tokens.items() if there),
        "num_register_tokens": num_registers,
        "num_positioned": 0 if read_switch(arguments, "no_embed_class", default=False) else None,
        "attention_bias": "qkvo" if read_switch(arguments, "qkv_bias", default=True) else "o",
        "patch_bias": not pre_norm,
        "pre_norm": pre_norm,
        "layer_scale": bool(arguments["init_values"]),
        "final_norm": "tokens" if norm and not norm_pooled else "none",
        "pooling": POOLINGS[pooling],
        "pooled_norm": norm and norm_pooled,
        "heads": ("cls_classifier", "distillation_classifier") if distilled else ("classifier",),
    }


def _mapping(config: Mapping, key: str) -> Mapping:
    value = config.get(key)
    if value is not None and not isinstance(value, Mapping):
        raise unfit(key, value, "values by name")
    return value or {}


def read_arguments(architecture: str) -> dict[str, Any]:
    """The arguments of timm's `VisionTransformer` that one of its names stands for, and `eps` and `distilled`.

    Raises:
        CheckpointError: if it is no plain vision transformer.
    """
    found = NAME.fullmatch(OLD_TAG.sub(r"\2\1", architecture.partition(".")[0]))  # behind it, what it was trained on
    kind, size, distilled, patch, options, side = found.groups() if found else ("", "", "", "0", "", "")
    named = options.strip("_").split("_") if options else []
    registers = [int(match[1]) for option in named if (match := REGISTERS.fullmatch(option))]
    given = {option for option in named if not REGISTERS.fullmatch(option)}
    if size not in SIZES or not given <= OPTIONS or (size, given) == ("giant", {"dinov2"}) or not (side or given):
        raise CheckpointError(
            f"It is a {architecture} of timm, of which only plain vision transformers can judge (vit_*, deit_*, "
            "vit_*_clip_*, with a class token, registers or without, and no other kind of block)."
        )
    width, depth, num_heads, mlp_ratio = PLUS if "plus" in given else SIZES[size]
    gap, siglip, deit3 = "gap" in given, "siglip" in given, kind == "deit3"
    scaled = deit3 or given & {"dinov2", "36x1"} or given == {"plus"} or (gap and size in SCALED_WITH_GAP)
    jepa = gap and not siglip and not registers and size not in SCALED_WITH_GAP
    return {
        "img_size": int(side or 518),
        "patch_size": int(patch),
        "embed_dim": width,
        "depth": 36 if "36x1" in given else depth,
        "num_heads": 16 if jepa else num_heads,
        "mlp_ratio": mlp_ratio,
        "qkv_bias": not (gap and size in SCALED_WITH_GAP and not registers),
        "init_values": 1e-5 if scaled else None,
        "class_token": not (gap or siglip),
        "no_embed_class": bool(registers) or deit3,
        "reg_tokens": sum(registers),
        "pre_norm": "clip" in given,
        "final_norm": True,
        "fc_norm": False if gap and not registers else None,
        "global_pool": "avg" if gap else "map" if siglip else "token",
        "act_layer": _activation(size, given, int(patch), side),
        "eps": 1e-5 if "clip" in given else 1e-6,
        "distilled": bool(distilled),
    }


def _activation(size: str, options: set[str], patch: int, side: str) -> str:
    newer = patch == 32 or size == "giantopt" or (size, patch) == ("so400m", 16) or (size, side) == ("large", "512")
    if "siglip" in options and newer:
        return "gelu_tanh"
    return "quick_gelu" if "quickgelu" in options else "gelu"


TIMM = Family(
    MODEL_TYPE,
    (CLASS,),
    read_sizes,
    bases={"TimmWrapperModel": MODEL_TYPE},
    prefixes=("timm_model.", ""),
    blocks=("blocks.#.",),
    names={
        "embeddings.cls_token": "cls_token",
        "embeddings.distillation_token": "dist_token",
        "embeddings.register_tokens": "reg_token",
        "embeddings.position_embeddings": "pos_embed",
        "embeddings.patch_embeddings.projection": "patch_embed.proj",
        "pre_layernorm": "norm_pre",
        "layernorm": "norm",
        "pooled_layernorm": "fc_norm",
        **{f"*.attention.{letter}_proj": f"attn.qkv[{part}/3]" for part, letter in enumerate("qkv")},
        "*.attention.o_proj": "attn.proj",
        "*.layernorm_before": "norm1",
        "*.layernorm_after": "norm2",
        "*.layer_scale1": "ls1.gamma",
        "*.layer_scale2": "ls2.gamma",
        "pooler.probe": "attn_pool.latent",
        "pooler.attention.q_proj": "attn_pool.q",
        "pooler.attention.k_proj": "attn_pool.kv[0/2]",
        "pooler.attention.v_proj": "attn_pool.kv[1/2]",
        "pooler.attention.o_proj": "attn_pool.proj",
        "pooler.layernorm": "attn_pool.norm",
        "pooler.mlp.fc1": "attn_pool.mlp.fc1",
        "pooler.mlp.fc2": "attn_pool.mlp.fc2",
        "classifier": ("timm_model.head", "head"),
        "cls_classifier": ("timm_model.head", "head"),
        "distillation_classifier": ("timm_model.head_dist", "head_dist"),
    },
    config=write_config,
    processor=read_processor,
)
