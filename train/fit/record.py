"""What a run writes into its folder beside the checkpoint: its settings, its saved steps, and what it cost and saw."""

from __future__ import annotations

import json
import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from train.config import TrainConfig
from train.data import Sample
from virtus import __version__
from virtus.errors import DataError
from virtus.results import Label

if TYPE_CHECKING:
    from transformers import Trainer, TrainingArguments

    from train.checks import Look

CONFIG, RECORD = "train_config.json", "run.json"


def find_last_step(config: TrainConfig, out_dir: Path, *, resume: bool) -> Path | None:
    """The last step in `out_dir` that was saved whole; None for a run that begins.

    Raises:
        DataError: if `out_dir` holds a run that is not to be resumed, or that has other settings.
    """
    if out_dir.exists() and not out_dir.is_dir():
        raise DataError(f"{out_dir} is a file: --out is a folder.")
    if not is_begun(out_dir):
        return None
    if not resume:
        raise DataError(f"{out_dir} holds a run. Go on with it by --resume, or name another folder by --out.")
    if changed := config.differs_from(out_dir / CONFIG):
        raise DataError(
            f"{out_dir} was begun with another {', '.join(changed)}: set it as it was, or use another --out."
        )
    steps = sorted((out_dir / "steps").glob("checkpoint-*"), key=number_of, reverse=True)
    return next((step for step in steps if _is_whole(step)), None)


def is_begun(out_dir: Path) -> bool:
    """Whether there is a run that `--resume` goes on with."""
    return (out_dir / CONFIG).exists()


def number_of(step: Path | None) -> int:
    """How many steps of training a saved step has behind it."""
    return int(step.name.rpartition("-")[2]) if step else 0


def read_record(out_dir: Path) -> dict:
    """What a run that ended there wrote; nothing of one that did not, or of what cannot be read."""
    try:
        record = json.loads((out_dir / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def record_run(
    config: TrainConfig,
    samples: Sequence[Sample],
    look: Look,
    trainer: Trainer,
    *,
    elapsed_s: float,
    first_step: int,
    chosen_by: dict[str, float],
    earlier: dict,
) -> dict:
    """The content of `run.json`, from which reports and model cards are filled, of a run that ended.

    Args:
        look: its findings become `audit`.
        elapsed_s, first_step: it began, or was resumed, that long ago at that step; `hours` of a resumed run are those
            of its last part times all steps over its own.
        chosen_by: figures of the choosing part.
        earlier: what stood in the file, if anything: a run that had ended took no hours since.
    """
    args, num_steps = trainer.args, trainer.state.global_step
    num_new_steps = num_steps - first_step
    hours = elapsed_s / 3600 * num_steps / num_new_steps if num_new_steps else earlier.get("hours", 0.0)
    counts = Counter((sample.source, sample.split, sample.label) for sample in samples)
    return {
        "recipe": config.recipe,
        "base": Path(config.base).name,
        "device": _device(args),
        "hours": round(hours, 4),
        "num_images_seen": num_steps * args.train_batch_size * args.world_size,  # each as often as it was shown
        "chosen_by": {name.removeprefix("eval_"): value for name, value in chosen_by.items() if "auc" in name},
        "counts": [
            {"source": source, "split": split, **{str(label): counts[source, split, label] for label in Label}}
            for source, split in sorted({kind[:2] for kind in counts}, key=str)
        ],
        "audit": look.to_json(),
        "versions": {"virtus": __version__} | {name: version(name) for name in ("torch", "transformers")},
    }


def _is_whole(step: Path) -> bool:
    """The Trainer writes the state last: a kill before its end leaves none, or a part of one."""
    try:
        json.loads((step / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _device(args: TrainingArguments) -> str:
    """`train.publish.card` reads it again."""
    import torch

    name = torch.cuda.get_device_name() if args.device.type == "cuda" else platform.processor() or platform.machine()
    count = f"{torch.get_num_threads()} threads" if args.device.type == "cpu" else args.device.type
    return f"{args.world_size} x {name} ({count})"
