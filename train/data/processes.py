"""Work done in several processes at once."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any, TypeVar

from virtus.parallel import on_one_core

Made = TypeVar("Made")


def spread(
    function: Callable[..., Made], *arguments: Iterable[Any], num_workers: int, chunksize: int = 1
) -> Iterator[Made]:
    """What the function gives for each of the arguments, in their order; by one worker, in this process."""
    if num_workers == 1:
        with on_one_core():
            yield from map(function, *arguments)
        return
    gc.collect()  # in a worker the collector would wait for ever for the threads of a dead frame of a clip (PyAV)
    with ProcessPoolExecutor(num_workers, initializer=_use_one_thread) as pool:
        yield from pool.map(function, *arguments, chunksize=chunksize)


def _use_one_thread() -> None:
    """The processes are the parallelism."""
    import torch

    torch.set_num_threads(1)
