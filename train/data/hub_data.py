"""A labelled data set on the Hugging Face Hub, or a copy of one in a folder, to pictures in Real/ and Fake/ folders."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from tqdm import tqdm

from train.data.samples import CACHE, SampleSet, Unreadable, find_samples
from virtus.checkpoints import COMMIT, ask_hub
from virtus.errors import DataError
from virtus.labels import label_from_name
from virtus.media import is_image_path
from virtus.results import Label

if TYPE_CHECKING:
    from datasets import Dataset

TABLES = ("*.parquet", "*.tar", "metadata.csv", "metadata.jsonl")
OTHERWISE = "Or save it as a folder with Real/ and Fake/ in it."


def load_from_hub(name: str, *, cache: Path = CACHE / "hub") -> SampleSet:
    """The labelled pictures of a data set on the Hub, fetched now if there is something newer.

    The pictures are written once, with their original bytes. If the Hub cannot be reached, what was written before is
    taken. A commit asked for by its hash and written before is taken without asking the Hub.

    Args:
        name: `owner/name` or `owner/name@revision`.
        cache: gets a folder for each data set, and in it one for each commit.

    Raises:
        DataError: unknown, gated, out of reach and never fetched; no column of pictures; labels that do not say what is
            real and what is fake.
    """
    repo_id, _, revision = name.partition("@")
    commits = cache / repo_id.replace("/", "--")
    newest = commits / f"newest of {(revision or 'main').replace('/', '--')}.txt"
    if not (COMMIT.fullmatch(revision) and _is_written(commits / revision)):
        try:
            commit = _ask_for_commit(name, repo_id, revision)
        except HubUnreachable as exc:
            commit = newest.read_text(encoding="utf-8") if newest.is_file() else ""
            if not commit:
                raise DataError(
                    f"There is no folder {name}. The Hugging Face Hub, which may have a data set of that name, cannot "
                    f"be reached ({exc}). Try again with a network, or give a folder with Real/ and Fake/ in it."
                ) from exc
        if not _is_written(commits / commit):
            _write(name, repo_id, commits / commit, revision=commit)
        newest.write_text(commit, encoding="utf-8")
        revision = commit
    return _read(commits / revision, repo_id)


def load_from_folder(folder: Path, *, cache: Path = CACHE / "hub") -> SampleSet:
    """The same from a copy of a data set, in any form that `datasets` reads."""
    folder = folder.resolve()
    written = cache / f"{folder.name}-{_state_of(folder)}"
    if not _is_written(written):
        _write(str(folder), str(folder), written)
    return _read(written, folder.name)


def has_tables(folder: Path) -> bool:
    """Whether there are files in which data sets on the Hub keep their pictures or labels."""
    return any(next(folder.rglob(pattern), None) for pattern in TABLES)


class HubUnreachable(Exception):
    """The Hub gave no usable answer; the text is a short cause."""


def _ask_for_commit(name: str, repo_id: str, revision: str) -> str:
    """The commit that a revision is now."""
    from huggingface_hub import errors

    try:
        commit, _ = ask_hub(repo_id, revision, kind="dataset")
        return commit
    except errors.RevisionNotFoundError as exc:
        raise DataError(f"{name}: there is no such revision on the Hub.") from exc
    except (errors.RepositoryNotFoundError, errors.HFValidationError) as exc:
        raise DataError(
            f"There is neither a folder {name} nor a data set of that name on the Hugging Face Hub. If it is private "
            "or gated, ask for access on its page and log in with `hf auth login`."
        ) from exc
    except Exception as exc:  # sockets, TLS, a login page of the hotel where JSON was expected: no Hub
        raise HubUnreachable(_first_line(exc)) from exc


def _first_line(exc: BaseException) -> str:
    return (str(exc).strip() or type(exc).__name__).splitlines()[0].rstrip(".")


def _state_of(folder: Path) -> str:
    """A hash of where the folder lies, and of its files' names, sizes and times of change."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [f"{path}|{path.stat().st_size}|{path.stat().st_mtime_ns}" for path in files]
    return hashlib.blake2b("\n".join([str(folder), *rows]).encode(), digest_size=8).hexdigest()


def _is_written(folder: Path) -> bool:
    return (folder / "export.json").is_file()


def _read(written: Path, source: str) -> SampleSet:
    """The samples of what `_write` left."""
    row = json.loads((written / "export.json").read_text(encoding="utf-8"))
    root = written / "data"
    samples = [
        replace(
            sample,
            source=source if sample.source == root.name else f"{source}/{sample.source}",
            group=f"{source}/{sample.path.relative_to(root).as_posix()}",
        )
        for sample in find_samples(root)
    ]
    return SampleSet(samples, [Unreadable(Path(path), reason) for path, reason in row["unreadable"]], row["notes"])


