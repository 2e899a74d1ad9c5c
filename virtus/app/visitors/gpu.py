"""Hugging Face's ZeroGPU: a GPU that a Space is lent for one call at a time, in another process.

The package `spaces` makes that process. Before, it only imitates CUDA, from its import on and in the importing thread:
so it is imported here, and `serve` loads the default checkpoint before the app answers, in the thread that started.
"""

from __future__ import annotations

import os
from collections.abc import Callable


def is_lent() -> bool:
    """Whether this is a Space on such hardware."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


if is_lent():
    import spaces


def on_gpu(function: Callable) -> Callable:
    """The function as ZeroGPU wants it; elsewhere the function itself. What it gets is sent to the other process."""
    return spaces.GPU(function) if is_lent() else function
