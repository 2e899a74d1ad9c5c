"""What commands say beside their results: a progress bar, and the exit status."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

ALL_JUDGED, SOME_NOT_JUDGED, WRONG_USE, STOPPED = 0, 1, 2, 130


class BesideBar:
    """Standard output, where lines do not run into a progress bar on the same terminal."""

    def write(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stdout, end="")

    def flush(self) -> None:
        sys.stdout.flush()


def progress(total: int) -> Callable[[Iterable], Iterable]:
    """A bar on stderr, where that is a terminal."""
    from tqdm import tqdm

    return lambda items: tqdm(items, total=total, unit="img", disable=not sys.stderr.isatty())
