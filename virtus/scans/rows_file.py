"""A file of rows that holds whole pictures whatever stops the program, and where a scan goes on in such a file."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.checkpoints import DEFAULT_MARGIN, retired_words
from virtus.errors import InputError
from virtus.judging import Item
from virtus.results import Outcome
from virtus.scans.rows import SETTINGS
from virtus.video import NUM_FRAMES

if TYPE_CHECKING:
    from virtus.checkpoints import Detector

try:
    import fcntl
except ImportError:  # Windows: two scans that write to one file are not told apart there
    fcntl = None

# A file that begins otherwise is somebody else's: not a byte of it may be cut off.
BEGINNINGS = (b'{"path": "', b'{"kind": "video", "path": "')


@dataclass(frozen=True)
class Maker:
    """All that rows must have in common to stand in one file.

    Attributes:
        sha256: of the weights.
        prior: see `virtus.checkpoints.detector.Detector`.
        settings: see `settings_of`.
    """

    sha256: str
    prior: float
    settings: tuple[str, ...]

    def differs(self, now: Maker) -> str:
        """In words, what is not as it is `now`."""
        parts = []
        if self.sha256 != now.sha256:
            parts.append(f"by the weights with sha256 {self.sha256[:12]}, not {now.sha256[:12]}")
        if self.prior != now.prior:
            parts.append(f"with --prior {self.prior}, not {now.prior}")
        if self.settings != now.settings:
            parts.append(f"with the settings {', '.join(self.settings)}, not {', '.join(now.settings)}")
        return " and ".join(parts)


@dataclass(frozen=True)
class Written:
    """A picture that is whole in a file of rows.

    Attributes:
        path: as the file system has it: bytes that are no UTF-8 are surrogates again, as which JSON has them.
        outcome: of the picture.
        end: how many bytes of the file it and all before it take.
    """

    path: str
    maker: Maker
    outcome: Outcome
    end: int


class RowsFile:
    """What `virtus.scans.rows` writes to. Used as a context, it leaves a file that ends with a whole picture.

    What was written is put into the file by `flush`, and counts from then on. A program that is killed in between
    leaves a cut last line at most: `read_rows` does not count it, and the next `RowsFile` begins before it.

    Args:
        keep: bytes of the file that stay; the rest is cut off.
        resumable: whether `read_rows` can read it, which is said of a file that is there already.

    Raises:
        InputError: if it cannot be written, is being written by another scan, or, with `keep` None, is there already.
    """

    def __init__(self, path: Path, *, keep: int | None, resumable: bool):
        self.path, self.end, self._gathered = path, keep or 0, []
        self._aim = self.end  # where the file ends once all that was flushed is in it
        try:
            self._stream = path.open("xb" if keep is None else "r+b", buffering=0)
        except FileExistsError as exc:
            way_on = "Go on with it by --resume, or name another file." if resumable else "Name another file."
            raise InputError(f"{path} is there already. {way_on}") from exc
        except OSError as exc:
            raise _unwritable(path, exc) from exc
        self._lock()
        self._cut()

    def write(self, text: str) -> None:
        self._gathered.append(text)

    def flush(self) -> None:
        data = as_written("".join(self._gathered)).encode()
        self._gathered.clear()
        self._aim = self.end + len(data)
        try:
            self._write_all(data)
        except OSError as exc:
            raise _unwritable(self.path, exc) from exc
        self.end = self._aim

    def __enter__(self) -> RowsFile:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream.tell() == self._aim:  # stopped after the last byte, before it was counted
            self.end = self._aim
        self._cut()
        self._stream.close()

    def _write_all(self, data: bytes) -> None:
        left = memoryview(data)
        while left:
            left = left[self._stream.write(left) :]

    def _cut(self) -> None:
        self._stream.truncate(self.end)
        self._stream.seek(self.end)

    def _lock(self) -> None:
        try:
            if fcntl:
                fcntl.flock(self._stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            raise InputError(f"Another scan is writing to {self.path}. Wait for it, or name another file.") from exc
        except OSError:  # a file system without locks
            pass


def as_written(text: str) -> str:
    """As UTF-8 can hold it. In JSON the codes of what it cannot hold are what JSON itself has for them."""
    return text.encode("utf-8", "backslashreplace").decode()


def read_rows(path: Path) -> Iterator[Written]:
    """The whole pictures in a file of JSON Lines, one by one. A last line without its end is not read.

    Raises:
        InputError: if it cannot be read, or holds anything else.
    """
    try:
        with path.open("rb") as stream:
            if not any(begin.startswith(stream.peek(len(begin))[: len(begin)]) for begin in BEGINNINGS):
                raise _foreign(path, 1)
            yield from _read_lines(path, stream)
    except OSError as exc:
        raise InputError(
            f"{path} cannot be read ({exc.strerror}). Check its permissions, or name another file."
        ) from exc


def _read_lines(path: Path, stream: Iterator[bytes]) -> Iterator[Written]:
    end = 0
    for number, line in enumerate(stream, start=1):
        if not line.endswith(b"\n"):
            return
        end += len(line)
        try:
            row = json.loads(line)
            maker = Maker(row["checkpoint"]["sha256"], row["prior"], tuple(row[SETTINGS]))
            yield Written(os.fspath(row["path"]), maker, Outcome(row["outcome"]), end)
        except (ValueError, KeyError, TypeError) as exc:
            raise _foreign(path, number) from exc


@dataclass(frozen=True)
class Start:
    """Where a scan begins.

    Attributes:
        remaining: what is still to be judged.
        keep: bytes of the file that stay; None where there is no file yet.
        outcomes: of the pictures in them.
        num_gone: of these, files that are not there any more. Their rows stay.
    """

    remaining: Iterable[Item]
    keep: int | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)
    num_gone: int = 0

    @property
    def num_done(self) -> int:
        """Pictures in the bytes that stay."""
        return self.outcomes.total()

    @property
    def all_judged(self) -> bool:
        """Whether all of these were."""
        return all(outcome.judged for outcome in self.outcomes)


def settings_of(detector: Detector, *, whole: bool, stability: bool, num_frames: int = NUM_FRAMES) -> tuple[str, ...]:
    """What a verdict depends on beside the weights and the prior, in a few words for every row."""
    checkpoint = detector.checkpoint
    margin, calibration, novelty = checkpoint.crop_margin(whole=whole), checkpoint.info.calibration, checkpoint.novelty
    words = [checkpoint.trunk.precision]
    words += ["whole_image"] if margin is None else []
    words += [f"fake_label_{label}"] if (label := checkpoint.outputs.fake_label) is not None else []
    words += ["stability"] if stability else []
    words += [f"frames_{num_frames}"] if num_frames != NUM_FRAMES else []
    words += [f"margin_{margin}"] if margin not in (None, DEFAULT_MARGIN) else []
    words += [f"calibration_{_digest(calibration.used())}"] if calibration else []
    words += [f"novelty_{novelty.digest()}"] if novelty else []
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
    remaining, keep, outcomes, num_gone = iter(items), 0, Counter[Outcome](), 0
    ahead = next(remaining, None)
    for written in read_rows(path):
        _check_maker(path, written, maker)
        if ahead is not None and written.path == str(ahead):
            ahead = next(remaining, None)
        elif _is_there(written.path):
            raise _changed(path, written, outcomes.total() + 1, ahead)
        else:
            num_gone += 1
        outcomes[written.outcome] += 1
        keep = written.end
    if num_gone and outcomes.total() == num_gone:
        raise InputError(f"{path} has rows of none of the files that were named. Name the same ones, or another --out.")
    return Start(remaining if ahead is None else chain([ahead], remaining), keep, outcomes, num_gone)


def _check_maker(path: Path, written: Written, maker: Maker) -> None:
    if differs := written.maker.differs(maker):
        said = f"Rows in {path} were made {differs}. Ask for the same, or name another file."
        raise InputError(f"{said} {retired_words(sha256=written.maker.sha256)}".strip())


def _is_there(path: str) -> bool:
    """Also if it lies in an archive that is there."""
    return os.path.lexists(path) or any(os.path.isfile(parent) for parent in Path(path).parents)  # noqa: PTH113 (see listing.py)


def _changed(path: Path, written: Written, number: int, ahead: Item | None) -> InputError:
    now = "nothing comes there now" if ahead is None else f"{as_written(str(ahead))} comes there now"
    return InputError(
        f"The files are not those that {path} was begun with: picture {number} in it is "
        f"{as_written(written.path)}, but {now}. Name the same ones and move away what is new, or name another --out."
    )


def _digest(used: dict[str, float]) -> str:
    return hashlib.sha256(json.dumps(used, sort_keys=True).encode()).hexdigest()[:8]


def _foreign(path: Path, number: int) -> InputError:
    return InputError(f"Row {number} of {path} is none that this scan would write. Name another file.")


def _unwritable(path: Path, exc: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({exc.strerror}). Mend that; what is in it already stays.")
