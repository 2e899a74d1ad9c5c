"""Memory of its own for what is kept for minutes, apart from what is needed for milliseconds.

malloc lays both side by side, and a hundred kilobytes that stay keep what is freed around them from becoming one large
block again: what the next photo needs does not fit, and the process grows by free space. What lies here comes from the
system by itself, and goes back to it once nothing refers to it.
"""

from __future__ import annotations

import mmap
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def set_apart(tensors: Sequence[torch.Tensor]) -> tuple[torch.Tensor, ...]:
    """The same values on the CPU, all in one piece of memory that holds nothing else."""
    import torch

    sizes = [tensor.nbytes for tensor in tensors]
    room = torch.frombuffer(_mapped(max(1, sum(sizes))), dtype=torch.uint8)
    places = room[: sum(sizes)].split(sizes)
    return tuple(
        place.view(tensor.dtype).view(tensor.shape).copy_(tensor) for place, tensor in zip(places, tensors, strict=True)
    )


def _mapped(num_bytes: int) -> mmap.mmap:
    """Linux hands over all pages at once: page by page, as they are written, took a quarter longer."""
    if sys.platform != "linux":
        return mmap.mmap(-1, num_bytes)
    return mmap.mmap(-1, num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE)
