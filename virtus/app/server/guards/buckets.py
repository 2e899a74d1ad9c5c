"""Token buckets: so many a minute for each key, all at once or evenly."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

MAX_KEYS = 10_000  # those that asked last; others start with a full bucket


class Buckets:
    """A bucket of `per_minute` tokens for each key, which fills again in a minute.

    Args:
        clock: seconds, as `time.monotonic`.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic):
        self._size = per_minute
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were so many

    def wait_s(self, key: str) -> float:
        """Seconds until there is a token; 0 if there is one. None is taken."""
        return max(0.0, (1 - self._tokens(key)) * 60 / self._size)

    def take(self, key: str) -> None:
        """Take a token; where there is none, the next one comes later."""
        self._kept[key] = (max(0.0, self._tokens(key) - 1), self._clock())
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_KEYS:
            self._kept.popitem(last=False)

    def _tokens(self, key: str) -> float:
        tokens, when = self._kept.get(key, (self._size, self._clock()))
        return min(self._size, tokens + (self._clock() - when) * self._size / 60)
