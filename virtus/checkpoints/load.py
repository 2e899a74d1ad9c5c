"""The checkpoints that can judge, by name, and how one is loaded: none that cannot be trusted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from virtus.checkpoints.bundled import (
    BASE,
    FAST,
    TIMES_AS_FAST,
    WORDS,
    bundled_folder,
    duration_words,
    resolve_name,
    retired_words,
    warn_of_default,
)
from virtus.checkpoints.examine import Examination, examine_checkpoint, examine_configs, load_model
from virtus.checkpoints.hub import fetch, fetched_before, is_repo_id
from virtus.checkpoints.known import CHECKPOINTS, DEFAULT_MARGIN, MARGINS, known_checkpoint
from virtus.checkpoints.sidecar import read_calibration, read_user_calibration
from virtus.errors import CheckpointError
from virtus.faces import name_cells
from virtus.parallel import on_one_core
from virtus.results import Calibration, CheckpointInfo, Face, FaceCrop, Judges

if TYPE_CHECKING:
    from virtus.checkpoints.novelty import Novelty
    from virtus.labels import ClassOutputs
    from virtus.models import EvalTransform, Trunk

LOCAL = "local"  # the revision of a folder
LABEL_MARK = "#"  # between a checkpoint's name and the label of its fake class


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
        first_trained_block: index of the first block that fine-tuning changed; 0 where all were, or nothing is known.
    """

    info: CheckpointInfo
    trunk: Trunk
    transform: EvalTransform
    outputs: ClassOutputs
    margin: float
    architecture: str
    novelty: Novelty | None = None
    first_trained_block: int = 0

    @property
    def judges_pictures(self) -> bool:
        """Whether it is shown whole pictures, whatever is in them."""
        return self.info.judges == "pictures"

    def crop_margin(self, *, whole: bool = False) -> float | None:
        """The margin where faces are judged; None where whole pictures are, as it was made for or as `whole` asks."""
        return None if whole or self.judges_pictures else self.margin

    def name_patches(self, face: Face | None, crop: FaceCrop) -> tuple[str, ...]:
        """Which part of a face each patch of its crop shows, row by row: see `virtus.faces.name_cells`."""
        return name_cells(face, crop, self.transform.shown_box(crop.image), self.trunk.grid_size)


@dataclass(frozen=True)
class LocatedCheckpoint:
    """A checkpoint that was examined, and not loaded: what it is called, what is in its folder and `virtus.json`."""

    info: CheckpointInfo
    examined: Examination
    margin: float
    first_trained_block: int


def find_checkpoint(name: str = "auto", *, fake_label: str | None = None) -> LocatedCheckpoint:
    """Find, fetch where needed, and examine a checkpoint. Without torch: all that `load_checkpoint` does before it.

    Args:
        name, fake_label: as for `load_checkpoint`.

    Raises:
        CheckpointError: if it is unknown, cannot be fetched, or cannot be trusted. Of the weights' values nothing is
            known yet.
    """
    resolved, revision, examined = examine_named(name, fake_label=fake_label)
    calibration = _calibration(resolved, revision, examined)
    info = CheckpointInfo(resolved, revision, examined.sha256, calibration, _judges(resolved, examined.sidecar))
    return LocatedCheckpoint(info, examined, _margin(resolved, examined.sidecar), _first_trained_block(examined))


def examine_named(name: str, *, fake_label: str | None = None) -> tuple[str, str, Examination]:
    """The part of it before its calibration is read.

    Returns:
        The resolved name, which ends in `#` and an index if the user said which class is fake; the revision; the rest.
    """
    resolved, folder, revision = locate(name, fake_label=fake_label)
    said = _said_fake(name, fake_label)
    examined = examine_checkpoint(folder, name=resolved, fake_label=_fake_label(resolved, said))
    if said is not None and examined.outputs.fake_label is not None:
        resolved = f"{resolved}{LABEL_MARK}{examined.outputs.fake_label}"
    return resolved, revision, examined


def load_checkpoint(
    name: str = "auto", *, device: str = "auto", precision: str = "auto", fake_label: str | None = None
) -> Checkpoint:
    """Find, fetch where needed, examine and load a checkpoint.

    Args:
        name: `auto` (what the environment variable VIRTUS_CHECKPOINT names, else virtus-base, or virtus-fast where that
            does not come with this installation; never uses the network), a name in `CHECKPOINTS`, a local folder in
            the Hub's layout, or a Hub id `owner/name[@revision]`.
            Each may end in `#LABEL`, which is to say it by `fake_label`.
        device: `auto`, `cpu`, `cuda`, `mps`, ...
        precision: `auto`, `float32`, `bfloat16` or `int8`.
        fake_label: name or index of the fake class, where the labels do not say it: see `virtus.labels.read_outputs`.

    Raises:
        CheckpointError: if it is unknown, cannot be fetched, or cannot be trusted.
        InputError: for a device or precision that there is not, or not here.
    """
    from virtus.models import Trunk, resolve_device, resolve_precision

    on = resolve_device(device)
    located = find_checkpoint(name, fake_label=fake_label)
    examined = located.examined
    precision = resolve_precision(precision, on, width=examined.architecture.hidden_size)
    with on_one_core():  # hundreds of small copies
        trunk = Trunk(load_model(examined), device=on, precision=precision)
    return Checkpoint(
        info=located.info,
        trunk=trunk,
        transform=examined.transform,
        outputs=examined.outputs,
        margin=located.margin,
        architecture=examined.architecture.name,
        novelty=_novelty(examined),
        first_trained_block=located.first_trained_block,
    )


