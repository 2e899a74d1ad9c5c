"""Work done in several threads at once, handed on in order, with little of it ahead."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TypeVar

Given = TypeVar("Given")
Made = TypeVar("Made")

AHEAD = 2  # for each job: one that is worked on, and one that is done and waits or is about to start
MAX_DEFAULT_JOBS = 8


def default_jobs() -> int:
    """One for each core that this process may run on, at most `MAX_DEFAULT_JOBS`: Python runs in one at a time."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_DEFAULT_JOBS)


def share_cores(jobs: int) -> None:
    """Give each of so many threads its share of those that torch computes with: else all fight for all of them."""
    import torch

    torch.set_num_threads(max(1, torch.get_num_threads() // jobs))


def with_own_cores(function: Callable[[Given], Made], items: Sequence[Given]) -> Iterator[Made]:
    """`map(function, items)` in as many threads as torch computes with, each on its own cores.

    All of them on one item after the other wait for one another at every layer: that takes a small model 1.3 times as
    long (docs/benchmarks.md), and many times as long where another program has the cores too. A thread that has one
    core, one of `in_order`'s say, does its items by itself.
    """
    import torch

    yield from in_order(function, items, jobs=max(1, min(torch.get_num_threads(), len(items), MAX_DEFAULT_JOBS)))


@contextlib.contextmanager
def on_one_core() -> Iterator[None]:
    """Compute in this thread alone: for many small steps, one after the other, that would wait for other cores at each.

    Of the main thread only: threads that are started meanwhile have one core too, for good. Others keep what they have.
    """
    import torch

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def in_order(function: Callable[[Given], Made], items: Iterable[Given], *, jobs: int) -> Iterator[Made]:
    """`map(function, items)` in `jobs` threads, each with its share of the cores that torch computes with.

    Items are taken as they are needed: at most `AHEAD * jobs` are in work or wait for those before them. One job is
    done in the thread that asks. Whoever stops early waits for nothing: what has not begun is dropped.
    """
    if jobs == 1:
        yield from map(function, items)
        return
    import torch

    threads = torch.get_num_threads()
    begin = partial(torch.set_num_threads, max(1, threads // jobs))
    pool, waiting = ThreadPoolExecutor(jobs, "virtus", begin), deque[Future[Made]]()
    try:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) == AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        torch.set_num_threads(threads)  # threads that are started later go by the last number set anywhere


def in_chunks(items: Iterable[Given], size: int) -> Iterator[list[Given]]:
    """Lists of `size`; the last may be shorter."""
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
