"""The checkpoints that can judge, by name, and how one is loaded: none that cannot be trusted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.bundled import ASSETS
from virtus.checkpoints.examine import Examination, examine_checkpoint, examine_configs, load_model
from virtus.checkpoints.hub import fetch, fetched_before, is_repo_id
from virtus.checkpoints.sidecar import read_calibration, read_user_calibration
from virtus.errors import CheckpointError
from virtus.results import Calibration, CheckpointInfo

if TYPE_CHECKING:
    from virtus.checkpoints.novelty import Novelty
    from virtus.labels import ClassOutputs
    from virtus.models import EvalTransform, Trunk

BUNDLED_FOLDER = ASSETS / "checkpoints"
BUNDLED = "virtus-tiny"
LOCAL = "local"  # the revision of a folder
ENVIRONMENT_VARIABLE = "VIRTUS_CHECKPOINT"
DEFAULT_MARGIN = 1.3
RAW_KAGGLE_MARGIN = 1.8  # of the known ones that were trained on uncropped pictures

CHECKPOINTS = {  # a bundled folder or Hub ids, to the margin of the face crop: about that of what they were trained on
    BUNDLED: DEFAULT_MARGIN,  # DeiT-tiny on three sources, faces cropped alike
    "agasta/virtus": RAW_KAGGLE_MARGIN,  # DeiT-base
    "prithivMLmods/Deep-Fake-Detector-Model": RAW_KAGGLE_MARGIN,  # this and all others: ViT-base
    "ashwin-raikar/vit-deepfake-detector-celebdfv2": DEFAULT_MARGIN,
    "Sxhni/deepfake-detector-vit": RAW_KAGGLE_MARGIN,
    "dima806/deepfake_vs_real_image_detection": RAW_KAGGLE_MARGIN,
}


@dataclass(frozen=True)
class Checkpoint:
    """A loaded checkpoint.

    Attributes:
        info: name, revision and hash, for every report.
        trunk: the model.
        transform: its eval transform.
        outputs: which logits speak for each class.
        margin: of the face crop.
        architecture: name of the transformers class.
        novelty: what its training pictures were like; None where it does not know.
    """

    info: CheckpointInfo
    trunk: Trunk
    transform: EvalTransform
    outputs: ClassOutputs
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
        outputs=examined.outputs,
        margin=located.margin,
        architecture=examined.architecture.name,
        novelty=_novelty(examined),
    )


def _calibration(name: str, revision: str, examined: Examination) -> Calibration | None:
    """The user's own, else the checkpoint's; a local folder's is in its virtus.json, whoever made it."""
    of_user = None if revision == LOCAL else read_user_calibration(name, examined.sha256)
    return of_user or read_calibration(examined.sidecar)


def locate(name: str = "auto") -> tuple[str, Path, str]:
    """What a name stands for: the resolved name, its local folder and its revision. A Hub id is fetched.

    Raises:
        CheckpointError: if there is no such checkpoint, or it cannot be fetched.
    """
    offline = name == "auto"
    name = resolve_name(name)
    if name == BUNDLED:
        return name, BUNDLED_FOLDER / name, "bundled"
    path = Path(os.path.expanduser(name))  # noqa: PTH111  Path.expanduser raises for users that there are not
    if name not in CHECKPOINTS and name and path.is_dir():
        return name, path, LOCAL
    if path.is_file():
        raise CheckpointError(f"{name} is a file. Give the folder that it lies in, with config.json beside it.")
    if not is_repo_id(name):
        known = ", ".join(CHECKPOINTS)
        raise CheckpointError(f"There is no checkpoint {name!r}: no such folder, and not a known name ({known}).")
    # By a repository's small files, so that the weights of another kind of model are never fetched.
    check = partial(examine_configs, name=name)
    folder, commit = fetched_before(name) if offline else fetch(name, check=check)
    return name, folder, commit


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
    """What its `virtus.json` says, else what is known of it, else the default."""
    margin = sidecar.get("margin", CHECKPOINTS.get(name.partition("@")[0], DEFAULT_MARGIN))
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not 0.5 <= margin <= 4:
        raise CheckpointError(
            f"{name} is not used. The margin in its virtus.json is {margin!r}, not a number in 0.5 to 4."
        )
    return float(margin)
