"""Memory of a process that runs for long and sees a large photo now and then."""

from __future__ import annotations

import ctypes
import sys

M_MMAP_THRESHOLD = -3  # of glibc's malloc.h
THRESHOLD_BYTES = 1024 * 1024


def return_large_blocks() -> None:
    """Let glibc give freed blocks of more than 1 MiB back to the system at once.

    By itself it raises its limit with every large block that is freed, and keeps what later ones held: after photos of
    48 million pixels the process stayed 600 MB larger.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries do not have it
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, THRESHOLD_BYTES)
