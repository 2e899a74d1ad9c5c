"""Inputs of a callback as one typed thing, where Gradio hands over the components' values one by one."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, Concatenate, TypeVar

Inputs = TypeVar("Inputs")
Output = TypeVar("Output")


def taking(kind: type[Inputs], callback: Callable[Concatenate[Inputs, ...], Output]) -> Callable[..., Any]:
    """What an event calls: the first values become a `kind`, a dataclass, and what comes after them stays as it is.

    Values rather than components cross to another process where that is asked for (see `on_gpu`): those of a set of
    components, as Gradio can hand them over too, would not be found there.

    Args:
        callback: a generator function stays one.
    """
    number = len(fields(kind))  # pyright: ignore[reportArgumentType] - there is no public type of dataclasses

    def answer(*values: Any) -> Output:
        return callback(kind(*values[:number]), *values[number:])

    def answers(*values: Any) -> Iterator:
        yield from answer(*values)  # pyright: ignore[reportGeneralTypeIssues] - a generator function's answer

    return answers if inspect.isgeneratorfunction(callback) else answer
