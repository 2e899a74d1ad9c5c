"""What commands say beside their results: a progress bar, why they end early, and the exit status."""

from __future__ import annotations

import io
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from virtus.errors import VirtusError

if TYPE_CHECKING:
    from virtus.media import LeftOut
    from virtus.results import Outcome

LINE_EVERY_S = 60  # where stderr is no terminal
ESTIMATE_AFTER_S = 30  # by then it is known what a picture takes

ALL_JUDGED, SOME_NOT_JUDGED, WRONG_USE, STOPPED = 0, 1, 2, 130


def exit_status(command: Callable[[], int], name: str) -> int:
    """Of a command; what ends it early is said in a line that begins with the program's name."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # what it cannot show of a file's name is shown by its code
    try:
        return command()
    except VirtusError as exc:
        print(f"{name}: {exc}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # `virtus scan ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_NOT_JUDGED
    except KeyboardInterrupt:
        print(f"{name}: stopped", file=sys.stderr)
        return STOPPED
    except OSError as exc:  # no room, no right, a file where a folder should be
        if exc.filename is None:
            raise
        print(f"{name}: {exc.filename} cannot be used ({exc.strerror}).", file=sys.stderr)
        return WRONG_USE


def status_of(outcomes: Iterable[Outcome], left_out: LeftOut) -> int:
    """The exit status of a scan; what in folders and zips was not looked at is said on stderr."""
    say(left_out.in_words())
    all_judged = all(outcome.judged for outcome in outcomes) and not left_out.is_grave
    return ALL_JUDGED if all_judged else SOME_NOT_JUDGED


def say(sentences: Iterable[str]) -> None:
    """On stderr, each in a line."""
    from tqdm import tqdm

    from virtus.scans import in_one_line

    for sentence in sentences:
        tqdm.write(in_one_line(f"virtus: {sentence}"), file=sys.stderr)  # where a bar may be


def outcomes_in_words(counts: Counter[Outcome]) -> str:
    """How many there are of each, most frequent first."""
    return ", ".join(f"{number} {outcome}" for outcome, number in counts.most_common())


class BesideBar:
    """Standard output, where lines do not run into a progress bar on the same terminal."""

    def write(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stdout, end="")

    def flush(self) -> None:
        sys.stdout.flush()


def progress(
    total: int | Callable[[], int], *, done: int = 0, estimated: Callable[[float], str] = lambda _: ""
) -> Callable[[Iterable], Iterable]:
    """How many, images/s and time left, on stderr: a bar on a terminal, else a line every minute.

    Args:
        total: a function is asked in the background.
        done: how many of these were done before.
        estimated: gets how many seconds all of them take, once when that is known; what is to be said of it.
    """
    known: list[int] = []
    shown = _bar if sys.stderr.isatty() else _lines

    def show(items: Iterable) -> Iterable:
        _when_known(total, known.append)
        return shown(_estimating(items, known, estimated), known, done)

    return show


def _estimating(items: Iterable, known: list[int], estimated: Callable[[float], str]) -> Iterator:
    begun, is_due = time.monotonic(), True
    for number, item in enumerate(items, start=1):
        yield item
        if is_due and known and (seconds := time.monotonic() - begun) >= ESTIMATE_AFTER_S:
            say(filter(None, [estimated(known[0] * seconds / number)]))
            is_due = False


def _bar(items: Iterable, known: list[int], done: int) -> Iterator:
    from tqdm import tqdm

    bar = tqdm(items, initial=done, total=known[0] if known else None, unit="img")
    for item in bar:
        bar.total = known[0] if known else None
        yield item


def _lines(items: Iterable, known: list[int], done: int) -> Iterator:
    begun = said = time.monotonic()
    for number, item in enumerate(items, start=1):
        yield item
        if (now := time.monotonic()) - said >= LINE_EVERY_S:
            print(progress_line(number, done, known[0] if known else None, now - begun), file=sys.stderr, flush=True)
            said = now


def progress_line(number: int, done: int, total: int | None, seconds: float) -> str:
    """After `number` more than the `done` ones, in so many seconds."""
    from tqdm import tqdm

    rate = number / seconds
    line = f"virtus: {done + number:,}" + (f" of {total:,}" if total else "") + f" done, {rate:.1f} img/s"
    return line + (f", {tqdm.format_interval((total - done - number) / rate)} left" if total else "")


def _when_known(total: int | Callable[[], int], tell: Callable[[int], object]) -> None:
    if isinstance(total, int):
        tell(total)
    else:
        threading.Thread(target=lambda: tell(total()), daemon=True).start()
