"""Components' values as one typed thing."""

import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from virtus.app.widgets.inputs import taking


@dataclass(frozen=True)
class PointInputs:
    x: int
    y: int


def add(inputs: PointInputs, other: int) -> int:
    return inputs.x - inputs.y + other


def count(inputs: PointInputs) -> Iterator[int]:
    yield from range(inputs.x, inputs.y)


def test_the_first_values_are_the_inputs_and_others_follow():
    assert taking(PointInputs, add)(5, 3, 100) == 102


def test_a_generator_function_stays_one():
    answer = taking(PointInputs, count)
    assert inspect.isgeneratorfunction(answer)
    assert list(answer(1, 4)) == [1, 2, 3]
    assert not inspect.isgeneratorfunction(taking(PointInputs, add))
