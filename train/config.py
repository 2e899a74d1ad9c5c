"""All that one training run depends on, in one typed place that is saved beside the checkpoint."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from virtus.errors import DataError


@dataclass(frozen=True)
class Augmentation:
    """What happens to a training picture, each by its own chance in [0, 1].

    Attributes:
        margin: the crop's margin is drawn from this range, for both classes alike: tight pictures cannot give the full
            one, and a reached margin that differs between the classes would tell them apart.
        shift: the crop's place is moved by up to this share of its side.
        jpeg_quality, scale, brightness: ranges drawn from.
    """

    margin: tuple[float, float] = (1.0, 1.3)
    shift: float = 0.04
    mirror_chance: float = 0.5
    jpeg_chance: float = 0.5
    jpeg_quality: tuple[int, int] = (40, 95)
    scale_chance: float = 0.3
    scale: tuple[float, float] = (0.4, 1.0)
    colour_chance: float = 0.3
    colour: float = 0.2

    def __post_init__(self) -> None:
        for name in ("mirror_chance", "jpeg_chance", "scale_chance", "colour_chance"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"{name} is a chance, between 0 and 1, not {getattr(self, name)}.")


@dataclass(frozen=True)
class TrainConfig:
    """A resolved recipe.

    Attributes:
        recipe: its name.
        base: a Hub id or a folder in the Hub's layout: the weights to start from.
        data: the folder of labelled pictures (see `train.data`).
        source_weights: how often an epoch shows each picture of a source; 1 where a source is not named.
        blended_share: how many self-blended fakes an epoch shows besides, each with its original, as a share of its
            real pictures.
        val_share: of the groups, held out where the tree has no `val` split.
        margin: of the crop in evaluation; written into the checkpoint's `virtus.json`.
        bf16: mixed precision, where the hardware is faster with it.
        max_steps: stops early, -1 for all epochs; `limit` takes that many pictures at most of each source, split and
            class, 0 for all.
    """

    recipe: str
    base: str
    data: str
    num_epochs: float = 3.0
    learning_rate: float = 3e-4
    weight_decay: float = 0.05
    warmup_share: float = 0.1
    batch_size: int = 64
    eval_batch_size: int = 64
    label_smoothing: float = 0.0
    margin: float = 1.3
    source_weights: dict[str, int] = field(default_factory=dict)
    blended_share: float = 0.0
    val_share: float = 0.2
    seed: int = 83
    bf16: bool = True
    num_workers: int = 2
    max_steps: int = -1
    limit: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        for name in ("num_epochs", "learning_rate", "batch_size", "eval_batch_size", "margin"):
            if getattr(self, name) <= 0:
                raise DataError(f"{name} must be more than 0, not {getattr(self, name)}.")
        if not 0 <= self.blended_share <= 1:
            raise DataError(f"blended_share is a share of the real pictures, from 0 to 1, not {self.blended_share}.")
        if not 0 < self.val_share < 1:
            raise DataError(f"val_share is a share of the groups, between 0 and 1, not {self.val_share}.")

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def override(self, settings: list[str]) -> TrainConfig:
        """With `key=value` settings applied; values are JSON, `augmentation.key` reaches inside.

        Raises:
            DataError: for a key that there is not, or a value of another kind.
        """
        config = self
        for setting in settings:
            key, found, value = setting.partition("=")
            if not found:
                raise DataError(f"--set takes key=value, not {setting!r}.")
            config = _set(config, key, value)
        return config


def _set(config, key: str, value: str):
    head, _, rest = key.partition(".")
    names = [f.name for f in fields(config)]
    if head not in names:
        raise DataError(f"There is no setting {head!r}. There are: {', '.join(names)}.")
    old = getattr(config, head)
    if rest:
        if not hasattr(old, "__dataclass_fields__"):
            raise DataError(f"{head!r} has no settings inside it.")
        return replace(config, **{head: _set(old, rest, value)})
    return replace(config, **{head: _parse(head, value, old)})


def _parse(name: str, value: str, old: object) -> object:
    if isinstance(old, str):
        return value
    try:
        new = json.loads(value)
    except json.JSONDecodeError as exc:
        raise DataError(f"{name} is {old!r} by default; {value!r} is not of that kind.") from exc
    if isinstance(old, tuple) and isinstance(new, list) and len(new) == len(old):
        return tuple(new)
    if isinstance(old, float) and isinstance(new, int) and not isinstance(new, bool):
        return float(new)
    if type(new) is not type(old):
        raise DataError(f"{name} is {old!r} by default; {value!r} is not of that kind.")
    return new