def fast_words(checkpoint: Checkpoint, seconds: float) -> str:
    """How long virtus-fast takes for what takes virtus-base so long, in words; empty where that is no choice.

    So it is where another checkpoint judges, or another device than the CPU.
    """
    trunk = checkpoint.trunk
    if checkpoint.info.name != BASE or trunk.device.type != "cpu":
        return ""
    least, most = TIMES_AS_FAST[trunk.precision]
    return f"about {duration_words(seconds)} with {BASE}, {duration_words(seconds / most, seconds / least)} with {FAST}"


def _calibration(name: str, revision: str, examined: Examination) -> Calibration | None:
    """The user's own, else the checkpoint's; a local folder's is in its virtus.json, whoever made it.

    Where the user says which class is fake, there is none but that which the user made with the same word.
    """
    user_name = name_of_user_calibration(name, revision)
    of_user = read_user_calibration(user_name, examined.sha256) if user_name else None
    return of_user or (None if LABEL_MARK in (user_name or "") else read_calibration(examined.sidecar))


def name_of_user_calibration(name: str, revision: str) -> str | None:
    """By what name the user's own calibration is kept; None for a folder, which holds its own.

    A folder's own is not by what the user says of its labels.
    """
    name, label = split_label(name)
    if label is None:
        return None if revision == LOCAL else name
    return f"{LOCAL if revision == LOCAL else name}{LABEL_MARK}{label}"


def split_label(name: str) -> tuple[str, str | None]:
    """A checkpoint's name and the label of its fake class, None where it ends in none."""
    if LABEL_MARK not in name or Path(name).is_dir():
        return name, None
    name, _, label = name.rpartition(LABEL_MARK)
    return name, label


def _said_fake(name: str, fake_label: str | None) -> str | None:
    """What the user says is the fake class: by the option, by the name, or by that which `auto` stands for."""
    plain, label = split_label(name)
    said = (fake_label, label, split_label(resolve_name(plain))[1])
    return next((label for label in said if label is not None), None)


def _fake_label(name: str, said: str | None) -> str | None:
    known = known_checkpoint(name)
    return said if said is not None or known is None else known.fake_label


def locate(name: str = "auto", *, fake_label: str | None = None) -> tuple[str, Path, str]:
    """What a name stands for: the resolved name, without a label, its folder and its revision. A Hub id is fetched.

    Raises:
        CheckpointError: if there is no such checkpoint, or it cannot be fetched.
    """
    said, name = _said_fake(name, fake_label), split_label(name)[0]
    offline = name == "auto"
    name = split_label(resolve_name(name))[0]
    if offline:
        warn_of_default()
    if folder := bundled_folder(name):
        return name, folder, "bundled"
    if name in WORDS:
        raise CheckpointError(f"{name} does not come with this installation. Name {FAST}, or the folder of a copy.")
    path = Path(os.path.expanduser(name))  # noqa: PTH111  Path.expanduser raises for users that there are not
    if name not in CHECKPOINTS and name and path.is_dir():
        return name, path, LOCAL
    if path.is_file():
        raise CheckpointError(f"{name} is a file. Give the folder that it lies in, with config.json beside it.")
    if said_of_old := retired_words(name):
        raise CheckpointError(said_of_old)
    if not is_repo_id(name):
        known = ", ".join(CHECKPOINTS)
        raise CheckpointError(f"There is no checkpoint {name!r}: no such folder, and not a known name ({known}).")
    # By a repository's small files, so that the weights of another kind of model are never fetched.
    check = partial(examine_configs, name=name, fake_label=_fake_label(name, said))
    folder, commit = fetched_before(name) if offline else fetch(name, check=check)
    return name, folder, commit


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


def _judges(name: str, sidecar: dict) -> Judges:
    """What its `virtus.json` says, else what is known of it, else faces."""
    known = known_checkpoint(split_label(name)[0])
    judges = sidecar.get("judges", known.judges if known else "faces")
    if judges not in get_args(Judges):
        raise CheckpointError(
            f'{name} is not used. In its virtus.json, judges is {judges!r}, not "faces" or "pictures".'
        )
    return judges


def _margin(name: str, sidecar: dict) -> float:
    """What its `virtus.json` says, else what is known of it, else the default."""
    known = known_checkpoint(split_label(name)[0])
    margin = sidecar.get("margin", known.margin if known else DEFAULT_MARGIN)
    least, most = MARGINS
    if isinstance(margin, bool) or not isinstance(margin, (int, float)) or not least <= margin <= most:
        raise CheckpointError(
            f"{name} is not used. The margin in its virtus.json is {margin!r}, not a number in {least} to {most}."
        )
    return float(margin)


def _first_trained_block(examined: Examination) -> int:
    """What its `virtus.json` says, else 0."""
    first, num_blocks = examined.sidecar.get("first_trained_block", 0), examined.architecture.num_hidden_layers
    if isinstance(first, bool) or not isinstance(first, int) or not 0 <= first < num_blocks:
        raise CheckpointError(
            f"{examined.name} is not used. The first_trained_block in its virtus.json is {first!r}, not the index of "
            f"one of its {num_blocks} blocks."
        )
    return first
