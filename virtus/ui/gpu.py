"""Hugging Face's ZeroGPU: a GPU that a Space is lent for one call at a time, in another process.

The package `spaces` makes that process. Before, it only imitates CUDA, from its import on and in the importing thread:
so it is imported here, and `serve` loads the default checkpoint before the app answers, in the thread that started.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import gradio as gr


def is_lent() -> bool:
    """Whether this is a Space on such hardware."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


if is_lent():
    import spaces


def on_gpu(function: Callable) -> Callable:
    """The function as ZeroGPU wants it; elsewhere the function itself.

    What it gets is sent to the other process. Of an event that can only be its data: it holds the whole page.
    """
    if not is_lent():
        return function
    there = spaces.GPU(function)

    @functools.wraps(function)
    def call(*args, **kwargs):
        return there(*map(_sendable, args), **kwargs)

    @functools.wraps(function)
    def calls(*args, **kwargs):
        yield from there(*map(_sendable, args), **kwargs)

    return calls if inspect.isgeneratorfunction(function) else call


def _sendable(value: Any) -> Any:
    return SimpleNamespace(**value._data) if isinstance(value, gr.EventData) else value
