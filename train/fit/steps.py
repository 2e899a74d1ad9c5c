"""The saved steps of a run, and where one that was killed goes on."""

from __future__ import annotations

import json
from pathlib import Path

from train.config import TrainConfig
from virtus.errors import DataError

CONFIG = "train_config.json"


def find_last_step(config: TrainConfig, out_dir: Path, *, resume: bool) -> Path | None:
    """The last step in `out_dir` that was saved whole; None for a run that begins.

    Raises:
        DataError: if `out_dir` holds a run that is not to be resumed, or that has other settings.
    """
    if not is_begun(out_dir):
        return None
    if not resume:
        raise DataError(f"{out_dir} holds a run. Go on with it by --resume, or name another folder by --out.")
    if changed := config.differs_from(out_dir / CONFIG):
        raise DataError(
            f"{out_dir} was begun with another {', '.join(changed)}: set it as it was, or use another --out."
        )
    return next((step for step in reversed(_steps(out_dir)) if _is_whole(step)), None)


def is_begun(out_dir: Path) -> bool:
    """Whether there is a run that `--resume` goes on with."""
    return (out_dir / CONFIG).exists()


def number_of(step: Path | None) -> int:
    """How many steps of training a saved step has behind it."""
    return int(step.name.rpartition("-")[2]) if step else 0


def _steps(out_dir: Path) -> list[Path]:
    return sorted((out_dir / "steps").glob("checkpoint-*"), key=number_of)


def _is_whole(step: Path) -> bool:
    """The Trainer writes the state last: a kill before its end leaves none, or a part of one."""
    try:
        json.loads((step / "trainer_state.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True
