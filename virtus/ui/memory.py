"""What the C library does with freed memory."""

from __future__ import annotations

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h
MIB = 1024 * 1024
LARGE_BYTES = 16 * MIB
SPARE_BYTES = 64 * MIB


def return_large_blocks() -> None:
    """Let glibc give freed blocks of more than 16 MiB back to the system at once, and hold up to 64 MiB for others.

    By itself it raises its limit with every large block that is freed, and keeps what later ones held: after photos of
    48 million pixels the process stayed 600 MB larger. What lies between two layers is less than 16 MiB: to fetch that
    anew each time took nearly as long as the verdict.
    """
    if sys.platform == "linux":
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other C libraries do not have it
        if mallopt is not None:
            mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
            mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
