"""Reports as a Parquet file: one row a picture, nested and named as in the JSON of a scan."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from virtus.errors import InputError
from virtus.results import ImageReport

ROW_GROUP = 16_384

_NUMBERS = pa.list_(pa.float64())
_WORDS = pa.list_(pa.string())
_CALIBRATION = pa.struct({name: pa.float64() for name in ("temperature", "bias", "real_below", "fake_above")})
_STABILITY = pa.struct(
    {"low": pa.float64(), "high": pa.float64(), "flips": pa.bool_(), "p_fake": pa.map_(pa.string(), pa.float64())}
)
_CHECKPOINT = pa.struct(
    {"name": pa.string(), "revision": pa.string(), "sha256": pa.string(), "calibration": _CALIBRATION}
)
_FACE = pa.struct(
    {
        "box_xyxy": _NUMBERS,
        "p_fake": pa.float64(),
        "outcome": pa.string(),
        "confidence": pa.float64(),
        "cautions": _WORDS,
        "novelty": pa.float64(),
        "stability": _STABILITY,
        "reason": pa.string(),
    }
)
SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "outcome": pa.string(),
        "checkpoint": _CHECKPOINT,
        "prior": pa.float64(),
        "image_size": pa.list_(pa.int32()),
        "faces": pa.list_(_FACE),
        "reason": pa.string(),
    }
)
"""What `ImageReport.to_json` says, by name; null where it says nothing."""


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
