"""`python -m benchmarks.speed --part growth`: milliseconds of a photo with ever more faces in it."""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from pathlib import Path

from PIL import Image

import virtus
from benchmarks.steps import PHOTO, measure
from virtus.analysis import analyze_photo
from virtus.faces import crop_face, find_faces
from virtus.judging import analyze_photo
from virtus.media import load_image
from virtus.results import Outcome

COUNTS = (1, 4, 16, 64)
CELL = 256


def crowd(count: int) -> Image.Image:
    """A photo of 2048x2048 with so many copies of one face, all of one size."""
    portrait = load_image(PHOTO)
    face = crop_face(portrait, find_faces(portrait)[0], margin=1.6).image.resize((CELL, CELL))
    photo = Image.new("RGB", (8 * CELL, 8 * CELL), "gray")
    for index in range(count):
        photo.paste(face, (index % 8 * CELL, index // 8 * CELL))
    return photo


def report(folder: Path, args: argparse.Namespace) -> None:
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
