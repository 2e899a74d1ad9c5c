"""Where visitors wait for their turn: the slots in which photos are judged, and the one in which maps are tested."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from virtus.app.visitors.gradio_internals import visitor_left
from virtus.errors import InputError
from virtus.explain import measure_in_steps
from virtus.results import Explanation, FaceCrop, Faithfulness

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

# More at once would wait for the same cores, and hold their photos in memory meanwhile. Fetching a checkpoint is not
# counted: who waits for the Hub holds up nobody.
NUM_SLOTS = 2
_slots = threading.BoundedSemaphore(NUM_SLOTS)
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
        yield


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
