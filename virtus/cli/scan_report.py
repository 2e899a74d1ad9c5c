"""`scan PHOTO --report out.html`: the row of one picture, and its written report."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from itertools import islice
from pathlib import Path

from virtus.cli.arguments import load_detector
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED, BesideBar
from virtus.errors import InputError


def run(args: argparse.Namespace) -> int:
    from virtus.media import read_file
    from virtus.reports import Settings, check_place, draft, with_tested_maps
    from virtus.scans import ROWS

    check_place(args.report)
    path = _only(args)
    data, settings = read_file(path), Settings(whole=args.whole_image, prior=args.prior)
    detector = load_detector(args)
    document = draft(detector, data, name=path, settings=settings)
    ROWS[args.format](BesideBar()).write(replace(document.report, path=path))  # before the maps are tested
    page, beside = with_tested_maps(detector, document).save(args.report)
    print(f"virtus: wrote {page} and {beside}", file=sys.stderr)
    return ALL_JUDGED if document.report.outcome.judged else SOME_NOT_JUDGED


def _only(args: argparse.Namespace) -> str:
    from virtus.media import is_video_path, list_files

    if len(args.models) > 1:
        raise InputError("A report is by one checkpoint: give one --model.")
    found = list(islice(list_files(args.paths), 2))
    if len(found) > 1:
        raise InputError("A report is of one picture, and here are several: name one, or leave out --report.")
    if not isinstance(found[0], str):
        raise InputError("A report is of one picture, and this is a zip: unpack it, and name one.")
    if is_video_path(Path(found[0])):
        raise InputError("A report is of one picture, and this is a clip: give a frame of it, or leave out --report.")
    return found[0]
