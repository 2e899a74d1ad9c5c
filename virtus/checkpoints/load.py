"""The checkpoints that can judge, by name, and how one is loaded: none that cannot be trusted."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.bundled import ASSETS
from virtus.errors import CheckpointError
from virtus.results import Calibration, CheckpointInfo, Label

if TYPE_CHECKING:
    from virtus.checkpoints.examine import Examination
    from virtus.checkpoints.novelty import Novelty
    from virtus.models import EvalTransform, Trunk

BUNDLED_FOLDER = ASSETS / "checkpoints"
BUNDLED = "virtus-tiny"
LOCAL = "local"  # the revision of a folder
ENVIRONMENT_VARIABLE = "VIRTUS_CHECKPOINT"
DEFAULT_MARGIN = 1.3
RAW_KAGGLE_MARGIN = 1.8


@dataclass(frozen=True)
class CheckpointSpec:
    """A known checkpoint.

    Attributes:
        name: a Hub id, or of a bundled folder.
        description: one line for people who choose.
        margin: of the crop that it is shown: about that of the pictures it was trained on.
        bundled: whether it comes with Virtus.
    """

    name: str
    description: str
    margin: float = DEFAULT_MARGIN
    bundled: bool = False


CHECKPOINTS = {
    spec.name: spec
    for spec in (
        CheckpointSpec(BUNDLED, "bundled: DeiT-tiny on three sources, faces cropped alike", bundled=True),
        CheckpointSpec("agasta/virtus", "DeiT-base on raw Kaggle pictures", RAW_KAGGLE_MARGIN),
        CheckpointSpec("prithivMLmods/Deep-Fake-Detector-Model", "ViT-base on raw Kaggle pictures", RAW_KAGGLE_MARGIN),
        CheckpointSpec("ashwin-raikar/vit-deepfake-detector-celebdfv2", "ViT-base on Celeb-DF v2"),
        CheckpointSpec("Sxhni/deepfake-detector-vit", "ViT-base on raw Kaggle pictures", RAW_KAGGLE_MARGIN),
        CheckpointSpec(
            "dima806/deepfake_vs_real_image_detection", "ViT-base on raw Kaggle pictures", RAW_KAGGLE_MARGIN
        ),
    )
}


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        info: name, revision and hash, for every report.
        trunk: the model.
        transform: its eval transform.
        labels: index in the logits for each class.
        margin: of the face crop.
        architecture: name of the transformers class.
        novelty: what its training pictures were like; None where it does not know.
    """

    info: CheckpointInfo
    trunk: Trunk
    transform: EvalTransform
    labels: dict[Label, int]
    margin: float
    architecture: str
    novelty: Novelty | None = None


@dataclass(frozen=True)
class LocatedCheckpoint:
    """A checkpoint that was examined, and not loaded: what it is called, what is in its folder, its face crop."""

    info: CheckpointInfo
    examined: Examination
    margin: float


def find_checkpoint(name: str = "auto") -> LocatedCheckpoint:
    """Find, fetch where needed, and examine a checkpoint. Without torch: all that `load_checkpoint` does before it.

    Raises:
        CheckpointError: if it is unknown, cannot be fetched, or cannot be trusted. Of the weights' values nothing is
            known yet.
    """
    from virtus.checkpoints.examine import examine_checkpoint

    resolved, folder, revision = locate(name)
    examined = examine_checkpoint(folder, name=resolved)
    info = CheckpointInfo(resolved, revision, examined.sha256, _calibration(resolved, revision, examined))
    return LocatedCheckpoint(info, examined, _margin(resolved, examined.sidecar))


