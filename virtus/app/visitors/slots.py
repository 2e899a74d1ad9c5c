"""Where visitors wait for their turn: the slots in which photos are judged, and the one in which maps are tested."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.app.visitors.gradio_internals import visitor_left
from virtus.errors import InputError
from virtus.explain import measure_in_steps
from virtus.parallel import share_cores
from virtus.results import Explanation, FaceCrop, Faithfulness

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

# More at once would wait for the same cores, and hold their photos in memory meanwhile. Fetching a checkpoint is not
# counted: who waits for the Hub holds up nobody.
NUM_SLOTS = 2
LOAD = Path("/proc/loadavg")  # three means, then how many run of how many threads
_slots = threading.BoundedSemaphore(NUM_SLOTS)
_held: set[object] = set()
_testing = threading.BoundedSemaphore(1)  # some 1,300 passes for a map: verdicts do not wait for it


@contextlib.contextmanager
def judging_slot() -> Iterator[None]:
    """Wait for a slot, and hold it.

    Raises:
        InputError: if the visitor left meanwhile: nobody would read the answer.
    """
    with _slots:
        if visitor_left():
            raise InputError("The visitor left before it was their turn.")
        _held.add(slot := object())
        try:
            yield
        finally:
            _held.remove(slot)


@functools.cache
def num_cores() -> int:
    """Threads that torch computes with where nobody shares them."""
    import torch

    return torch.get_num_threads()


@functools.cache
def share_cores_among_slots() -> None:
    """Give each slot its share, once in a process, however many apps it has."""
    num_cores()
    share_cores(NUM_SLOTS)


@contextlib.contextmanager
def on_free_cores() -> Iterator[None]:
    """For a pass of a model, in a slot: with its share of the cores, and those that nobody uses.

    Threads wait for one another at every layer: beside another visitor, or another program, all cores take longer than
    one by itself. A visitor alone waits little more than half as long for a model of base size.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(num_threads(num_cores(), num_held=len(_held), num_running=_num_running()))
    try:
        yield
    finally:
        torch.set_num_threads(before)


def num_threads(cores: int, *, num_held: int, num_running: int) -> int:
    """Threads to compute with, of so many cores.

    Args:
        num_held: slots that are held, this one among them.
        num_running: threads of this machine that run or could run, this one among them.
    """
    share = max(1, cores // NUM_SLOTS)
    return share if num_held > 1 else max(share, cores + 1 - num_running)


def _num_running() -> int:
    """As Linux tells it, of the whole machine also in a container; where nobody tells, as if all cores were in use."""
    try:
        return max(1, int(LOAD.read_text().split()[3].partition("/")[0]))
    except (OSError, IndexError, ValueError):
        return num_cores()


def hold_against_chance(detector: Detector, crop: FaceCrop, explanations: Sequence[Explanation]) -> list[Faithfulness]:
    """Hold maps of one face against chance, one visitor's step after the other."""
    return [measured for measured in steps_against_chance(detector, crop, explanations) if measured is not None]


def steps_against_chance(
    detector: Detector, crop: FaceCrop, explanations: Sequence[Explanation]
) -> Iterator[Faithfulness | None]:
    """The same in steps, of which None are those that only took time. Between two it is other visitors' turn."""
    steps = measure_in_steps(detector, crop, explanations)
    while True:
        with _testing:
            try:
                step = next(steps)
            except StopIteration:
                return
        yield step
