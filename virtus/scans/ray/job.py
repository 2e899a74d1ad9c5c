"""One scan on a cluster: from paths and addresses to a sorted Parquet file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import ray.data
from ray.exceptions import RayError

from virtus.checkpoints import check_prior
from virtus.errors import InputError, VirtusError
from virtus.media import ArchivedFile, LeftOut, RefusedArchive, list_files, read_list
from virtus.parallel import in_chunks
from virtus.results import Outcome
from virtus.scans.ray.cluster import Workers, check_nodes, connected, last_line, nodes_alive, plan_workers
from virtus.scans.ray.judges import Judge, Judging, Parcel, pack
from virtus.scans.ray.parquet import printable, whole_parquet
from virtus.scans.ray.stores import is_address, list_objects

BLOCK = 128  # paths at most that an actor takes at a time: what is judged again when it dies
BLOCKS_EACH = 4  # at least, for each worker, so that none stands idle at the end


def list_sources(arguments: Iterable[str], left_out: LeftOut | None = None) -> list[str]:
    """Files, folders, globs, addresses of objects and of folders in stores, and lists, to sorted paths and addresses.

    "@list.txt" stands for the lines of that file, unless there is a file of the whole name.

    Args:
        left_out: gets what else lies in folders; in stores by its name alone.

    Raises:
        InputError: if a store cannot be asked, a list not be read, or for a zip.
    """
    left_out = LeftOut() if left_out is None else left_out
    return sorted((source for argument in arguments for source in _meant_by(argument, left_out)), key=printable)


def _meant_by(argument: str, left_out: LeftOut) -> Iterable[str]:
    if is_address(argument):
        return list_objects(argument, left_out)
    if argument.startswith("@") and not Path(argument).exists():
        return read_list(Path(argument[1:]))
    return map(_path, list_files([argument], left_out))


def _path(item: str | ArchivedFile | RefusedArchive) -> str:
    if not isinstance(item, str):
        raise InputError(f"{item} is in a zip, or is one. Unpack it, or leave out --engine ray.")
    return item


def scan_on_ray(
    sources: Iterable[str],
    out: Path,
    *,
    model: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    prior: float = 0.5,
    whole: bool = False,
    stability: bool = False,
    num_workers: int | None = None,
    address: str | None = None,
) -> Iterator[Outcome]:
    """Judge paths and addresses on a cluster, and write a row for each to a Parquet file, in their order.

    Args:
        sources: as `list_sources` gives them. Paths are read by the workers.
        out: the file, which is there only once all is written.
        device: `auto` (GPUs where the cluster has some), `cpu` or `cuda`.
        precision: `auto` is float32: rows must not depend on the machine that judged.
        num_workers: actors; by default one for each GPU, else for each core.
        address: of the cluster's head, host:port; by default RAY_ADDRESS, else a cluster on this machine, for now.

    Yields:
        Outcomes, as rows come.

    Raises:
        InputError, CheckpointError: before anything is judged, for what cannot be used.
    """
    sources = list(sources)
    if not sources:
        raise InputError("There is nothing to scan. Give pictures, folders or addresses.")
    check_prior(prior)
    parcel = pack(model)
    with whole_parquet(out) as rows, connected(address):
        nodes = nodes_alive()
        workers, device = plan_workers([node["Resources"] for node in nodes], num_workers, device)
        check_nodes(nodes, _seen_here(sources))
        precision = "float32" if precision == "auto" else precision
        judging = Judging(device, precision, workers.num_cpus, prior, whole, stability)
        for table in _judged(_blocks(sources, workers.count), workers, parcel, judging):
            rows.write(table)
            yield from map(Outcome, table["outcome"].to_pylist())


def _seen_here(sources: list[str]) -> str | None:
    """One file that there is on this machine."""
    return next((path for path in map(_whole_path, sources) if Path(path).exists()), None)


def _whole_path(source: str) -> str:
    """A path that does not depend on the folder that a process stands in; an address as it is."""
    return source if is_address(source) else str(Path(source).absolute())


def _judged(blocks: Iterable[pa.Table], workers: Workers, parcel: Parcel, judging: Judging) -> Iterator[pa.Table]:
    """A table of rows for each table of paths, in their order."""
    blocks = list(blocks)
    dataset = ray.data.from_arrow(blocks)
    dataset.context.execution_options.preserve_order = True
    dataset.context.enable_progress_bars = False
    dataset = dataset.map_batches(
        Judge,
        fn_constructor_args=(ray.put(parcel), judging),
        batch_size=None,
        batch_format="pyarrow",
        compute=ray.data.ActorPoolStrategy(size=min(workers.count, len(blocks))),
        num_cpus=workers.num_cpus,
        num_gpus=workers.num_gpus,
    )
    try:
        yield from dataset.iter_batches(batch_size=None, batch_format="pyarrow")
    except RayError as exc:
        raise VirtusError(f"A worker failed, and with it the scan ({last_line(exc)}).") from exc


def _blocks(sources: list[str], num_workers: int) -> Iterator[pa.Table]:
    each = min(BLOCK, -(-len(sources) // (BLOCKS_EACH * num_workers)))
    for paths in in_chunks(sources, each):
        columns = {"path": paths, "source": map(_whole_path, paths)}
        # As bytes: names need not be UTF-8.
        yield pa.table({name: pa.array(map(os.fsencode, values), pa.binary()) for name, values in columns.items()})
