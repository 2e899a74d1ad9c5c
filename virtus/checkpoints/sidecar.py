"""What Virtus knows of a checkpoint and its weights do not say: the one reader and writer of its `virtus.json`.

A calibration of a checkpoint whose folder is not the user's to write to (bundled, or the Hub's) lies with the user.
"""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

from virtus.errors import CheckpointError, InputError
from virtus.files import write_whole
from virtus.results import Calibration

SIDECAR = "virtus.json"


def read_sidecar(folder: Path) -> dict:
    """What the `virtus.json` of a checkpoint folder says; empty where there is none.

    Raises:
        CheckpointError: if it cannot be read, or is no JSON object.
    """
    file = folder / SIDECAR
    return read_json(file) if file.exists() else {}


def write_sidecar(folder: Path, content: dict) -> Path:
    """Write a `virtus.json` in the place of the one that is there, whole or not at all; the file.

    Raises:
        InputError: if it cannot be written.
    """
    write_whole(folder / SIDECAR, json.dumps(content, indent=2) + "\n")
    return folder / SIDECAR


def read_json(file: Path) -> dict:
    """A JSON object of a checkpoint folder.

    Raises:
        CheckpointError: if it is missing, cannot be read, or is something else.
    """
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as exc:
        raise CheckpointError(f"{file.name} is missing.") from exc
    except (OSError, ValueError, RecursionError) as exc:
        raise CheckpointError(f"{file.name} cannot be read: {str(exc).splitlines()[0]}") from exc
    if not isinstance(content, dict):
        raise CheckpointError(f"{file.name} is no JSON object.")
    return content


def store_calibration(folder: Path, calibration: Calibration | None) -> Path:
    """Write it into the `virtus.json` of a checkpoint folder; whatever else that says stays. The file.

    Raises:
        InputError: if it cannot be written.
        CheckpointError: if what is there cannot be read.
    """
    return write_sidecar(folder, read_sidecar(folder) | {"calibration": calibration and asdict(calibration)})


def read_calibration(sidecar: dict, *, where: str = SIDECAR) -> Calibration | None:
    """From the content of a `virtus.json`; None where it has none.

    Raises:
        CheckpointError: if it cannot be used.
    """
    row = sidecar.get("calibration")
    if row is None:
        return None
    try:
        calibration = Calibration(**row | {"fake_above_among": tuple(row.get("fake_above_among", ()))})
        thresholds = (0, calibration.real_below, calibration.fake_above, *calibration.fake_above_among, 1)
        sound = calibration.temperature > 0 and all(low <= high for low, high in pairwise(thresholds))
        sound = sound and math.isfinite(calibration.temperature) and math.isfinite(calibration.bias)
    except (TypeError, AttributeError) as exc:
        raise CheckpointError(f"The calibration in {where} is not understood ({exc}): calibrate again.") from exc
    if not sound:
        raise CheckpointError(f"The calibration in {where} is out of range: calibrate again.")
    return calibration


def user_file(name: str, sha256: str) -> Path:
    """Where the user's calibration of these weights is kept, whether there is one or not.

    In `virtus/calibrations` of XDG_CONFIG_HOME, else of `~/.config`; by the hash, so that other weights of the same
    name are not calibrated by it.
    """
    # Path.expanduser raises for a user without a home.
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return Path(config) / "virtus" / "calibrations" / re.sub("@[^#]*", "", name).replace("/", "--") / f"{sha256}.json"


def read_user_calibration(name: str, sha256: str) -> Calibration | None:
    """None where the user has made none.

    Raises:
        CheckpointError: if it cannot be used.
    """
    file = user_file(name, sha256)
    try:
        row = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as exc:
        raise CheckpointError(f"Your calibration {file} cannot be read: remove it, or calibrate again.") from exc
    return read_calibration({"calibration": row}, where=str(file))


def store_user_calibration(name: str, sha256: str, calibration: Calibration) -> Path:
    """Keep it, in the place of an older one; the file that it is in.

    Raises:
        InputError: if it cannot be written.
    """
    file = user_file(name, sha256)
    write_whole(file, json.dumps(asdict(calibration), indent=2) + "\n")
    return file


def forget_user_calibration(name: str, sha256: str) -> Path | None:
    """The file that was removed; None where there was none.

    Raises:
        InputError: if it cannot be removed.
    """
    file = user_file(name, sha256)
    try:
        file.unlink()
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise InputError(f"{file} cannot be removed ({exc.strerror}).") from exc
    return file
