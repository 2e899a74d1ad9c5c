"""The model that is trained: from a base of another task, to a folder that the engine loads."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

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
        model_config = AutoConfig.from_pretrained(base)
        model, loading = _from_pretrained(MODEL_CLASSES[model_config.model_type], base)
        processor = _processor_config(base)
    except KeyError as exc:
        raise CheckpointError(f"{base} is a {exc.args[0]} model; ViT and DeiT can be trained.") from exc
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"The base {base} cannot be loaded: give a Hub id or a folder ({exc}).") from exc
    lost = sorted(key for key in loading["missing_keys"] if not key.startswith("classifier."))
    if lost:
        raise CheckpointError(f"The base {base} lacks {len(lost)} tensors of the backbone, such as {lost[0]}.")
    transform = EvalTransform.from_config(processor)
    # From now on it saves the tensors under the names that it has them by. By default transformers 5 writes its older
    # names (`vit.encoder.layer.0...`), and the Trainer reads a step back by `load_state_dict(strict=False)`: it would
    # resume, and end on its best step, with none of the blocks restored.
    vars(model)["save_pretrained"] = partial(model.save_pretrained, save_original_format=False)
    size = (model_config.image_size, model_config.image_size)
    return model, replace(transform, size=size, crop_size=None)


def save_checkpoint(
    model: PreTrainedModel,
    transform: EvalTransform,
    config: TrainConfig,
    folder: Path,
    calibration: Calibration | None = None,
) -> None:
    """The folder that `virtus.load_checkpoint` and plain transformers load: float16 safetensors, processor, crop."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half()
    type(model).save_pretrained(model, folder)
    model.float()
    (folder / "preprocessor_config.json").write_text(json.dumps(transform.to_config(), indent=2) + "\n")
    provenance = {"recipe": config.recipe, "base": Path(config.base).name, "seed": config.seed}
    sidecar = {"margin": config.margin, "calibration": calibration and asdict(calibration), "provenance": provenance}
    write_sidecar(folder, sidecar)


def _from_pretrained(
    model_class: type[DeiTForImageClassification | ViTForImageClassification], folder: str
) -> tuple[PreTrainedModel, dict]:
    loaded: Any = model_class.from_pretrained(  # a pair, because of output_loading_info
        folder,
        id2label=ID2LABEL,
        label2id={name: index for index, name in ID2LABEL.items()},
        ignore_mismatched_sizes=True,
        attn_implementation="eager",  # measured faster than sdpa on CPUs at this size
        dtype=torch.float32,
        output_loading_info=True,
    )
    return loaded


def _processor_config(base: str) -> dict:
    from transformers.image_processing_base import ImageProcessingMixin

    return ImageProcessingMixin.get_image_processor_dict(base)[0]


def drop_tokens(model: PreTrainedModel, keep: float) -> None:
    """From now on `model` keeps `keep` of the patch tokens while it trains, and all of them in evaluation.

    They are dropped after the position embeddings were added, so that each of the others knows its place; class and
    distillation tokens stay. What is saved is the same model as without it.
    """
    embeddings: Any = model.base_model.embeddings
    num_patches = int(embeddings.patch_embeddings.num_patches)
    num_kept = max(1, round(keep * num_patches))

    def drop(module: torch.nn.Module, _, tokens: torch.Tensor) -> torch.Tensor:
        if not module.training:
            return tokens
        num_prefix = tokens.shape[1] - num_patches
        order = torch.rand(len(tokens), num_patches, device=tokens.device).argsort(1)[:, :num_kept] + num_prefix
        prefix = torch.arange(num_prefix, device=tokens.device).expand(len(tokens), -1)
        kept = torch.cat([prefix, order], 1)
        return tokens.gather(1, kept[:, :, None].expand(-1, -1, tokens.shape[2]))

    embeddings.register_forward_hook(drop)
