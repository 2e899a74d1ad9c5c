"""Memory of a process that runs for long, with many threads, and sees a large photo now and then."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
MIB = 1024 * 1024
LARGE_BYTES = 16 * MIB
SPARE_BYTES = 64 * MIB
NUM_ARENAS = 2


def bound_memory() -> None:
    """Let glibc hold little of what was freed: no block of more than 16 MiB, up to 64 MiB of others, in two arenas.

    By itself it raises its limit with every large block that is freed, and keeps what later ones held: after photos of
    48 million pixels the process stayed 600 MB larger. And it keeps a store for each of a server's many threads: 500 MB
    after a minute with 16 visitors. What lies between two layers is less than 16 MiB: to fetch that anew each time took
    nearly as long as the verdict.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries do not have it
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
            mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
            mallopt(M_ARENA_MAX, NUM_ARENAS)
