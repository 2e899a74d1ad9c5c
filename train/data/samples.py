"""What users give as their data, as a list of samples: class, source, split and group of each."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from virtus.errors import DataError
from virtus.labels import class_folder, label_from_folders, split_from_folder, unlabelled_in_words
from virtus.media import find_pictures
from virtus.results import Label

CACHE = Path("~/.cache/virtus").expanduser()
NOTHING_LABELLED = "No labelled pictures below {}: put them in folders named Real and Fake."


@dataclass(frozen=True)
class Sample:
    """One labelled picture.

    Attributes:
        path: of the file.
        label: its class, from the nearest folder that names one.
        source: the data set it comes from: the folders above class and split, or the root's own name.
        split: "train", "val" or "test"; None where the tree does not say.
        group: pictures that share something (a person, a photo, a video) have the same one; it never crosses splits.
        clip: of a face cut from a clip, the name of that clip's folder, for the files in all of these have the same
            names; "" for a picture.
    """

    path: Path
    label: Label
    source: str
    split: str | None
    group: str
    clip: str = ""


@dataclass(frozen=True)
class Unreadable:
    """A file that gave nothing, and a sentence that says why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class SampleSet:
    """What there is in a data set.

    Attributes:
        samples: pictures, and crops of the faces in clips.
        unreadable: clips that cannot be read or show no face, and rows of a Hub data set without a picture. Pictures
            are not opened here: `train.pictures.face_cache.FaceCache.unreadable` says which of them are broken.
        notes: sentences on what was left out or is only partly there, for whoever started the run.
    """

    samples: list[Sample]
    unreadable: list[Unreadable] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


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
    pictures = find_pictures(root)
    samples = label_files(pictures, root, read_groups(root))
    if not samples:
        raise DataError(nothing_labelled(root, pictures))
    return samples


def nothing_labelled(root: Path, pictures: Sequence[Path]) -> str:
    """That no picture below the folder has a class, and what to do."""
    unlabelled = unlabelled_in_words(path.relative_to(root) for path in pictures)
    return f"{NOTHING_LABELLED.format(root)} {unlabelled}".rstrip()


def count_table(samples: list[Sample]) -> str:
    """How many pictures there are, a line for each source and split."""
    counts = Counter((s.source, s.split or "-", s.label) for s in samples)
    rows = sorted({key[:2] for key in counts})
    lines = [f"{source:20} {split:8} {counts[source, split, Label.REAL]:8} {counts[source, split, Label.FAKE]:8}"
             for source, split in rows]  # fmt: skip
    return "\n".join([f"{'source':20} {'split':8} {'real':>8} {'fake':>8}", *lines])


def take_evenly(
    samples: Iterable[Sample],
    num: int,
    *,
    kind: Callable[[Sample], Hashable] = lambda sample: (sample.source, sample.label),
) -> list[Sample]:
    """At most `num` samples of each kind, evenly taken; a kind is a source and class unless told otherwise."""
    by_kind = defaultdict(list)
    for sample in samples:
        by_kind[kind(sample)].append(sample)
    counts = [(same, min(num, len(same))) for same in by_kind.values()]
    return [same[index * len(same) // count] for same, count in counts for index in range(count)]


def label_files(paths: Iterable[Path], root: Path, groups: dict[Path, str]) -> list[Sample]:
    """The files that stand below a folder with the name of a class, as samples."""
    return [sample for path in paths if (sample := _sample(path, root, groups)) is not None]


def read_groups(root: Path) -> dict[Path, str]:
    """The group of each file that a `groups.csv` below the folder names.

    Raises:
        DataError: naming the file that is no such table.
    """
    return {path: group for file in sorted(root.rglob("groups.csv")) for path, group in _existing(file).items()}


def _existing(file: Path) -> dict[Path, str]:
    """Those of the files that are there; some may have been left out of the tree, but a table of none is of another.

    Raises:
        DataError: if it names files, and none of them is there: what it keeps apart would not be.
    """
    named = dict(_read_group_file(file))
    found = {path: group for path, group in named.items() if path.exists()}
    if named and not found:
        name = next(iter(named)).relative_to(file.parent)
        raise DataError(f"{file} names no file that is there, such as {name}: names are relative to its own folder.")
    return found


def _sample(path: Path, root: Path, groups: dict[Path, str]) -> Sample | None:
    relative = path.relative_to(root)
    label = label_from_folders(relative)
    if label is None:
        return None
    folders = relative.parts[:-1]
    split = next(filter(None, map(split_from_folder, folders)), None)
    names = [name for at, name in enumerate(folders) if at != class_folder(relative) and not split_from_folder(name)]
    source = "/".join(names) or root.resolve().name
    return Sample(path, label, source, split, f"{source}/{groups.get(path, relative.as_posix())}")


def _named(folder: Path, name: str) -> Path:
    """The file of that name, which may have been written on Windows."""
    path = folder / name
    return path if path.exists() else folder / name.replace("\\", "/")


def _read_group_file(file: Path) -> Iterator[tuple[Path, str]]:
    try:
        with file.open(newline="", encoding="utf-8-sig") as stream:  # Excel writes a mark in front
            rows = csv.DictReader(stream)
            if not {"file_name", "group"} <= set(rows.fieldnames or ()):
                raise DataError(f"{file} needs the columns file_name and group, separated by commas.")
            for row in rows:
                if row["file_name"] is None or row["group"] is None:
                    raise DataError(f"{file} has no group in line {rows.line_num}. Give one, or leave the line out.")
                if row["group"]:
                    yield _named(file.parent, row["file_name"]), row["group"]
    except UnicodeDecodeError as exc:
        raise DataError(f"{file} is not UTF-8 text. Save it again as UTF-8.") from exc
    except (csv.Error, OSError) as exc:
        raise DataError(f"{file} cannot be read as a table ({exc}). Save it again as UTF-8 with commas.") from exc
