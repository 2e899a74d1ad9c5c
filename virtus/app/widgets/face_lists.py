"""Lists of faces, and what a click on one of them does to the list itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any, Protocol, TypeVar

import gradio as gr

from virtus.app.visitors import is_under_way


class ShownFace(Protocol):
    """Outputs, a named tuple with the list as its `face`."""

    @property
    def is_as_clicked(self) -> bool:
        """Whether they are of the face that was clicked, in the photo whose list that is."""
        ...

    def _replace(self, /, *, face: Any) -> Any: ...


Shown = TypeVar("Shown", bound=ShownFace)


def leaving_list(choose: Callable[..., Iterator[Shown]], moving: Collection[str]) -> Callable[..., Iterator[Shown]]:
    """The generator function of a click on a list of faces, whose answer leaves the list as it is.

    That says what was clicked since, which is asked for next: moved back, it would lose that click. Only where an
    answer to another question may have moved it, which was under way before, it is told the face.

    Args:
        choose: works where it is lent a GPU; this in the server's own process, which knows what is under way.
        moving: the names of those other events.
    """

    def steps(*values: Any) -> Iterator[Shown]:
        is_moved = any(map(is_under_way, moving))
        for shown in choose(*values):
            yield shown if is_moved or not shown.is_as_clicked else shown._replace(face=gr.skip())

    return steps
