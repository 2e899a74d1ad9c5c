"""`swap`: a fake made here."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from virtus.errors import DataError


def add(commands) -> None:
    swap = commands.add_parser("swap", help="make a fake: the largest face of one photo, or a part of it, into another")
    swap.set_defaults(run=run)
    swap.add_argument("source", type=Path, help="photo that gives the face")
    swap.add_argument("target", type=Path, help="photo that takes it")
    swap.add_argument("out", type=Path, help="file to write")
    swap.add_argument("--part", default="face", help='face, eyes, nose, mouth, "left half" or "right half" (face)')


def run(args: argparse.Namespace) -> int:
    from train.pictures import swap_face, swap_part
    from virtus.faces import find_faces
    from virtus.media import load_image

    photos = [load_image(path) for path in (args.source, args.target)]
    faces = [next(iter(find_faces(photo)), None) for photo in photos]
    if None in faces:
        raise DataError("Both photos need a face that can be found.")
    (source, target), (source_face, target_face) = photos, faces
    swap = swap_face if args.part == "face" else partial(swap_part, part=args.part)
    swap(source, source_face, target, target_face).image.save(args.out, quality=92)
    return 0
