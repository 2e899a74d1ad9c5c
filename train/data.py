"""A folder of labelled pictures as a list of samples: class, source, split and group of each."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from virtus.errors import DataError
from virtus.labels import label_from_folders, label_from_name
from virtus.listing import find_pictures
from virtus.results import Label

SPLITS = {"train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    Attributes:
        path: of the file.
        label: its class, from the nearest folder that names one.
        source: the data set it comes from: the folders above class and split, or the root's own name.
        split: "train", "val" or "test"; None where the tree does not say.
        group: pictures that share something (a person, a photo, a video) have the same one; it never crosses splits.
    """

    path: Path
    label: Label
    source: str
    split: str | None
    group: str


def find_samples(root: Path) -> list[Sample]:
    """All labelled pictures below a folder, sorted by path.

    Understood are `Real/ Fake/`, `<split>/Real|Fake` and `<source>/<split>/Real|Fake`, in any case and with the
    synonyms of `virtus.labels`. A `groups.csv` (`file_name,label,group`) beside the class folders gives the groups; a
    picture that it does not name is a group of its own.

    Raises:
        DataError: if there is no such folder, or no labelled picture in it.
    """
    root = Path(root)
    if not root.is_dir():
        raise DataError(f"There is no folder {root}. Give one with Real/ and Fake/ folders in it.")
    groups = _read_groups(root)
    samples = [sample for path in find_pictures(root) if (sample := _sample(path, root, groups)) is not None]
    if not samples:
        raise DataError(f"No labelled pictures below {root}: put them in folders named Real and Fake.")
    return samples


def count_table(samples: list[Sample]) -> str:
    """How many pictures there are, a line for each source and split."""
    counts = Counter((s.source, s.split or "-", s.label) for s in samples)
    rows = sorted({key[:2] for key in counts})
    lines = [f"{source:20} {split:8} {counts[source, split, Label.REAL]:8} {counts[source, split, Label.FAKE]:8}"
             for source, split in rows]  # fmt: skip
    return "\n".join([f"{'source':20} {'split':8} {'real':>8} {'fake':>8}", *lines])


def _sample(path: Path, root: Path, groups: dict[Path, str]) -> Sample | None:
    relative = path.relative_to(root)
    label = label_from_folders(relative)
    if label is None:
        return None
    split = next((SPLITS[part.lower()] for part in relative.parts[:-1] if part.lower() in SPLITS), None)
    names = [p for p in relative.parts[:-1] if p.lower() not in SPLITS and label_from_name(p) is None]
    source = "/".join(names) or root.resolve().name
    return Sample(path, label, source, split, f"{source}/{groups.get(path, relative.as_posix())}")


def _read_groups(root: Path) -> dict[Path, str]:
    return {path: group for file in sorted(root.rglob("groups.csv")) for path, group in _read_group_file(file)}


def _read_group_file(file: Path) -> Iterator[tuple[Path, str]]:
    with file.open(newline="", encoding="utf-8") as stream:
        rows = csv.DictReader(stream)
        if not {"file_name", "group"} <= set(rows.fieldnames or ()):
            raise DataError(f"{file} needs the columns file_name and group.")
        for row in rows:
            yield file.parent / row["file_name"], row["group"]
