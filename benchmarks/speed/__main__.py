"""The speed goals, each beside what it is held against, interleaved in one run: `python -m benchmarks.speed DATA`.

`--part` takes one part alone, `--size` one model: with random weights, or a bundled one; base and virtus-fast, if not
given. `--rounds`: of what is timed by itself. `--photos`: in the folder. Of the model alone:
`--crops` in bulk, `--cpu-time` on a machine that others use too.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import torch
from PIL import Image

import virtus
from benchmarks import parser
from benchmarks.speed.families import report_families
from benchmarks.speed.material import SIZES, write_model, write_photos
from benchmarks.speed.model import one_by_one, report_model
from benchmarks.speed.photo import report_photo
from benchmarks.steps import PHOTO, measure
from virtus.checkpoints import bundled_names, locate
from virtus.faces import crop_face, find_faces
from virtus.judging import analyze_paths, analyze_photo
from virtus.media import load_image
from virtus.parallel import default_jobs, in_chunks
from virtus.results import Outcome

NUM_TURNS, GOAL = 10, 2.5  # of the folder
COUNTS = (1, 4, 16, 64)
CELL = 256


def report_folder(folder: Path, args: argparse.Namespace) -> None:
    """Print seconds of each in turns of a tenth of the photos, and the ratio."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    loop, num_faces = one_by_one(folder, margin=detector.checkpoint.margin), [0, 0]

    def own(paths: Sequence[Path]) -> int:
        reports = analyze_paths(detector, paths, jobs=default_jobs())
        return sum(face.outcome.judged for report in reports for face in report.faces)

    def timed(judge: Callable[[Sequence[Path]], int], paths: Sequence[Path], at: int) -> float:
        torch.set_num_threads(os.cpu_count() or 1)
        start = time.perf_counter()
        num_faces[at] += judge(paths)
        return time.perf_counter() - start

    with tempfile.TemporaryDirectory() as photos:
        paths = write_photos(Path(photos), args.data, args.photos)
        loop(paths[:2])
        turns = list(in_chunks(paths, max(1, args.photos // NUM_TURNS)))
        pairs = [(timed(loop, turn, 0), timed(own, turn, 1)) for turn in turns]
    usual, ours = (sum(taken) for taken in zip(*pairs, strict=True))
    print(f"| {args.photos} photos | s | photos/s | faces judged |\n| --- | ---: | ---: | ---: |")
    print(f"| pipeline, MTCNN at 1024 px, one by one | {usual:.0f} | {args.photos / usual:.1f} | {num_faces[0]} |")
    print(f"| Virtus | {ours:.0f} | {args.photos / ours:.1f} | {num_faces[1]} |")
    middle = statistics.median(one / other for one, other in pairs)
    print(f"\nVirtus is {usual / ours:.2f} times as fast (median of the turns {middle:.2f}); the goal is {GOAL}")


def crowd(count: int) -> Image.Image:
    """A photo of 2048x2048 with so many copies of one face, all of one size."""
    portrait = load_image(PHOTO)
    face = crop_face(portrait, find_faces(portrait)[0], margin=1.6).image.resize((CELL, CELL))
    photo = Image.new("RGB", (8 * CELL, 8 * CELL), "gray")
    for index in range(count):
        photo.paste(face, (index % 8 * CELL, index // 8 * CELL))
    return photo


def report_growth(folder: Path, args: argparse.Namespace) -> None:
    """Print milliseconds of a photo and of a face, and how many were judged."""
    detector = virtus.Detector(virtus.load_checkpoint(str(folder), device="cpu", precision=args.precision))
    photos = {count: crowd(count) for count in COUNTS}
    judged = {count: _num_judged(analyze_photo(detector, photo)) for count, photo in photos.items()}
    times = measure(
        {str(count): partial(analyze_photo, detector, photo) for count, photo in photos.items()}, args.rounds
    )
    print("| faces | judged | median ms | ms a face |\n| ---: | ---: | ---: | ---: |")
    for count in COUNTS:
        middle = statistics.median(times[str(count)])
        print(f"| {count} | {judged[count]} | {middle:.0f} | {middle / count:.1f} |")


def _num_judged(report: virtus.results.ImageReport) -> int:
    return sum(face.outcome is not Outcome.FACE_TOO_SMALL for face in report.faces)


PARTS = {
    "model": report_model,
    "photo": report_photo,
    "folder": report_folder,
    "growth": report_growth,
    "families": report_families,
}


def main() -> None:
    options = parser(__doc__, data=True, precision="auto", rounds=10, photos=1000, crops=64)
    options.add_argument("--part", choices=PARTS)
    options.add_argument("--cpu-time", action="store_true")
    options.add_argument("--size", choices=(*SIZES, *bundled_names()))
    args = options.parse_args()
    print(f"{torch.get_num_threads()} threads, load of the machine {os.getloadavg()[0]:.1f} of {os.cpu_count()}")
    for size in [args.size] if args.size else ["base", "virtus-fast"]:
        with tempfile.TemporaryDirectory() as scratch:
            for name in [args.part] if args.part else PARTS:
                if name == "families" and size != "base":
                    continue
                print(f"\n### {size}: {name}\n", flush=True)
                PARTS[name](Path(scratch) if name == "families" else model_folder(size, Path(scratch)), args)


def model_folder(size: str, scratch: Path) -> Path:
    """The bundled checkpoint's, or that of a random model."""
    if size not in SIZES:
        return locate(size)[1]
    if not (scratch / "config.json").exists():
        write_model(scratch, size)
    return scratch


if __name__ == "__main__":
    main()
