"""`fit`: a recipe to a checkpoint folder, by `transformers.Trainer`."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from transformers import (
    AutoConfig,
    DeiTForImageClassification,
    PreTrainedModel,
    Trainer,
    TrainingArguments,
    ViTForImageClassification,
)

from train.config import TrainConfig
from train.crops import FaceCache
from train.data import Sample, count_table, find_samples
from train.split import assign_splits, check_groups, half_of
from train.transforms import CropDataset, TrainDataset
from virtus.errors import CheckpointError, DataError
from virtus.hardware import has_bfloat16_units, resolve_device
from virtus.metrics import area_under_roc
from virtus.preprocessing import EvalTransform
from virtus.results import Label

ID2LABEL = {0: "Real", 1: "Fake"}
MODEL_CLASSES = {"vit": ViTForImageClassification, "deit": DeiTForImageClassification}


@dataclass(frozen=True)
class TrainResult:
    """Where the checkpoint lies, and the figures on the choosing half of `val` that it was chosen by."""

    checkpoint: Path
    chosen_by: dict[str, float]


def fit(config: TrainConfig, *, out_dir: Path, cache: FaceCache | None = None) -> TrainResult:
    """Fine-tune a base on the labelled faces of `config.data`, keeping the epoch with the best mean AUC over sources.

    Trained on the `train` splits, chosen on one half of each `val` split; the other half is left for the report.

    Args:
        out_dir: gets `checkpoint/` (in the Hub's layout), `train_config.json` and the Trainer's own `steps/`.
        cache: of faces; the user's own by default.

    Raises:
        DataError: no labelled pictures, a group in two splits, a class without faces.
        CheckpointError: a base that does not load.
    """
    samples = _limit(assign_splits(find_samples(Path(config.data)), val_share=config.val_share), config)
    check_groups(samples)
    print(count_table(samples), flush=True)
    faces = (cache or FaceCache()).find([sample.path for sample in samples])
    model, transform = load_base(config.base)
    train_set, choose_set = _datasets(config, samples, faces, transform)
    out_dir.mkdir(parents=True, exist_ok=True)
    config.save(out_dir / "train_config.json")
    trainer = Trainer(
        model=model,
        args=_arguments(config, out_dir),
        train_dataset=train_set,
        eval_dataset=choose_set,
        compute_metrics=lambda output: source_aucs(output.predictions, choose_set.samples),
    )
    trainer.train()
    trainer.model = _best(trainer)
    chosen_by = trainer.evaluate()
    save_checkpoint(trainer.model, transform, config, out_dir / "checkpoint")
    return TrainResult(out_dir / "checkpoint", chosen_by)


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


def source_aucs(logits: np.ndarray, samples: list[Sample]) -> dict[str, float]:
    """AUC for each source, and their mean, from logits of shape (N, 2)."""
    by_source = defaultdict(list)
    for sample, margin in zip(samples, logits[:, 1] - logits[:, 0], strict=True):
        by_source[sample.source].append((sample.label is Label.FAKE, margin))
    aucs = {f"auc_{source}": area_under_roc(*zip(*rows, strict=True)) for source, rows in by_source.items()}
    known = {name: auc for name, auc in aucs.items() if auc is not None}
    return known | {"mean_auc": float(np.mean(list(known.values()))) if known else 0.0}


def save_checkpoint(model: PreTrainedModel, transform: EvalTransform, config: TrainConfig, folder: Path) -> None:
    """The folder that `virtus.load_checkpoint` and plain transformers load: float16 safetensors, processor, crop."""
    folder.mkdir(parents=True, exist_ok=True)
    model.to(torch.float16).save_pretrained(folder)
    model.to(torch.float32)
    (folder / "preprocessor_config.json").write_text(json.dumps(transform.to_config(), indent=2) + "\n")
    provenance = {"recipe": config.recipe, "base": Path(config.base).name, "seed": config.seed}
    own = {"margin": config.margin, "calibration": None, "provenance": provenance}
    (folder / "virtus.json").write_text(json.dumps(own, indent=2) + "\n")


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


def _best(trainer: Trainer) -> PreTrainedModel:
    """The best epoch's model, read by `from_pretrained`.

    `load_best_model_at_end` will not do: in transformers 5 the saved names of the blocks are not those of the model's
    state dict, so the Trainer only logs them as missing and keeps the blocks of the last epoch.
    """
    model, loading = _from_pretrained(type(trainer.model), trainer.state.best_model_checkpoint)
    if loading["missing_keys"] or loading["mismatched_keys"]:
        raise CheckpointError(f"{trainer.state.best_model_checkpoint} did not load whole: {loading}")
    return model.to(trainer.args.device)


def _processor_config(base: str) -> dict:
    from transformers.image_processing_base import ImageProcessingMixin

    return ImageProcessingMixin.get_image_processor_dict(base)[0]


def _limit(samples: list[Sample], config: TrainConfig) -> list[Sample]:
    """At most `config.limit` pictures of each source, split and class, drawn by the seed."""
    if not config.limit:
        return samples
    shuffled = random.Random(config.seed).sample(samples, len(samples))
    counts, kept = defaultdict(int), []
    for sample in shuffled:
        key = (sample.source, sample.split, sample.label)
        counts[key] += 1
        kept += [sample] if counts[key] <= config.limit else []
    return sorted(kept, key=lambda sample: sample.path)


def _datasets(config: TrainConfig, samples: list[Sample], faces: dict, transform: EvalTransform):
    train = [s for s in samples if s.split == "train" for _ in range(config.source_weights.get(s.source, 1))]
    choose = [s for s in samples if s.split == "val" and half_of(s.group) == "choose"]
    train_set = TrainDataset(
        train,
        faces,
        transform,
        augmentation=config.augmentation,
        blended_share=config.blended_share,
    )
    choose_set = CropDataset(choose, faces, transform, margin=config.margin)
    for name, dataset in (("train", train_set), ("choosing half of val", choose_set)):
        found = {sample.label for sample in dataset.samples}
        if len(found) < 2:
            have = ", ".join(sorted(found)) or "none"
            raise DataError(f"The {name} part needs faces of both classes; it has {have}. Add pictures, or move some.")
    return train_set, choose_set


def _arguments(config: TrainConfig, out_dir: Path) -> TrainingArguments:
    return TrainingArguments(
        output_dir=str(out_dir / "steps"),
        num_train_epochs=config.num_epochs,
        max_steps=config.max_steps,
        learning_rate=config.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=config.warmup_share,  # a share of all steps, below 1
        weight_decay=config.weight_decay,
        label_smoothing_factor=config.label_smoothing,
        per_device_train_batch_size=config.batch_size,
        per_device_eval_batch_size=config.eval_batch_size,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        metric_for_best_model="mean_auc",
        greater_is_better=True,
        logging_steps=20,
        seed=config.seed,
        bf16=config.bf16 and has_bfloat16_units(resolve_device()),
        use_cpu=not torch.accelerator.is_available(),
        dataloader_num_workers=config.num_workers,
        report_to="none",
    )
