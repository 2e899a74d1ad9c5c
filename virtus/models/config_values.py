"""Values of a `config.json`, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from virtus.errors import CheckpointError


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value of a JSON file is a whole number from 1 on."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def read_count(config: Mapping, key: str, default: int = 0, *, least: int = 1) -> int:
    value = config.get(key, default)
    if not is_count(value) and not (type(value) is int and value >= least):
        raise unfit(key, value, f"a whole number from {least} on")
    return value


def read_switch(config: Mapping, key: str, *, default: bool) -> bool:
    if not isinstance(value := config.get(key, default), bool):
        raise unfit(key, value, "true or false")
    return value


def read_sides(config: Mapping, key: str) -> tuple[int, int]:
    value = config[key]
    height, width = value if isinstance(value, (list, tuple)) and len(value) == 2 else (value, value)
    if not (is_count(height) and is_count(width)):
        raise unfit(key, value, "a side in pixels, or two")
    return height, width


def unfit(key: str, value: object, wanted: str) -> CheckpointError:
    """What is wrong with an entry of a `config.json`."""
    return CheckpointError(
        f"Its config.json does not describe a model that can judge: {key} is {value!r}, not {wanted}."
    )
