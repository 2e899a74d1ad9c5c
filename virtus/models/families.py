"""The families of models that are known, and the one that a `config.json` speaks of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from virtus.errors import CheckpointError
from virtus.labels import label_names
from virtus.models import gend_families, timm_family
from virtus.models.architecture import Architecture, Family
from virtus.models.config_values import unfit
from virtus.models.preprocessing import EvalTransform, TimmTransform
from virtus.models.transformers_families import OF_TRANSFORMERS

FAMILIES = (*OF_TRANSFORMERS, timm_family.TIMM, *gend_families.OF_GEND)


def describe(config: Mapping) -> Mapping:
    """The content of a `config.json` with the keys that transformers has for its class and labels, whoever wrote it."""
    if "architecture" in config and config.get("model_type", timm_family.MODEL_TYPE) == timm_family.MODEL_TYPE:
        return timm_family.describe(config)
    return gend_families.describe(config) if config.get("model_type") == gend_families.MODEL_TYPE else config


def read_architecture(config: Mapping, *, as_base: bool = False) -> Architecture:
    """What the content of a `config.json` describes; what it leaves out has transformers' defaults.

    Args:
        as_base: whether models without a head for pictures are taken too. The architecture is that of the family's
            classifier then.

    Raises:
        CheckpointError: if it is of no known family, or gives no sizes that a model can have.
    """
    config = describe(config)
    family, name = _find_family(config, as_base=as_base)
    tower = config.get(family.nested, config) if family.nested else config
    if not isinstance(tower, Mapping):
        raise unfit(family.nested, tower, "a description of the vision tower")
    if (channels := tower.get("num_channels", 3)) != 3:
        raise unfit("num_channels", channels, "3")
    sizes: dict[str, Any] = {"num_labels": len(label_names(config))} | family.sizes(name, tower)
    return Architecture(family, name, **sizes)


def read_transform(config: Mapping, saved: Mapping | None) -> EvalTransform:
    """The eval transform of a model.

    Args:
        config: content of its `config.json`.
        saved: of its `preprocessor_config.json`; some families need none.

    Raises:
        CheckpointError: if there is none, or it is of another kind.
    """
    config = describe(config)
    family, _ = _find_family(config, as_base=True)
    processor = saved if family.processor is None else family.processor(config, saved)
    if processor is None:
        raise CheckpointError("preprocessor_config.json is missing.")
    if processor.get("image_processor_type") == timm_family.PROCESSOR:
        return TimmTransform.from_config(processor["pretrained_cfg"])
    return EvalTransform.from_config(processor)


def classifier_config(architecture: Architecture, config: Mapping, id2label: Mapping[int, str]) -> dict:
    """The `config.json` of a classifier of these labels, from the one that its base was read from."""
    family = architecture.family
    config = {key: value for key, value in config.items() if key != "quantization_config"}  # it is saved as floats
    if family.config is not None:
        return family.config(architecture, config, id2label)
    towers = config.get(family.nested, config) if family.nested else config
    tower = {**towers, "image_size": _side(architecture.image_size), **family.saved}
    labels = {"id2label": {str(index): name for index, name in id2label.items()}}
    labels |= {"label2id": {name: index for index, name in id2label.items()}}
    head = {"architectures": [architecture.name], "model_type": family.model_type, **labels}
    return {family.nested: tower, **head} if family.nested else {**tower, **head}


def _find_family(config: Mapping, *, as_base: bool) -> tuple[Family, str]:
    """The family, and the class that judges."""
    kind, names = config.get("model_type"), config.get("architectures")
    name = names[0] if isinstance(names, list) and names else names
    for family in FAMILIES:
        if name in family.classes or (not name and family.classes and kind == family.model_type):
            if kind != family.model_type:
                raise CheckpointError(
                    f"config.json contradicts itself: model_type is {kind}, the architecture is {name}."
                )
            return family, str(name or family.classes[0])
        if as_base and (kind in family.bases.values() if not name else name in list(family.bases)):
            return family, family.classes[0] if family.classes else str(name)
    raise CheckpointError(f"It is a {name or kind or 'model of no named kind'}, but only {_choices()} can judge.")


def _choices() -> str:
    *first, last = [name for family in FAMILIES for name in family.classes]
    return f"{', '.join(first)} and {last}"


def _side(size: tuple[int, int]) -> int | list[int]:
    return size[0] if size[0] == size[1] else list(size)
