"""Faces of the training pictures, found by the engine's own face finder and remembered between runs."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from train.data import Unreadable, spread
from virtus.errors import ImageError
from virtus.faces import MIN_FACE_SIDE, find_faces
from virtus.media import load_image
from virtus.results import Face

FINDER = 2  # counts on where `find_faces` finds faces that it did not before
DEFAULT_CACHE = Path("~/.cache/virtus/faces.jsonl").expanduser()
Faces = Mapping[Path, Face | None]
FaceOrReason = tuple[Face | None, str | None]
"""The largest face of a picture, and why the picture cannot be read; both None for a good one without a face."""


class FaceCache:
    """The largest face of each picture, in a file of JSON lines that only grows.

    A picture is known by its bytes: one that was replaced is looked at again, one that was moved or copied is not. A
    picture without a face has the row `"face": null`, in `"reason"` why it cannot be read, null where it can, and in
    `"finder"` which one found none; where an older one did, the picture is looked at again.
    """

    def __init__(self, file: Path = DEFAULT_CACHE):
        self.file = file
        self._by_content: dict[str, FaceOrReason] = {}
        self._by_path: dict[Path, FaceOrReason] = {}
        for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
            with contextlib.suppress(json.JSONDecodeError):  # the last line of a run that was killed
                row = json.loads(line)
                if row["face"] or row.get("finder") == FINDER:
                    self._by_content[row["key"]] = _read_face(row["face"]), row.get("reason")

    def find(self, paths: Iterable[Path], *, num_workers: int | None = None) -> Faces:
        """The largest usable face of each picture; None where there is none or the picture cannot be read."""
        paths, keys = list(paths), dict[Path, str]()
        for path in paths:
            try:
                keys[path] = hashlib.blake2b(path.read_bytes(), digest_size=16).hexdigest()
            except OSError as exc:
                self._by_path[path] = None, f"The file cannot be read ({exc.strerror or exc})."
        unknown = {key: path for path, key in keys.items() if key not in self._by_content}
        if unknown:
            self._look(unknown, num_workers or os.cpu_count() or 1)
        self._by_path |= {path: self._by_content[key] for path, key in keys.items()}
        return {path: self._by_path[path][0] for path in paths}

    def unreadable(self, paths: Iterable[Path]) -> list[Unreadable]:
        """Those of the pictures that cannot be read, and why. Looks for faces where that was not done yet."""
        paths = list(paths)
        self.find(path for path in paths if path not in self._by_path)
        reasons = {path: self._by_path[path][1] for path in paths}
        return [Unreadable(path, reason) for path, reason in reasons.items() if reason is not None]

    def _look(self, unknown: dict[str, Path], num_workers: int) -> None:
        """Look for faces in pictures that are not remembered, by the hashes of their content."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        looks = spread(_largest_face, unknown.values(), num_workers=num_workers, chunksize=16)
        with self.file.open("a", encoding="utf-8") as stream:
            bar = tqdm(looks, total=len(unknown), desc="faces", unit="img")
            for key, (face, reason) in zip(unknown, bar, strict=True):
                self._by_content[key] = face, reason
                found = {"face": asdict(face)} if face else {"face": None, "reason": reason, "finder": FINDER}
                stream.write(json.dumps({"key": key} | found) + "\n")


def _read_face(row: dict | None) -> Face | None:
    if row is None:
        return None
    landmarks = tuple((x, y) for x, y in row["landmarks"])
    return Face(tuple(row["box_xyxy"]), landmarks, row["confidence"], row["quarter_turns"])


def _largest_face(path: Path) -> FaceOrReason:
    try:
        faces = find_faces(load_image(path), min_side=MIN_FACE_SIDE)
    except ImageError as exc:
        return None, str(exc)
    return (faces[0] if faces else None), None
