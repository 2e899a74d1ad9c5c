"""The user's own calibrations, of checkpoints whose folder is not theirs to write to: bundled ones and the Hub's."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path

from virtus.checkpoints.calibration import read_calibration, write_whole
from virtus.errors import CheckpointError, InputError
from virtus.results import Calibration


def user_file(name: str, sha256: str) -> Path:
    """Where the calibration of these weights is kept, whether there is one or not.

    In `virtus/calibrations` of XDG_CONFIG_HOME, else of `~/.config`; by the hash, so that other weights of the same
    name are not calibrated by it.
    """
    # Path.expanduser raises for a user without a home.
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")  # noqa: PTH111
    return Path(config) / "virtus" / "calibrations" / name.partition("@")[0].replace("/", "--") / f"{sha256}.json"


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
