"""What a run cost and what it saw: `run.json`, from which reports and model cards are filled."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from transformers import Trainer, TrainingArguments

from train.config import TrainConfig
from train.data import Sample
from train.fit.material import Material
from virtus import __version__
from virtus.results import Label


@dataclass(frozen=True)
class Record:
    """The content of `run.json`.

    Attributes:
        hours: of training and choosing; of a resumed run, those of its last part times all steps over its own.
        num_images_seen: training pictures shown, each as often as it was.
        chosen_by: figures of the choosing part.
        counts: pictures of each source and split, `{"source", "split", "real", "fake"}`.
        audit: see `train.checks.look`.
    """

    recipe: str
    base: str
    device: str
    hours: float
    num_images_seen: int
    chosen_by: dict[str, float]
    counts: list[dict]
    audit: dict
    versions: dict[str, str]

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def record_run(
    config: TrainConfig,
    material: Material,
    trainer: Trainer,
    *,
    elapsed_s: float,
    first_step: int,
    chosen_by: dict[str, float],
) -> Record:
    """The record of a run that ended; it began, or was resumed, `elapsed_s` ago at `first_step`."""
    args, num_steps = trainer.args, trainer.state.global_step
    own_steps = num_steps - first_step
    hours = elapsed_s / 3600 * num_steps / own_steps if own_steps else 0.0
    return Record(
        recipe=config.recipe,
        base=Path(config.base).name,
        device=_device(args),
        hours=round(hours, 4),
        num_images_seen=num_steps * args.train_batch_size * args.world_size,
        chosen_by={name.removeprefix("eval_"): value for name, value in chosen_by.items() if "auc" in name},
        counts=_counts(material.samples),
        audit=material.look.to_json(),
        versions={"virtus": __version__} | {name: version(name) for name in ("torch", "transformers")},
    )


def _counts(samples: Sequence[Sample]) -> list[dict]:
    counts = Counter((s.source, s.split, s.label) for s in samples)
    return [
        {"source": source, "split": split, **{str(label): counts[source, split, label] for label in Label}}
        for source, split in sorted({key[:2] for key in counts}, key=str)
    ]


def _device(args: TrainingArguments) -> str:
    """`train.publish.card_metadata` reads it again."""
    name = torch.cuda.get_device_name() if args.device.type == "cuda" else platform.processor() or platform.machine()
    count = f"{torch.get_num_threads()} threads" if args.device.type == "cpu" else args.device.type
    return f"{args.world_size} x {name} ({count})"
