"""The form of a written report's JSON: what each entry of it may be."""

from __future__ import annotations

import math
from collections.abc import Callable

from virtus.results import Outcome


def check(content: dict) -> None:
    """Whether this is the JSON of a record, without schema and digest.

    Raises:
        ValueError: if not; its text says where.
    """
    _compare(content, RECORD)


def _compare(value: object, kind: object, where: str = "it") -> None:
    """A kind is a dict of kinds (the value has just these keys), `[kind]` (it is a list of such), or a test of it."""
    if isinstance(kind, dict):
        if not isinstance(value, dict) or set(value) != set(kind):
            raise ValueError(f"{where} has other entries")
        for name, inner in kind.items():
            _compare(value[name], inner, name)
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise ValueError(f"{where} is no list")
        for one in value:
            _compare(one, kind[0], where)
    elif not kind(value):
        raise ValueError(f"{where} is wrong")


def _is(*types: type) -> Callable[[object], bool]:
    return lambda value: type(value) in types


def _or_none(kind: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: value is None or kind(value)


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def _is_share(value: object) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_prior(value: object) -> bool:
    return _is_share(value) and 0 < value < 1


def _is_hash(value: object) -> bool:
    return type(value) is str and len(value) == 64 and set(value) <= set("0123456789abcdef")


def _is_size(value: object) -> bool:
    return type(value) is list and len(value) == 2 and all(type(side) is int and side > 0 for side in value)


def _is_outcome(value: object) -> bool:
    return type(value) is str and value in set(Outcome)


def _is_words(value: object) -> bool:
    return type(value) is dict and all(type(word) is str for word in value.values())


def _is_face(row: object) -> bool:
    """What a replay reads of a face; the rest is for people."""
    if type(row) is not dict or not {"box_xyxy", "outcome", "p_fake"} <= set(row) or not _is_outcome(row["outcome"]):
        return False
    box, p_fake = row["box_xyxy"], row["p_fake"]
    whole = type(box) is list and len(box) == 4 and all(_is_number(value) for value in box)
    return whole and (_is_share(p_fake) if Outcome(row["outcome"]).judged else p_fake is None)


def _is_report(row: object) -> bool:
    needed = {"outcome", "checkpoint", "prior", "faces"}
    if type(row) is not dict or not needed <= set(row) or type(row["faces"]) is not list:
        return False
    return _is_outcome(row["outcome"]) and _is_checkpoint(row["checkpoint"]) and all(map(_is_face, row["faces"]))


def _is_checkpoint(row: object) -> bool:
    if type(row) is not dict or set(row) != {"name", "revision", "sha256", "calibration"}:
        return False
    named = type(row["name"]) is str and type(row["revision"]) is str
    return named and _is_hash(row["sha256"]) and _or_none(_is(dict))(row["calibration"])


RECORD = {
    "time": _is(str),
    "photo": {
        "name": _is(str),
        "sha256": _is_hash,
        "num_bytes": _is(int),
        "size": _or_none(_is_size),
    },
    "settings": {
        "methods": [_is(str)],
        "target": lambda value: value in ("predicted", "real", "fake"),
        "options": _or_none(_is(dict)),
        "whole": _is(bool),
        "stability": _is(bool),
        "prior": _is_prior,
        "opacity": _is_share,
        "num_mapped": _or_none(_is(int)),
    },
    "device": _is(str),
    "precision": _is(str),
    "versions": _is_words,
    "report": _is_report,
    "provenance": _is(dict),
}
