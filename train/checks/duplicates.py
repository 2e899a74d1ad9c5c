"""Pictures that are in a data set more than once: the same bytes, or nearly the same to the eye."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from train.data import Sample

MAX_DISTANCE = 4  # of 64 bits: re-saved and rescaled copies lie within it, other photos of the same face do not
ROWS_AT_ONCE = 512


@dataclass(frozen=True)
class Fingerprint:
    """`sha256` of the bytes; `phash`, 64 bits of the picture's coarse look (DCT signs, as ImageHash computes them)."""

    sha256: str
    phash: int


@dataclass(frozen=True)
class Pair:
    """Two samples, by their index, that are the same (`exact`) or nearly."""

    first: int
    second: int
    exact: bool


def perceptual_hash(image: Image.Image) -> int:
    """64 bits; few of them differ between two copies of a picture."""
    import imagehash

    return int(str(imagehash.phash(image)), 16)


def find_pairs(prints: Sequence[Fingerprint], *, max_distance: int = MAX_DISTANCE) -> list[Pair]:
    """All pairs with the same bytes, or whose hashes differ in at most `max_distance` bits."""
    hashes = np.array([one.phash for one in prints], dtype=np.uint64)
    return [
        Pair(first, second, prints[first].sha256 == prints[second].sha256)
        for first, second in _near(hashes, max_distance)
    ]


def count_pairs(pairs: Sequence[Pair], samples: Sequence[Sample]) -> dict[str, int]:
    """How many are exact and near, and of these how many join two classes or two splits."""
    counts = Counter()
    for pair in pairs:
        kind = "exact" if pair.exact else "near"
        first, second = samples[pair.first], samples[pair.second]
        counts[kind] += 1
        counts[f"{kind}_across_classes"] += first.label is not second.label
        counts[f"{kind}_across_splits"] += (first.source, first.split) != (second.source, second.split)
    names = [f"{kind}{where}" for kind in ("exact", "near") for where in ("", "_across_classes", "_across_splits")]
    return {name: counts[name] for name in names}


def _near(hashes: np.ndarray, max_distance: int) -> Iterator[tuple[int, int]]:
    for start in range(0, len(hashes), ROWS_AT_ONCE):
        block = hashes[start : start + ROWS_AT_ONCE]
        distances = np.bitwise_count(block[:, None] ^ hashes[None, start:])
        for row, column in np.argwhere(distances <= max_distance):
            if column > row:
                yield start + int(row), start + int(column)
