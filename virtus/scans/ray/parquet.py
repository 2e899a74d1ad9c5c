"""Reports as a Parquet file: one row a picture, nested and named as in the JSON of a scan."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import NoneType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import is_typeddict

from virtus.errors import InputError
from virtus.results import ImageReport
from virtus.schema import Row, row_type

ROW_GROUP = 16_384

_SCALARS = {bool: pa.bool_(), int: pa.int32(), float: pa.float64()}


def arrow_type(kind: Any) -> pa.DataType:
    """That of a type as `virtus.schema.row_type` makes them: what is no number or nested is a text."""
    kind, *_ = [one for one in get_args(kind) if one is not NoneType] if get_origin(kind) is Union else [kind]
    if is_typeddict(kind):
        return pa.struct({name: arrow_type(inner) for name, inner in get_type_hints(kind).items()})
    if get_origin(kind) is list:
        return pa.list_(arrow_type(get_args(kind)[0]))
    if get_origin(kind) is dict:
        return pa.map_(pa.string(), arrow_type(get_args(kind)[1]))
    return _SCALARS.get(kind, pa.string())


def schema_of(report: type[Row]) -> pa.Schema:
    """A column for each key of its JSON; null where that says nothing."""
    return pa.schema(list(arrow_type(row_type(report))))


SCHEMA = schema_of(ImageReport)


def to_table(reports: Iterable[ImageReport]) -> pa.Table:
    """One row a picture, in their order."""
    rows = [report.to_json() for report in reports]
    return pa.Table.from_pylist([row | {"path": printable(row["path"])} for row in rows], schema=SCHEMA)


def printable(path: str) -> str:
    r"""The path as text: bytes of a name that are no UTF-8 become \xNN."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


@contextlib.contextmanager
def whole_parquet(file: Path) -> Iterator[_Rows]:
    """A Parquet file to write to, which is there, under its name, only once all is written.

    Raises:
        InputError: if it cannot be written.
    """
    if file.is_dir():
        raise InputError(f"{file} is a folder. Name a file for the rows, such as {file / 'rows.parquet'}.")
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        with _writing(file):
            writer = pq.ParquetWriter(part, SCHEMA, compression="zstd")
        rows = _Rows(writer, file)
        with writer:
            yield rows
            rows.flush()
        with _writing(file):
            part.replace(file)
    finally:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


class _Rows:
    """Tables gathered until they are worth a row group."""

    def __init__(self, writer: pq.ParquetWriter, file: Path):
        self.writer = writer
        self.file = file
        self.waiting: list[pa.Table] = []

    def write(self, table: pa.Table) -> None:
        self.waiting.append(table)
        if sum(map(len, self.waiting)) >= ROW_GROUP:
            self.flush()

    def flush(self) -> None:
        if self.waiting:
            with _writing(self.file):
                self.writer.write_table(pa.concat_tables(self.waiting))
        self.waiting = []


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise InputError(f"{file} cannot be written ({exc.strerror or exc}).") from exc
