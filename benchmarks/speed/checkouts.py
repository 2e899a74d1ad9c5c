"""Scans by this checkout and by another one, in turns: `python -m benchmarks.speed.checkouts DATA --other FOLDER`.

Photos of 12 million pixels with a face each, every second one stored on its side, as telephones do; with `--whole`
pictures of 128x128, judged as they are. Each checkout judges in a process of its own, with one thread; milliseconds
are of a core. Faces are those of 48 pixels a side at least.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from benchmarks import parser
from benchmarks.faces.__main__ import overlap
from benchmarks.scanning import make_pictures
from benchmarks.speed.material import photo_with, val_pictures
from virtus.bundled import ASSETS
from virtus.parallel import in_chunks

SIZE, SIDES, QUALITY = (4000, 3000), (160, 2400), 90  # of the photos, and of the small pictures in them
CLASSES = ((48, 400), (400, 800), (800, 4000))  # widths of the largest face
STORED_SIDEWAYS = 6  # EXIF 2.32, section 4.6.5 A
SAME = 0.5  # overlap of two boxes of one face
JUDGE = """
import json, sys, time, torch
torch.set_num_threads(1)
from virtus.checkpoints import Detector, load_checkpoint
from virtus.judging import analyze_paths
detector = Detector(load_checkpoint(sys.argv[1], device="cpu"))
for line in sys.stdin:
    start = time.process_time()
    reports = list(analyze_paths(detector, json.loads(line), whole=len(sys.argv) > 2))
    print(json.dumps([1000 * (time.process_time() - start), [report.to_json() for report in reports]]), flush=True)
"""


class Scan(NamedTuple):
    """Of some pictures: milliseconds, and of each its judged faces, boxes with p, largest first."""

    ms: float
    faces: list[list[tuple[tuple[float, ...], float]]]


class Checkout:
    """A checkout at work, in a process of its own."""

    def __init__(self, folder: Path, model: str, *, whole: bool):
        command = [sys.executable, "-c", JUDGE, model, *(["whole"] if whole else [])]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, text=True)

    def scan(self, paths: Sequence[Path]) -> Scan:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(list(map(str, paths))) + "\n")
        stdin.flush()
        ms, rows = json.loads(stdout.readline())
        faces = [[(tuple(f["box_xyxy"]), f["p_fake"]) for f in row["faces"] if f["p_fake"] is not None] for row in rows]
        return Scan(ms, faces)

    def close(self) -> None:
        self._process.communicate()


def write_large_photos(folder: Path, data: Path, count: int) -> list[Path]:
    paths = [folder / f"{index:04}.jpg" for index in range(count)]
    for index, (path, source) in enumerate(zip(paths, val_pictures(data, count), strict=True)):
        with Image.open(source) as picture:
            photo, exif = photo_with(picture, seed=index, size=SIZE, sides=SIDES), Image.Exif()
        if index % 2:
            photo, exif[0x0112] = photo.transpose(Image.Transpose.ROTATE_90), STORED_SIDEWAYS
        photo.save(path, quality=QUALITY, subsampling=2, exif=exif)
    return paths


def interleaved(checkouts: Sequence[Checkout], paths: Sequence[Path], at_once: int) -> list[list[Scan]]:
    """Of each, its scans of so many pictures at a time; the first is done once more before, and not counted."""
    chunks = list(in_chunks(paths, at_once))
    for checkout in checkouts:
        checkout.scan(chunks[0])
    turns = [[checkout.scan(chunk) for checkout in checkouts] for chunk in chunks]
    return [list(scans) for scans in zip(*turns, strict=True)]


def print_times(name: str, before: Sequence[float], now: Sequence[float]) -> None:
    ratio = statistics.median(old / new for old, new in zip(before, now, strict=True))
    print(f"| {name} | {len(now)} | {np.mean(before):.1f} | {np.mean(now):.1f} |", end="")
    print(f" {sum(before) / sum(now):.2f} ({ratio:.2f}) |", flush=True)


def print_faces(before: Sequence[Scan], now: Sequence[Scan]) -> None:
    """Which faces one found and the other did not, and by how much boxes and p of the others moved."""
    lost, gained, moved, shifts = 0, 0, [], []
    for old, new in ((old.faces[0], new.faces[0]) for old, new in zip(before, now, strict=True)):
        pairs = [(o, n) for o in old for n in new if overlap(o[0], n[0]) >= SAME]
        lost, gained = lost + len(old) - len(pairs), gained + len(new) - len(pairs)
        moved += [abs(o[1] - n[1]) for o, n in pairs]
        shifts += [float(np.abs(np.subtract(o[0], n[0])).max()) for o, n in pairs]
    found = sum(bool(scan.faces[0]) for scan in now)
    print(f"\n{found} of {len(now)} photos with a face, {len(moved)} faces in both, {lost} lost, {gained} gained;")
    print(f"p moved by {np.mean(moved):.4f} in the mean, {max(moved):.4f} at most, {np.mean(np.equal(moved, 0)):.0%}")
    print(f"of them by nothing; boxes by {np.mean(shifts):.2f} px in the mean, {max(shifts):.1f} at most")


def main() -> None:
    options = parser(__doc__, data=True, other=Path(), model=str(ASSETS / "checkpoints/virtus-fast"), photos=48)
    options.add_argument("--whole", action="store_true", help="small pictures, without looking for faces")
    args = options.parse_args()
    checkouts = [Checkout(folder.resolve(), args.model, whole=args.whole) for folder in (args.other, Path.cwd())]
    with tempfile.TemporaryDirectory() as scratch:
        if args.whole:
            make_pictures(Path(scratch), args.photos)
            before, now = interleaved(checkouts, sorted(Path(scratch).iterdir()), 64)
        else:
            before, now = interleaved(checkouts, write_large_photos(Path(scratch), args.data, args.photos), 1)
    for checkout in checkouts:
        checkout.close()
    print("| pictures | number | before, ms | now, ms | times as fast (median) |\n| --- | ---: | ---: | ---: | ---: |")
    times = [(old.ms, new.ms) for old, new in zip(before, now, strict=True)]
    if args.whole:
        print_times("64 of 128x128", *zip(*times, strict=True))
        return
    widths = [new.faces[0][0][0][2] - new.faces[0][0][0][0] if new.faces[0] else 0 for new in now]
    for least, most in CLASSES:
        if chosen := [pair for pair, width in zip(times, widths, strict=True) if least <= width < most]:
            print_times(f"largest face of {least} to {most} px", *zip(*chosen, strict=True))
    print_times("all", *zip(*times, strict=True))
    print_faces(before, now)


if __name__ == "__main__":
    main()
