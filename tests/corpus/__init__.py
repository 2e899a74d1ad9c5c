"""More than a thousand files that are broken, or mean harm: made by a seeded script, a file for each family.

Made from the example photos and from pictures and clips drawn here. Nothing in them is of anybody else.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.corpus.bombs import bombs, heavy_pictures
from tests.corpus.broken import cut, flipped, lengths_changed
from tests.corpus.clips import clips
from tests.corpus.dimensions import dimensions
from tests.corpus.disguises import disguises
from tests.corpus.inputs import BadInput, Expected
from tests.corpus.metadata import metadata
from tests.corpus.zips import zips

__all__ = ["FAMILIES", "HEAVY", "BadInput", "Expected", "make_inputs", "write_inputs"]

FAMILIES: dict[str, Callable[[random.Random], Iterator[BadInput]]] = {
    "cut": cut,
    "flipped": flipped,
    "lengths": lengths_changed,
    "disguises": disguises,
    "dimensions": dimensions,
    "bombs": bombs,
    "metadata": metadata,
    "clips": clips,
    "zips": zips,
}
HEAVY = {"large": heavy_pictures}
"""Pictures just within the limits, which take seconds and hundreds of MiB each."""


def make_inputs(seed: int = 0, *, heavy: bool = False) -> dict[str, list[BadInput]]:
    """Name of each family to its files, always the same for a seed and the versions of the libraries."""
    families = FAMILIES | (HEAVY if heavy else {})
    return {name: list(family(random.Random(f"{seed} {name}"))) for name, family in families.items()}


def write_inputs(folder: Path, inputs: list[BadInput]) -> dict[Path, BadInput]:
    """Write them into a folder, each under its own name, with a number before it."""
    folder.mkdir(parents=True)
    written = {folder / f"{number:04}-{one.name}": one for number, one in enumerate(inputs)}
    for path, one in written.items():
        path.write_bytes(one.data)
    return written