def load_checkpoint(name: str = "auto", *, device: str = "auto", precision: str = "auto") -> Checkpoint:
    """Find, fetch where needed, examine and load a checkpoint.

    Args:
        name: `auto` (what the environment variable VIRTUS_CHECKPOINT names, else the bundled one; never uses the
            network), a name in `CHECKPOINTS`, a local folder in the Hub's layout, or a Hub id `owner/name[@revision]`.
        device: `auto`, `cpu`, `cuda`, `mps`, ...
        precision: `auto`, `float32` or `bfloat16`.

    Raises:
        CheckpointError: if it is unknown, cannot be fetched, or cannot be trusted.
        InputError: for a device or precision that there is not.
    """
    from virtus.checkpoints.examine import load_model
    from virtus.models import Trunk, resolve_device, resolve_precision

    on = resolve_device(device)
    dtype = resolve_precision(precision, on)
    located = find_checkpoint(name)
    examined = located.examined
    trunk = Trunk(load_model(examined), device=on, dtype=dtype)
    return Checkpoint(
        info=located.info,
        trunk=trunk,
        transform=examined.transform,
        labels=examined.labels,
        margin=located.margin,
        architecture=examined.architecture.name,
        novelty=_novelty(examined),
    )


def _calibration(name: str, revision: str, examined: Examination) -> Calibration | None:
    """The user's own, else the checkpoint's; a local folder's is in its virtus.json, whoever made it."""
    from virtus.checkpoints.sidecar import read_calibration, read_user_calibration

    of_user = None if revision == LOCAL else read_user_calibration(name, examined.sha256)
    return of_user or read_calibration(examined.sidecar)


def locate(name: str = "auto") -> tuple[str, Path, str]:
    """What a name stands for: the resolved name, its local folder and its revision. A Hub id is fetched.

    Raises:
        CheckpointError: if there is no such checkpoint, or it cannot be fetched.
    """
    from virtus.checkpoints import hub

    offline = name == "auto"
    name = resolve_name(name)
    if name in CHECKPOINTS and CHECKPOINTS[name].bundled:
        return name, BUNDLED_FOLDER / name, "bundled"
    path = Path(os.path.expanduser(name))  # noqa: PTH111  Path.expanduser raises for users that there are not
    if name not in CHECKPOINTS and name and path.is_dir():
        return name, path, LOCAL
    if path.is_file():
        raise CheckpointError(f"{name} is a file. Give the folder that it lies in, with config.json beside it.")
    if not hub.is_repo_id(name):
        known = ", ".join(CHECKPOINTS)
        raise CheckpointError(f"There is no checkpoint {name!r}: no such folder, and not a known name ({known}).")
    folder, commit = hub.fetched_before(name) if offline else hub.fetch(name, check=_check_before(name))
    return name, folder, commit


def _check_before(name: str) -> Callable[[Path], object]:
    """Refuses by a repository's small files, so that the weights of another kind of model are never fetched."""
    from virtus.checkpoints.examine import examine_configs

    return lambda folder: examine_configs(folder, name=name)


def resolve_name(name: str = "auto") -> str:
    """What `auto` stands for; other names as they are."""
    return (os.environ.get(ENVIRONMENT_VARIABLE) or BUNDLED) if name == "auto" else name


def _novelty(examined: Examination) -> Novelty | None:
    from virtus.checkpoints.novelty import read_novelty

    made_of = examined.architecture
    try:
        return read_novelty(
            examined.folder,
            examined.sidecar,
            sha256=examined.sha256,
            num_blocks=made_of.num_hidden_layers,
            width=made_of.hidden_size,
        )
    except CheckpointError as exc:
        raise CheckpointError(f"{examined.name} is not used. {exc}") from exc


def _margin(name: str, sidecar: dict) -> float:
    """The checkpoint's own word, else that of its spec, else the default."""
    spec = CHECKPOINTS.get(name.partition("@")[0])
    margin = sidecar.get("margin", spec.margin if spec else DEFAULT_MARGIN)
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0.5 <= margin <= 4:
        raise CheckpointError(
            f"{name} is not used. The margin in its virtus.json is {margin!r}, not a number in 0.5 to 4."
        )
    return float(margin)
