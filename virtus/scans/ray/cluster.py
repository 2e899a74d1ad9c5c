"""The cluster: connected to, looked at, and how many workers fit on it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from virtus import __version__
from virtus.errors import InputError

NO_CLUSTER = (
    "There is no Ray cluster to use at {} ({}). Start one by `ray start --head`, and run this on one of its machines "
    "with --ray-address auto."
)
PATIENCE_S = 120  # for a node to start a process and load Virtus
# Measured: 0.6 GB with virtus-fast; one of ViT-base size takes 1.4 GB while it loads.
WORKER_BYTES = 3 * 2**29


@dataclass(frozen=True)
class Workers:
    """Actors of one kind: how many, and what each takes of its node."""

    count: int
    num_cpus: int
    num_gpus: int = 0


@contextlib.contextmanager
def connected(address: str | None = None) -> Iterator[None]:
    """Connected to the cluster at `address` (host:port, or auto), else at RAY_ADDRESS, else to one made here for now.

    A connection that there is already is used, and left.

    Raises:
        InputError: if there is no such cluster.
    """
    if ray.is_initialized():
        yield
        return
    _quieten()
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    _check_listening(address)
    try:
        dashboard = False if address == "local" else None
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, include_dashboard=dashboard)
    except UnicodeEncodeError as exc:  # Ray keeps the command line that a job was started by
        raise InputError(
            "A name on the command line is no UTF-8, which Ray does not take. Give its folder, or @list.txt with it."
        ) from exc
    except Exception as exc:  # Ray raises all kinds, a plain Exception among them
        raise InputError(NO_CLUSTER.format(address, _first_line(exc))) from exc
    try:
        yield
    finally:
        ray.shutdown()


def _check_listening(address: str) -> None:
    """Ray itself tries for minutes."""
    host, _, port = address.rpartition(":")
    if address in ("local", "auto"):
        return
    if not (host and port.isdecimal() and "/" not in address):
        raise InputError(f"The address of a Ray cluster is auto or host:port, not {address!r}.")
    try:
        socket.create_connection((host, int(port)), timeout=10).close()
    except (OSError, OverflowError) as exc:
        raise InputError(NO_CLUSTER.format(address, exc)) from exc


def plan_workers(nodes: Sequence[Mapping[str, float]], count: int | None, device: str) -> tuple[Workers, str]:
    """Workers, and the device of each, for nodes with so many `CPU` and `GPU` and bytes of `memory`.

    By default one worker for each GPU, or where there is none (or `device` is cpu) for each core for whose worker there
    is memory. Cores are shared out evenly: each worker has the most that still lets all of them find a node.

    Raises:
        InputError: for more workers than fit, and for a device that there is not.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"With --engine ray, --device is auto, cpu or cuda, not {device!r}.")
    gpus = 0 if device == "cpu" else sum(int(node.get("GPU", 0)) for node in nodes)
    if device == "cuda" and not gpus:
        raise InputError("The cluster has no GPU. Use --device cpu.")
    places = [int(node.get("GPU" if gpus else "CPU", 0)) for node in nodes]
    count = count or max(sum(map(_num_usual, places, nodes)), 1)
    if count > sum(places):
        what = "GPUs" if gpus else "cores"
        raise InputError(f"{count} workers do not fit on a cluster with {sum(places)} {what}. Ask for fewer.")
    cores = [int(node.get("CPU", 0)) for node in nodes]
    fitting = [
        each
        for each in range(1, max(cores, default=0) + 1)
        if sum(min(place, core // each) for place, core in zip(places, cores, strict=True)) >= count
    ]
    if not fitting:
        raise InputError(f"{count} workers find no core on the cluster. Ask for fewer.")
    return Workers(count, fitting[-1], int(bool(gpus))), "cuda" if gpus else "cpu"


def _num_usual(places: int, node: Mapping[str, float]) -> int:
    return min(places, int(node["memory"] // WORKER_BYTES)) if "memory" in node else places


def nodes_alive() -> list[dict]:
    """The nodes on which something can run, as `ray.nodes()` has them."""
    return [node for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]


def check_nodes(nodes: Sequence[Mapping], path: str | None) -> None:
    """Whether each node has this Virtus, and sees a file that is seen here.

    Raises:
        InputError: naming the first that does not.
    """
    look = ray.remote(num_cpus=0)(_look)
    there = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in nodes]
    answers = [look.options(scheduling_strategy=one).remote(path) for one in there]
    for node, answer in zip(nodes, answers, strict=True):
        _check_answer(node["NodeManagerAddress"], answer, path)


def _look(path: str | None) -> tuple[str, bool]:
    """On a worker: its version of Virtus, and whether it sees the file."""
    return __version__, path is None or Path(path).exists()


def _check_answer(host: str, answer, path: str | None) -> None:
    try:
        version, seen = ray.get(answer, timeout=PATIENCE_S)
    except RayError as exc:
        raise InputError(
            f"Virtus cannot be run on {host} ({last_line(exc)}). Install the same Virtus and Ray on each machine."
        ) from exc
    if version != __version__:
        raise InputError(f"{host} has Virtus {version}, not {__version__}. Install the same on each machine.")
    if not seen:
        raise InputError(
            f"{host} does not see {path}. Put the pictures where every machine has them under the same path, "
            "or in an object store, and give their addresses (s3://...)."
        )


def _quieten() -> None:
    """Leave Ray Data's log to its files: on a terminal it would say how each scan is planned."""
    for handler in logging.getLogger("ray.data").handlers:
        if handler.name == "console":
            handler.setLevel(logging.CRITICAL)


def last_line(exc: Exception) -> str:
    """What it came to: Ray's errors begin with the whole way there."""
    return str(exc).strip().rpartition("\n")[2]


def _first_line(exc: Exception) -> str:
    return str(exc).strip().partition("\n")[0]