def _write(name: str, place: str, folder: Path, *, revision: str | None = None) -> None:
    """Write the pictures as `data/<split>/Real|Fake/<row>.<suffix>`, and last what could not be written."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    draft = folder.with_name(f"{folder.name}.{os.getpid()}")
    with tempfile.TemporaryDirectory(dir=folder.parent, ignore_cleanup_errors=True) as tables:
        try:
            splits = _load_tables(name, place, revision, tables)
            picture, column, meaning = _find_columns(name, splits)
            unreadable, num_unlabelled = [], 0
            for split, rows in splits.items():
                for index, cell, value in _cells(rows, picture, column, split):
                    label = meaning.get(value)
                    if label is None:
                        num_unlabelled += 1
                    elif reason := _write_picture(draft / "data" / split / label.title(), index, cell):
                        unreadable.append((f"{name}/{split}/{index}", reason))
            notes = [f"{name}: {num_unlabelled} rows without a label are left out."] if num_unlabelled else []
            if not any((draft / "data").glob("*/*/*")):
                raise DataError(f"{name} has no picture with a label that could be read. {OTHERWISE}")
            (draft / "export.json").write_text(json.dumps({"unreadable": unreadable, "notes": notes}), encoding="utf-8")
            shutil.rmtree(folder, ignore_errors=True)
            draft.rename(folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def _load_tables(name: str, place: str, revision: str | None, tables: str) -> dict[str, Dataset]:
    """Its splits; what they are turned into goes to the folder `tables`, what is fetched to the Hub's own cache."""
    import datasets
    from datasets.exceptions import DataFilesNotFoundError

    try:
        splits = datasets.load_dataset(place, revision=revision, cache_dir=tables)
        return {str(name): rows for name, rows in dict(splits).items()}
    except DataFilesNotFoundError as exc:
        raise DataError(f"{name} has no files that `datasets` can read. {OTHERWISE}") from exc
    except Exception as exc:  # whatever its many readers raise, and a connection that breaks
        raise DataError(
            f"{name} cannot be loaded ({_first_line(exc)}). What was fetched is kept: try again. {OTHERWISE}"
        ) from exc


def _find_columns(name: str, splits: dict[str, Dataset]) -> tuple[str, str, dict[object, Label]]:
    """The columns of pictures and of labels, known by their types, and what each label's value means."""
    import datasets

    features = next(iter(splits.values())).features
    pictures = [column for column, feature in features.items() if isinstance(feature, datasets.Image)]
    if not pictures:
        raise DataError(f"{name} has no column of pictures, only {', '.join(features)}. {OTHERWISE}")
    named: dict[str, dict] = {
        column: dict(enumerate(f.names)) for column, f in features.items() if isinstance(f, datasets.ClassLabel)
    }
    texts = [c for c, f in features.items() if isinstance(f, datasets.Value) and f.dtype in ("string", "large_string")]
    for column in texts:
        values = {value for rows in splits.values() for value in rows.unique(column)} - {None, ""}
        named[column] = {value: value for value in values}
    for column, names in named.items():
        meaning = {value: label for value, text in names.items() if (label := label_from_name(text)) is not None}
        if len(meaning) == len(names) and set(meaning.values()) == set(Label):
            return pictures[0], column, meaning
    seen = "; ".join(f"{column}: {', '.join(sorted(names.values())[:5])}" for column, names in named.items())
    raise DataError(
        f"{name} has no column that says Real or Fake by name ({seen or 'no column has names'}). "
        f"Give its labels such names. {OTHERWISE}"
    )


def _cells(rows: Dataset, picture: str, column: str, split: str) -> Iterator[tuple[int, dict | None, object]]:
    """Number, undecoded picture and label of each row."""
    import datasets

    rows = rows.select_columns([picture, column]).cast_column(picture, datasets.Image(decode=False))
    for index, row in enumerate(tqdm(rows, desc=split, unit="img")):
        assert isinstance(row, dict)
        yield index, row[picture], row[column]


def _write_picture(folder: Path, index: int, cell: dict | None) -> str | None:
    """Write the original bytes; why that cannot be done, if so."""
    data, path = (cell or {}).get("bytes"), (cell or {}).get("path")
    try:
        data = Path(path).read_bytes() if data is None and path else data
    except OSError as exc:
        return f"The file cannot be read ({exc.strerror or exc})."
    if not data:
        return "The row has no picture."
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{index:07}{_suffix(data, path)}").write_bytes(data)
    return None


def _suffix(data: bytes, path: str | None) -> str:
    """The file's own, or one by its content; .jpg for what is no picture, so that it is found to be broken."""
    if path and is_image_path(Path(path)):
        return Path(path).suffix.lower()
    try:
        with Image.open(io.BytesIO(data)) as image:
            suffix = f".{image.format}".lower()
    except Exception:  # see virtus.media.images
        return ".jpg"
    return suffix if is_image_path(Path(f"a{suffix}")) else ".jpg"
