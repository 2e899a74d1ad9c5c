"""Hugging Face's ZeroGPU: a function that needs the GPU says so, where the `spaces` package is there."""

from __future__ import annotations

from collections.abc import Callable


def on_gpu(function: Callable) -> Callable:
    """The function as ZeroGPU wants it; elsewhere the function itself."""
    try:
        import spaces
    except ImportError:
        return function
    return spaces.GPU(function)
