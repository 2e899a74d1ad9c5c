"""A scan that goes on where it stopped: what its rows depend on, and which pictures have none yet."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.errors import InputError
from virtus.judging import Item
from virtus.scans.rows_file import Maker, Written, as_written, read_rows
from virtus.video import NUM_FRAMES

if TYPE_CHECKING:
    from virtus.checkpoints import Detector


@dataclass(frozen=True)
class Start:
    """Where a scan begins.

    Attributes:
        remaining: what is still to be judged.
        keep: bytes of the file that stay; None where there is no file yet.
        num_done: pictures in them.
        num_gone: of these, files that are not there any more. Their rows stay.
        all_judged: whether all of them were.
    """

    remaining: Iterable[Item]
    keep: int | None = None
    num_done: int = 0
    num_gone: int = 0
    all_judged: bool = True


def settings_of(detector: Detector, *, whole: bool, stability: bool, num_frames: int = NUM_FRAMES) -> tuple[str, ...]:
    """What a verdict depends on beside the weights and the prior, in a few words for every row."""
    info, dtype = detector.checkpoint.info, detector.checkpoint.trunk.dtype
    words = [str(dtype).removeprefix("torch.")]
    words += ["whole_image"] if whole else []
    words += ["stability"] if stability else []
    words += [f"frames_{num_frames}"] if num_frames != NUM_FRAMES else []
    words += [f"calibration_{_digest(info.calibration.used())}"] if info.calibration else []
    return tuple(words)


def maker_of(detector: Detector, settings: tuple[str, ...]) -> Maker:
    """Who makes the rows of this detector."""
    return Maker(detector.checkpoint.info.sha256, detector.prior, settings)


def go_on(path: Path, items: Iterable[Item], maker: Maker) -> Start:
    """What a file of JSON Lines lacks, by the order of the items: nothing is held of those that are done.

    The rows must be of the first items, one after the other. A file that was removed since keeps its row; one that is
    new among the done ones is refused, for its row would have to stand between theirs. New ones after them are judged.
    A file whose content was changed keeps the row of what it was.

    Args:
        path: where there is no such file, all is to be done.

    Raises:
        InputError: if it holds rows of another maker, of other files, or none at all.
    """
    if not path.exists():
        return Start(items)
    remaining, keep, num_done, num_gone, all_judged = iter(items), 0, 0, 0, True
    ahead = next(remaining, None)
    for written in read_rows(path):
        _check_maker(path, written, maker)
        if ahead is not None and written.path == as_written(str(ahead)):
            ahead = next(remaining, None)
        elif _is_there(written.path):
            raise _changed(path, written, num_done + 1, ahead)
        else:
            num_gone += 1
        num_done, keep, all_judged = num_done + 1, written.end, all_judged and written.judged
    if num_done and num_done == num_gone:
        raise InputError(f"{path} has rows of none of the files that were named. Name the same ones, or another --out.")
    return Start(_with_first(ahead, remaining), keep, num_done, num_gone, all_judged)


def _with_first(first: Item | None, rest: Iterator[Item]) -> Iterator[Item]:
    return rest if first is None else chain([first], rest)


def _check_maker(path: Path, written: Written, maker: Maker) -> None:
    if differs := written.maker.differs(maker):
        raise InputError(f"Rows in {path} were made {differs}. Ask for the same, or name another file.")


def _is_there(path: str) -> bool:
    """Also if it lies in an archive that is there."""
    return os.path.lexists(path) or any(os.path.isfile(parent) for parent in Path(path).parents)  # noqa: PTH113 (see listing.py)


def _changed(path: Path, written: Written, number: int, ahead: Item | None) -> InputError:
    now = "nothing comes there now" if ahead is None else f"{as_written(str(ahead))} comes there now"
    return InputError(
        f"The files are not those that {path} was begun with: picture {number} in it is {written.path}, but {now}. "
        "Name the same ones and move away what is new, or name another --out."
    )


def _digest(used: dict[str, float]) -> str:
    return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:8]
