"""Faces of the training pictures, found by the engine's own face finder and remembered between runs."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from train.data import Unreadable
from virtus.errors import ImageError
from virtus.faces import MIN_FACE_SIDE, find_faces
from virtus.media import load_image
from virtus.results import Face

DEFAULT_CACHE = Path("~/.cache/virtus/faces.jsonl").expanduser()


class FaceCache:
    """The largest face of each picture, in a file of JSON lines that only grows.

    A picture is known by its bytes: one that was replaced is looked at again, one that was moved or copied is not. A
    picture without a face has the row `"face": null`, and in `"reason"` why it cannot be read, null where it can; rows
    of older files lack the reason until somebody asks for it.
    """

    def __init__(self, file: Path = DEFAULT_CACHE):
        self.file = file
        self._faces: dict[str, Face | None] = {}
        self._reasons: dict[str, str | None] = {}
        self._keys: dict[Path, str | OSError] = {}
        if file.exists():
            self._read()

    def find(self, paths: Iterable[Path], *, num_workers: int | None = None) -> dict[Path, Face | None]:
        """The largest usable face of each picture; None where there is none or the picture cannot be read."""
        paths = list(paths)
        self._keys |= {path: _key(path) for path in paths}
        unknown = self._one_of_each(paths, without=self._faces)
        if unknown:
            self._look(unknown, num_workers or os.cpu_count() or 1)
        return {path: self._faces.get(self._keys[path]) for path in paths}

    def unreadable(self, paths: Iterable[Path]) -> list[Unreadable]:
        """Those of the pictures that cannot be read, and why. Looks for faces where that was not done yet."""
        paths = list(paths)
        new = [path for path in paths if path not in self._keys]
        if new:
            self.find(new)
        faceless = [path for path in paths if self._faces.get(self._keys[path]) is None]
        unknown = self._one_of_each(faceless, without=self._reasons)
        if unknown:
            with self._appending() as write:
                for path in unknown:
                    write(path, None, _reason(path))
        reasons = {path: self._why(path) for path in faceless}
        return [Unreadable(path, reason) for path, reason in reasons.items() if reason is not None]

    def _one_of_each(self, paths: list[Path], *, without: dict) -> list[Path]:
        """A path for each content that is not in `without` and can be read from the disk."""
        keys = {self._keys[path]: path for path in paths}
        return [path for key, path in keys.items() if isinstance(key, str) and key not in without]

    def _why(self, path: Path) -> str | None:
        key = self._keys[path]
        return self._reasons[key] if isinstance(key, str) else f"The file cannot be read ({key.strerror or key})."

    def _look(self, paths: list[Path], num_workers: int) -> None:
        with self._appending() as write:
            found = spread(_largest_face, paths, num_workers=num_workers, chunksize=16)
            for path, one in zip(paths, tqdm(found, total=len(paths), desc="faces", unit="img"), strict=True):
                write(path, *one)

    @contextlib.contextmanager
    def _appending(self) -> Iterator[Callable[[Path, Face | None, str | None], None]]:
        """What remembers a picture, here and in the file."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with self.file.open("a", encoding="utf-8") as stream:

            def write(path: Path, face: Face | None, reason: str | None) -> None:
                row = {"key": self._keys[path], "face": asdict(face) if face else None}
                row |= {} if face else {"reason": reason}
                self._remember(row["key"], face, row)
                stream.write(json.dumps(row) + "\n")

            yield write

    def _read(self) -> None:
        for line in self.file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the last line of a run that was killed
                continue
            self._remember(row["key"], _face(row["face"]) if row["face"] else None, row)

    def _remember(self, key: str, face: Face | None, row: dict) -> None:
        self._faces[key] = face
        if "reason" in row:
            self._reasons[key] = row["reason"]


def _face(row: dict) -> Face:
    landmarks = tuple(tuple(point) for point in row["landmarks"])
    return Face(tuple(row["box_xyxy"]), landmarks, row["confidence"], row["quarter_turns"])


def _key(path: Path) -> str | OSError:
    """A hash of the bytes, or why they cannot be read."""
    try:
        return hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
    except OSError as exc:
        return exc


def _largest_face(path: Path) -> tuple[Face | None, str | None]:
    """The face, or why the picture cannot be read."""
    try:
        faces = find_faces(load_image(path), min_side=MIN_FACE_SIDE)
    except ImageError as exc:
        return None, str(exc)
    return (faces[0] if faces else None), None


def _reason(path: Path) -> str | None:
    try:
        load_image(path)
    except ImageError as exc:
        return str(exc)
    return None


def spread(function: Callable, *arguments: Iterable, num_workers: int, chunksize: int = 1) -> Iterator:
    """What the function gives for each of the arguments, in their order; by one worker, in this process."""
    if num_workers == 1:
        yield from map(function, *arguments)
        return
    gc.collect()  # in a worker the collector would wait for ever for the threads of a dead frame of a clip (PyAV)
    with ProcessPoolExecutor(num_workers, initializer=calm) as pool:
        yield from pool.map(function, *arguments, chunksize=chunksize)


def calm() -> None:
    """One thread for each process: the processes are the parallelism."""
    import torch

    torch.set_num_threads(1)
