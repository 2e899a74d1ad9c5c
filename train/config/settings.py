"""All that one training run depends on, in one typed place that is saved beside the checkpoint."""

from __future__ import annotations

import json
import math
import re
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path

from train.config.augmentation import Augmentation
from virtus.checkpoints import MARGINS
from virtus.errors import DataError

ABOVE_ZERO = (
    "num_epochs",
    "learning_rate",
    "batch_size",
    "eval_batch_size",
    "frames_per_clip",
    "temperature",
)
ZERO_OR_MORE = (
    *("weight_decay", "warmup", "early_stopping", "eval_steps", "num_workers", "num_clips", "limit"),
    *("cached_draws", "cached_block", "teacher_weight", "token_weight"),
)
CHOICES = {
    "split": ("by-group", "pooled-60-40"),
    "balance": ("none", "train", "batch"),
    "crop": ("face", "whole"),
    "schedule": ("cosine", "linear"),
    "head": ("linear", "class_token", "l2"),
    "weights": ("float", "int8"),
    "choose_by": ("mean_auc", "auc", "loss"),
}


@dataclass(frozen=True)
class TrainConfig:
    """A resolved recipe.

    Attributes:
        recipe: its name.
        base: a Hub id or a folder in the Hub's layout: the weights to start from.
        data: a folder of labelled pictures or clips, or a Hub data set id (see `train.data.samples`).
        split: "by-group" (train, choose, calibrate, report; no group in two of them), or "pooled-60-40" (what the
            published recipes do: all files pooled, the smaller class filled up with copies, then 60 % drawn for
            training; the other 40 % both choose and report).
        balance: "train" fills up the smaller class of the training part with copies; "batch" makes each batch of
            couples of a real picture and a fake (of its own group where it has a real one), with sources and patterns
            of `kinds` in turn; "none" leaves it.
        crop: "face" (the engine's one crop), or "whole" pictures as they are.
        source_weights: how often an epoch shows each picture of a source; with balance=batch how often the turn of a
            source or pattern comes; 1 where it is not named.
        kinds: of fakes, each by patterns of `source/file`, the first that fits; `made/blended` and `made/swapped` are
            those that the run makes.
        leave_out: sources and kinds that nothing of the run sees, to report on a kind of fake that it never met. With a
            kind all of the sources that its patterns name is left out, real pictures too.
        tune: what is trained: "full"; "layer_norms" (all of them and the head, as GenD does); "last_blocks:N" (these
            and all behind them).
        head: "linear"; "class_token": the same, and for a base of CLIP too on that token and not the patches' mean;
            "l2": on features of length 1, as GenD's, where the head reads one token behind a norm.
        weights: how they are saved: "float", or "int8": the matrices of the blocks, rounded, with a scale for each row,
            in a quarter of the size; what was so in the base and is not trained stays what it was.
        frames_per_clip: face crops taken from each video, at most; `num_clips`: of how many videos, 0 for all.
        keep_tokens: share of the patch tokens that a training step keeps, drawn anew for each picture (see
            `train.fit.model`); half of them train 2.6 times as fast on a CPU.
        blended_share: how many self-blended fakes an epoch shows besides, each with its original, as a share of its
            real pictures; `swapped_share` likewise with a part, or all, of another face that is alike in pose.
        cached_draws: how often each training picture is drawn, once and for all; 0 for anew in every epoch. The tokens
            that enter block `cached_block`, below all that is trained, are computed once for each and kept.
        clean_looks: whether each of them is kept twice: moved and degraded, and moved alike but clean. What degrades a
            picture takes the traces of how a fake was made with it: who sees few clean ones learns everything else.
        probe: whether the trained blocks begin as a linear probe of the class tokens of all blocks from `cached_block`
            on (see `train.fit.probe`), not with a new head on the last.
        teacher: a checkpoint, as the engine loads it, that a student learns from beside the labels (see
            `train.fit.distillation`); "" for none. What it says of each of `cached_draws` is computed once and kept.
        teacher_weight: of the divergence from its softened logits, both at `temperature`, beside the cross entropy's 1;
            `token_weight`: of the distance from its class token.
        start_share: share of the weights that training began with in those that are kept: the end lies so far back on
            the straight line between them (WiSE-FT, Wortsman et al. 2022), and knows more of what it knew before.
        bound_kinds: whether the calibration bounds how many fakes of each kind are called real, or of all together: a
            model that cannot tell some kind at all would call nothing real.
        pairs: whether batches consist of pairs of a fake and a real picture of the same group (its own original, where
            a group is a photo or a clip), and of couples across groups where there is none; `batch_size` is even then.
        val_share: of the groups, held out where the tree has no `val` split.
        margin: of the crop in evaluation; written into the checkpoint's `virtus.json`.
        warmup: steps in which the learning rate rises; below 1, a share of all steps.
        bf16: mixed precision, where the hardware is faster with it.
        choose_by: which figure of the choosing part picks the epoch: "mean_auc" over sources, "auc" of all pictures
            together, which a few pictures of a small source do not sway, or "loss".
        early_stopping: stop after so many evaluations without a better figure; 0 for never.
        eval_steps: steps between evaluations, each of which saves; 0 for one after each epoch.
        max_steps: stops early, -1 for all epochs; `limit` takes that many pictures at most of each source, split and
            class, 0 for all.
        report_to: "tensorboard", or "none".
    """

    recipe: str
    base: str
    data: str
    split: str = "by-group"
    balance: str = "none"
    tune: str = "full"
    head: str = "linear"
    weights: str = "float"
    crop: str = "face"
    num_epochs: float = 3.0
    learning_rate: float = 3e-4
    schedule: str = "cosine"
    weight_decay: float = 0.05
    warmup: float = 0.1
    batch_size: int = 64
    eval_batch_size: int = 64
    label_smoothing: float = 0.0
    margin: float = 1.3
    source_weights: dict[str, int] = field(default_factory=dict)
    kinds: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    frames_per_clip: int = 5
    num_clips: int = 0
    keep_tokens: float = 1.0
    blended_share: float = 0.0
    swapped_share: float = 0.0
    cached_draws: int = 0
    cached_block: int = 0
    clean_looks: bool = False
    probe: bool = False
    teacher: str = ""
    teacher_weight: float = 1.0
    temperature: float = 2.0
    token_weight: float = 1.0
    start_share: float = 0.0
    bound_kinds: bool = True
    pairs: bool = False
    val_share: float = 0.2
    choose_by: str = "mean_auc"
    early_stopping: int = 0
    eval_steps: int = 0
    seed: int = 83
    bf16: bool = True
    num_workers: int = 2
    max_steps: int = -1
    limit: int = 0
    report_to: str = "none"
    augmentation: Augmentation = field(default_factory=Augmentation)

    def __post_init__(self) -> None:
        self._check_ranges()
        self._check_together()

    def _check_ranges(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, float) and not math.isfinite(value):
                raise DataError(f"{name} must be a number, not {value}.")
        for name in ABOVE_ZERO:
            if getattr(self, name) <= 0:
                raise DataError(f"{name} must be more than 0, not {getattr(self, name)}.")
        for name in ZERO_OR_MORE:
            if getattr(self, name) < 0:
                raise DataError(f"{name} must be 0 or more, not {getattr(self, name)}.")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise DataError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}.")
        for name in ("blended_share", "swapped_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise DataError(f"{name} is a share of the real pictures, from 0 to 1, not {getattr(self, name)}.")
        if not re.fullmatch(r"full|layer_norms|last_blocks:[1-9]\d*", self.tune):
            raise DataError(f"tune is full, layer_norms or last_blocks:N with N from 1 on, not {self.tune!r}.")
        if not MARGINS[0] <= self.margin <= MARGINS[1]:
            raise DataError(f"margin is of the crop, from {MARGINS[0]} to {MARGINS[1]}, not {self.margin}.")
        if not all(isinstance(times, int) and times >= 0 for times in self.source_weights.values()):
            raise DataError(f"source_weights has a whole number from 0 on for each source, not {self.source_weights}.")
        if not all(isinstance(patterns, (list, tuple)) for patterns in self.kinds.values()):
            raise DataError(f'kinds has a list of patterns for each kind, {{"swaps": ["dfdc/*"]}}, not {self.kinds}.')
        if not 0 < self.keep_tokens <= 1:
            raise DataError(f"keep_tokens is a share of the tokens, above 0 and up to 1, not {self.keep_tokens}.")
        if not 0 < self.val_share < 1:
            raise DataError(f"val_share is a share of the groups, between 0 and 1, not {self.val_share}.")

    def _check_together(self) -> None:
        if not 0 <= self.start_share < 1 or (self.start_share and self.probe):
            raise DataError(
                f"start_share is a share of the starting weights, from 0 and below 1, not {self.start_share}; and with "
                "probe it is 0, for that changes what training begins with."
            )
        if self.in_couples and self.batch_size % 2:
            raise DataError(f"With pairs batch_size must be even, not {self.batch_size}: a pair is not divided.")
        if self.teacher and (not self.cached_draws or self.label_smoothing):
            raise DataError(
                "With a teacher cached_draws is 1 or more, for what it says of a picture is computed once and kept; "
                "and label_smoothing is 0, for it softens the labels itself."
            )
        if self.probe and (not self.cached_draws or self.teacher or self.head != "class_token"):
            raise DataError("probe reads cached tokens: it needs cached_draws=1 or more, head=class_token, no teacher.")
        if self.clean_looks and not self.cached_draws:
            raise DataError("clean_looks keeps each cached draw twice: it needs cached_draws=1 or more.")
        if self.cached_draws and not self.teacher and not self.tune.startswith("last_blocks"):
            raise DataError("cached_draws keeps what the frozen blocks give: it needs tune=last_blocks:N.")

    @property
    def in_couples(self) -> bool:
        """Whether a batch consists of couples of a real picture and a fake."""
        return self.pairs or self.balance == "batch"

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    def differs_from(self, file: Path) -> list[str]:
        """Names of the settings that differ from those saved in `file`.

        Raises:
            DataError: if it was saved by a version of Virtus that knew other settings, or is damaged.
        """
        current = json.loads(json.dumps(asdict(self)))
        try:
            saved = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            raise DataError(
                f"{file} cannot be read ({exc}), so its run is not gone on with: use another --out."
            ) from exc
        if not isinstance(saved, dict) or current.keys() - saved.keys():
            raise DataError(f"{file} is of an earlier version, whose runs cannot be gone on with: use another --out.")
        return [name for name in current if current[name] != saved[name]]

    def override(self, settings: list[str]) -> TrainConfig:
        """With `key=value` settings applied; values are JSON, `augmentation.key` reaches inside.

        Raises:
            DataError: for a key that there is not, or a value of another kind.
        """
        config = self
        for setting in settings:
            key, separator, value = setting.partition("=")
            if not separator:
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
    if isinstance(old, tuple) and isinstance(new, list) and len(new) in (len(old), len(new) if not old else -1):
        return tuple(new)
    if isinstance(old, float) and isinstance(new, int) and not isinstance(new, bool):
        return float(new)
    if type(new) is not type(old):
        raise DataError(f"{name} is {old!r} by default; {value!r} is not of that kind.")
    return new
