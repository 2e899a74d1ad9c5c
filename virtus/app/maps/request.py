"""Which map of a face is wanted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from virtus.drawing import DEFAULT_OPACITY
from virtus.errors import InputError
from virtus.explain import DEFAULT_METHOD, EXPLAINERS, explain
from virtus.results import Explanation

if TYPE_CHECKING:
    from virtus.checkpoints import TrunkState

TARGETS = ("predicted", "real", "fake")


@dataclass(frozen=True)
class MapRequest:
    """A method, the class it shall speak of, and its options; those that a method does not take are left aside.

    Attributes:
        layer: index of a block, negative from the end.
        head: of the attention, counted from 0; None for all of them, made one by `head_fusion`.

    Raises:
        InputError: on creation, for a value that there is not. What depends on the model is refused by `draw`.
    """

    method: str = DEFAULT_METHOD
    target: str = "predicted"
    opacity: float = DEFAULT_OPACITY
    layer: int = -1
    head: int | None = None
    head_fusion: str = "mean"
    discard_ratio: float = 0.0

    def __post_init__(self):
        if not isinstance(self.method, str) or self.method not in EXPLAINERS:
            raise InputError(f"There is no method {self.method!r}. There are: {', '.join(EXPLAINERS)}.")
        if self.target not in TARGETS:
            raise InputError(f"There is no target {self.target!r}. There are: {', '.join(TARGETS)}.")
        for name in ("opacity", "discard_ratio"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise InputError(f"{name} is a number from 0 to 1, not {value!r}.")

    def by(self, method: str) -> MapRequest:
        """The same by another method."""
        return replace(self, method=method)

    @property
    def label(self) -> str | None:
        """What explainers call the target."""
        return None if self.target == "predicted" else self.target

    def draw(self, state: TrunkState) -> Explanation:
        """The map of the one crop in `state`.

        Raises:
            InputError: for a layer, head or option that there is not.
        """
        options = {name: vars(self)[name] for name in EXPLAINERS[self.method].options if name in vars(self)}
        (found,) = explain(state, method=self.method, target=self.label, **options)
        return found
