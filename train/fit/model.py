"""The model that is trained: from a base of another task, to a folder that the engine loads."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

import torch
from transformers import AutoConfig, DeiTForImageClassification, PreTrainedModel, ViTForImageClassification

from train.config import TrainConfig
from virtus.checkpoints import write_sidecar
from virtus.errors import CheckpointError
from virtus.models import EvalTransform
from virtus.results import Calibration

ID2LABEL = {0: "Real", 1: "Fake"}
MODEL_CLASSES = {"vit": ViTForImageClassification, "deit": DeiTForImageClassification}


def load_base(base: str) -> tuple[PreTrainedModel, EvalTransform]:
    """A classifier of two labels with the backbone of `base`, and its transform at the model's own size.

    Raises:
        CheckpointError: if any tensor of the backbone is missing (transformers would start it at random, and only log).
    """
    try:
        own = AutoConfig.from_pretrained(base)
        model, loading = _from_pretrained(MODEL_CLASSES[own.model_type], base)
        processor = _processor_config(base)
    except KeyError as exc:
        raise CheckpointError(f"{base} is a {exc.args[0]} model; ViT and DeiT can be trained.") from exc
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"The base {base} cannot be loaded: give a Hub id or a folder ({exc}).") from exc
    lost = sorted(key for key in loading["missing_keys"] if not key.startswith("classifier."))
    if lost:
        raise CheckpointError(f"The base {base} lacks {len(lost)} tensors of the backbone, such as {lost[0]}.")
    transform = EvalTransform.from_config(processor)
    size = (own.image_size, own.image_size)
    return model, replace(transform, size=size, shortest_edge=None, crop_size=None)


def keep_names(model: PreTrainedModel) -> None:
    """From now on `model.save_pretrained` writes the tensors under the names that the model has them by.

    By default transformers 5 writes its older names (`vit.encoder.layer.0...`), and the Trainer reads a step back by
    `load_state_dict(strict=False)`: it would resume, and end on its best step, with none of the blocks restored.
    """
    model.save_pretrained = partial(model.save_pretrained, save_original_format=False)


def save_checkpoint(
    model: PreTrainedModel,
    transform: EvalTransform,
    config: TrainConfig,
    folder: Path,
    calibration: Calibration | None = None,
) -> None:
    """The folder that `virtus.load_checkpoint` and plain transformers load: float16 safetensors, processor, crop."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16)
    type(model).save_pretrained(model, folder)
    model.to(torch.float32)
    (folder / "preprocessor_config.json").write_text(json.dumps(transform.to_config(), indent=2) + "\n")
    provenance = {"recipe": config.recipe, "base": Path(config.base).name, "seed": config.seed}
    own = {"margin": config.margin, "calibration": calibration and asdict(calibration), "provenance": provenance}
    write_sidecar(folder, own)


def _from_pretrained(model_class: type[PreTrainedModel], folder: str) -> tuple[PreTrainedModel, dict]:
    return model_class.from_pretrained(
        folder,
        id2label=ID2LABEL,
        label2id={name: index for index, name in ID2LABEL.items()},
        ignore_mismatched_sizes=True,
        attn_implementation="eager",  # measured faster than sdpa on CPUs at this size
        dtype=torch.float32,
        output_loading_info=True,
    )


def _processor_config(base: str) -> dict:
    from transformers.image_processing_base import ImageProcessingMixin

    return ImageProcessingMixin.get_image_processor_dict(base)[0]
