"""Where visitors' files lie while they are kept: a folder of this process's own, swept by age."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from virtus.app.visitors.gradio_internals import get_upload_folder

KEEP_S = 600  # long enough to look at the maps of one photo, and short enough to be promised
CLEAN_EVERY_S = 60
MAX_BYTES = 4 * 2**30
PREFIX, MARK = "virtus-visitors-", ".virtus"


class VisitorFiles:
    """A new folder, for its owner alone, below `parent`. Gradio writes uploads there, and we what is answered.

    Gradio itself deletes by age what was uploaded and handed out as a whole; not what broke off in mid-upload, what
    assistants sent along, or what a server left that was killed. This deletes all that, of other servers too.

    Args:
        max_bytes: of all files together.
        keep_s: seconds from its last change until a file is deleted.
    """

    def __init__(self, parent: Path, *, max_bytes: int = MAX_BYTES, keep_s: float = KEEP_S):
        parent.mkdir(parents=True, exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
        self._max_bytes, self._keep_s = max_bytes, keep_s
        self._num_bytes = 0
        self._own: frozenset[Path] = frozenset()
        self.sweep()

    def hold_all(self) -> None:
        """From now on this is where `upload_folder` says that this process keeps files."""
        global _of_process
        _of_process = self

    def keep_all(self) -> None:
        """What lies here now is the app's own, such as the example photos, and stays."""
        self._own = frozenset(self.folder.rglob("*"))

    def take(self, num_bytes: int) -> bool:
        """Whether there is room for bytes that are about to be written; they are counted then."""
        if self._num_bytes + num_bytes > self._max_bytes:
            return False
        self._num_bytes += num_bytes
        return True

    def sweep(self) -> None:
        """Delete what is too old, here and in folders of servers that are no more, and count what remains."""
        self.folder.mkdir(mode=0o700, exist_ok=True)
        (self.folder / MARK).touch()
        self._num_bytes = sum(map(self._size_or_delete, self._visitors()))
        for mark in self.folder.parent.glob(f"{PREFIX}*/{MARK}"):
            with contextlib.suppress(OSError):  # another server may do the same
                if self._is_old(mark):
                    shutil.rmtree(mark.parent, ignore_errors=True)

    @contextlib.contextmanager
    def swept(self) -> Iterator[None]:
        """Sweep every minute; at the end nothing remains."""
        ended = threading.Event()
        sweeping = threading.Thread(target=self._sweep_until, args=(ended,), daemon=True)
        sweeping.start()
        try:
            yield
        finally:
            ended.set()
            sweeping.join()
            self.remove()

    def remove(self) -> None:
        """All of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _visitors(self) -> list[Path]:
        """Files and folders, those in a folder before it."""
        found = sorted(self.folder.rglob("*"), reverse=True)
        return [path for path in found if path.name != MARK and path not in self._own]

    def _size_or_delete(self, path: Path) -> int:
        """Bytes of what remains; another thread may write or delete here meanwhile."""
        with contextlib.suppress(OSError):
            is_folder, size = path.is_dir() and not path.is_symlink(), path.lstat().st_size
            if not self._is_old(path):
                return 0 if is_folder else size
            path.rmdir() if is_folder else path.unlink()
        return 0

    def _is_old(self, path: Path) -> bool:
        return time.time() - path.lstat().st_ctime > self._keep_s

    def _sweep_until(self, ended: threading.Event) -> None:
        while not ended.wait(CLEAN_EVERY_S):
            self.sweep()


_of_process: VisitorFiles | None = None  # where files of this process's visitors lie, if anywhere


@contextlib.contextmanager
def visitor_files(*, max_bytes: int = MAX_BYTES) -> Iterator[VisitorFiles]:
    """Hand Gradio a folder below GRADIO_TEMP_DIR, else the system's; sweep it every minute; remove it at the end."""
    files = VisitorFiles(Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir()), max_bytes=max_bytes)
    with environment(GRADIO_TEMP_DIR=str(files.folder)), files.swept():
        yield files


@contextlib.contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set variables of the environment, and bring back what they were."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def upload_folder() -> Path:
    """Where visitors' files lie: the folder of the apps that are mounted in this process, else Gradio's."""
    return _of_process.folder if _of_process else Path(get_upload_folder()).resolve()


def answer_folder() -> Path:
    """A new folder among visitors' files, which are emptied by age, for files that are handed out."""
    folder = upload_folder() / secrets.token_hex(16)  # not to be guessed, as Gradio's own are not
    folder.mkdir(parents=True)
    return folder
