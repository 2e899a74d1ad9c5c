"""Recipes: each a function that returns one complete `TrainConfig`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from train.config import TrainConfig

DEIT_TINY = "facebook/deit-tiny-patch16-224"


def virtus_tiny(data: str, base: str | None = None) -> TrainConfig:
    """The bundled checkpoint: DeiT-tiny on everything, cropped alike, with JPEG, scale, crop, colour and mirror."""
    return TrainConfig(
        recipe="virtus-tiny",
        base=base or _beside(data, DEIT_TINY),
        data=data,
        num_epochs=5.0,
        learning_rate=3e-4,
        batch_size=64,
        source_weights={"stylegan": 3},
    )


def _beside(data: str, repo_id: str) -> str:
    """The folder of that base beside the data (`../models/<name>`) where there is one, else its Hub id."""
    folder = os.path.normpath(Path(data, "..", "models", repo_id.split("/")[1]))  # as relative as `data` is
    return folder if Path(folder).is_dir() else repo_id


RECIPES: dict[str, Callable[..., TrainConfig]] = {"virtus-tiny": virtus_tiny}
