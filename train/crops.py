"""Faces of the training pictures, found by the engine's own face finder and remembered between runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from virtus.errors import ImageError
from virtus.faces import MIN_FACE_SIDE, find_faces
from virtus.images import load_image
from virtus.results import Face

DEFAULT_CACHE = Path("~/.cache/virtus/faces.jsonl").expanduser()


class FaceCache:
    """The largest face of each picture, in a file of JSON lines that only grows.

    A picture is known by its path, size and time of change, so that one that was replaced is looked at again.
    """

    def __init__(self, file: Path = DEFAULT_CACHE):
        self.file = file
        self._known = dict(self._read()) if file.exists() else {}

    def find(self, paths: Iterable[Path], *, num_workers: int | None = None) -> dict[Path, Face | None]:
        """The largest usable face of each picture; None where there is none or the picture cannot be read."""
        keys = {path: _key(path) for path in paths}
        unknown = [path for path, key in keys.items() if key not in self._known]
        if unknown:
            self._look(unknown, keys, num_workers or os.cpu_count() or 1)
        return {path: self._known[key] for path, key in keys.items()}

    def _look(self, paths: list[Path], keys: dict[Path, str], num_workers: int) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        with (
            self.file.open("a", encoding="utf-8") as stream,
            ProcessPoolExecutor(num_workers, initializer=calm) as pool,
        ):
            found = pool.map(_largest_face, paths, chunksize=16)
            for path, face in zip(paths, tqdm(found, total=len(paths), desc="faces", unit="img"), strict=True):
                self._known[keys[path]] = face
                stream.write(json.dumps({"key": keys[path], "face": asdict(face) if face else None}) + "\n")

    def _read(self) -> Iterator[tuple[str, Face | None]]:
        for line in self.file.read_text(encoding="utf-8").splitlines():
            try:
                row = json.loads(line)
            except json.JSONDecodeError:  # the last line of a run that was killed
                continue
            yield row["key"], _face(row["face"]) if row["face"] else None


def _face(row: dict) -> Face:
    landmarks = tuple(tuple(point) for point in row["landmarks"])
    return Face(tuple(row["box_xyxy"]), landmarks, row["confidence"], row["quarter_turns"])


def _key(path: Path) -> str:
    stat = path.stat()
    return f"{path.resolve()}|{stat.st_size}|{stat.st_mtime_ns}"


def _largest_face(path: Path) -> Face | None:
    try:
        faces = find_faces(load_image(path), min_side=MIN_FACE_SIDE)
    except ImageError:
        return None
    return faces[0] if faces else None


def calm() -> None:
    """One thread for each process: the processes are the parallelism."""
    import torch

    torch.set_num_threads(1)
