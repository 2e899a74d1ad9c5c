"""The two checkpoints that come with Virtus: which of them are here, what `auto` means, what each knows and costs.

And those that came with an earlier release: in which one their weights are.
"""

from __future__ import annotations

import functools
import logging
import os
from dataclasses import dataclass
from pathlib import Path

from virtus.bundled import ASSETS

BASE, FAST = "virtus-base", "virtus-fast"
FOLDER = ASSETS / "checkpoints"
ENVIRONMENT_VARIABLE = "VIRTUS_CHECKPOINT"
WORDS = {
    BASE: "knows more kinds of fakes, and takes longer",
    FAST: "knows fewer kinds, and is made for very many pictures, long clips and slow machines",
}
# How many times as fast a scan by the fast one is on a CPU, by the precision of the other: of photos of 1.5 million
# pixels with one face, where most of the time goes into finding it, and of small ones.
TIMES_AS_FAST = {"bfloat16": (1.3, 2.5), "int8": (1.5, 3.5), "float32": (3.6, 10.5)}


@dataclass(frozen=True)
class RetiredCheckpoint:
    """One that came with an earlier release.

    Attributes:
        version: of the last release that has it.
        sha256s: of its weights, the newest first.
    """

    version: str
    sha256s: tuple[str, ...]


RETIRED = {
    "virtus-tiny": RetiredCheckpoint(
        "0.1.0",
        (
            "4ce5d4393bfc40a03c2a417d36d9b41473daa26ef0d66bdd274bb3beb4621a9c",
            "9f8bcf05fe41c6c5c3f4d2f96be13f5779043955be53ae3b5889a367af82cea0",
        ),
    ),
}


def bundled_folder(name: str) -> Path | None:
    """Where a checkpoint lies that comes with Virtus; None for others, and where this installation lacks it."""
    folder = FOLDER / name
    return folder if name in WORDS and (folder / "config.json").is_file() else None


def bundled_names() -> list[str]:
    """Those that are here, the better one first."""
    return [name for name in WORDS if bundled_folder(name)]


def bundled_default() -> str:
    """What `auto` means where nothing else was said."""
    return BASE if bundled_folder(BASE) else FAST


def default_words() -> str:
    """That `auto` is not what it is elsewhere, in a sentence; empty where it is."""
    return "" if bundled_folder(BASE) else f"{BASE} does not come with this installation, so that auto is {FAST}."


def bundled_words() -> list[str]:
    """What is to be known to choose one of them, a sentence each; and which is not here."""
    return [*(f"{name} {words}." for name, words in WORDS.items()), *filter(None, [default_words()])]


def resolve_name(name: str = "auto") -> str:
    """What `auto` stands for; other names as they are."""
    return (os.environ.get(ENVIRONMENT_VARIABLE) or bundled_default()) if name == "auto" else name


@functools.cache
def warn_of_default() -> None:
    """Say once in a process, on stderr unless logging is set up otherwise, that `auto` is not the better one."""
    if (said := default_words()) and not os.environ.get(ENVIRONMENT_VARIABLE):
        logging.getLogger("virtus").warning("virtus: %s", said)


def duration_words(least_s: float, most_s: float | None = None) -> str:
    """A rough time, or the range of one: "40 s", "2 to 5 min", "3.5 h"."""
    most_s = least_s if most_s is None else most_s
    unit_s, unit = next(((s, unit) for s, unit in ((3600, "h"), (60, "min")) if most_s >= 1.5 * s), (1, "s"))
    places = 1 if unit == "h" and most_s < 9.5 * unit_s else 0
    least, most = (f"{value / unit_s:.{places}f}" for value in (least_s, most_s))
    return f"{least} {unit}" if least == most else f"{least} to {most} {unit}"


def retired_words(name: str = "", sha256: str = "") -> str:
    """In which release the weights are that a name or a hash stands for; empty where they are of none before this."""
    for known, retired in RETIRED.items():
        if name == known or sha256 in retired.sha256s:
            return (
                f"{known} came with Virtus up to release {retired.version}; {BASE} and {FAST} took its place. Its "
                f"weights are in assets/checkpoints/{known} of that release: name a copy of that folder instead."
            )
    return ""
