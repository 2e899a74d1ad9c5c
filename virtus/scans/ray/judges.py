"""What travels to the workers, and the actor that judges there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa
import ray
import torch

from virtus.checkpoints import Checkpoint, Detector, load_checkpoint, locate
from virtus.judging import READ_AHEAD, analyze_paths
from virtus.parallel import in_chunks
from virtus.results import CheckpointInfo
from virtus.scans.ray.parquet import to_table
from virtus.scans.ray.stores import StoredFile, fetch, is_address


@dataclass(frozen=True)
class Judging:
    """How every worker is to judge.

    Attributes:
        device: as `load_checkpoint` takes it, on the worker.
        precision: not `auto`: what a row says must not depend on the machine that it was judged on.
        threads: that torch may use in each actor.
        prior, whole, stability: as for `analyze_paths`.
    """

    device: str = "cpu"
    precision: str = "float32"
    threads: int = 1
    prior: float = 0.5
    whole: bool = False
    stability: bool = False


@dataclass(frozen=True)
class Parcel:
    """A checkpoint on its way: its files, and what its name and the user's own calibration say beside them.

    Workers so need neither the Hub nor a folder at the same place, and all judge by the same weights.
    """

    files: dict[str, bytes]
    info: CheckpointInfo
    margin: float
    fake_label: str | None


def pack(model: str) -> Parcel:
    """Find, fetch where needed and try a checkpoint here, before any worker is asked.

    Raises:
        CheckpointError: if it cannot be used.
    """
    checkpoint = load_checkpoint(model, device="cpu", precision="float32")
    _, folder, _ = locate(model)
    files = [file for file in folder.iterdir() if file.suffix in (".json", ".safetensors") and file.is_file()]
    return Parcel(
        {file.name: file.read_bytes() for file in files},
        checkpoint.info,
        checkpoint.margin,
        checkpoint.outputs.fake_label,
    )


def unpack(parcel: Parcel, *, device: str, precision: str) -> Checkpoint:
    """The checkpoint that was packed, loaded."""
    with tempfile.TemporaryDirectory() as folder:
        for name, content in parcel.files.items():
            Path(folder, name).write_bytes(content)
        checkpoint = load_checkpoint(folder, device=device, precision=precision, fake_label=parcel.fake_label)
    return replace(checkpoint, info=parcel.info, margin=parcel.margin)


class Judge:
    """One actor: holds a model, takes tables of paths, gives tables of rows in the same order."""

    def __init__(self, parcel: ray.ObjectRef, judging: Judging):
        torch.set_num_threads(judging.threads)
        checkpoint = unpack(ray.get(parcel), device=judging.device, precision=judging.precision)
        self.detector = Detector(checkpoint, prior=judging.prior)
        self.judging = judging
        self.readers = ThreadPoolExecutor(READ_AHEAD)  # they wait for the store, and need no core

    def __call__(self, table: pa.Table) -> pa.Table:
        paths, sources = ([os.fsdecode(name) for name in table[column].to_pylist()] for column in ("path", "source"))
        whole, stability = self.judging.whole, self.judging.stability
        reports = analyze_paths(self.detector, self._fetched(sources), whole=whole, stability=stability)
        return to_table(replace(report, path=path) for report, path in zip(reports, paths, strict=True))

    def _fetched(self, sources: list[str]) -> Iterator[str | StoredFile]:
        for chunk in in_chunks(sources, READ_AHEAD):
            yield from self.readers.map(_fetched, chunk)


def _fetched(source: str) -> str | StoredFile:
    return fetch(source) if is_address(source) else source
