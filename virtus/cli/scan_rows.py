"""`scan` by one checkpoint: a row a picture, to standard output or to a file."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from virtus.cli.arguments import load_detector
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED, STOPPED, BesideBar, progress
from virtus.parallel import share_cores

if TYPE_CHECKING:
    from virtus.checkpoints import Detector
    from virtus.scans import CsvRows, JsonRows, Start, TableRows


def run(args: argparse.Namespace) -> int:
    detector = load_detector(args, prior=args.prior)
    return _to_file(args, detector) if args.out else _to_stdout(args, detector)


def _to_stdout(args: argparse.Namespace, detector: Detector) -> int:
    from virtus.media import list_files
    from virtus.scans import Start

    return _scan(args, detector, Start(list_files(args.paths)), BesideBar())


def _to_file(args: argparse.Namespace, detector: Detector) -> int:
    from virtus.media import list_files
    from virtus.scans import RowsFile, Start, go_on, maker_of

    start = Start(list_files(args.paths))
    if args.resume:
        start = go_on(args.out, start.remaining, maker_of(detector, _settings(args, detector)))
        if start.num_done:
            print(_resumed(start), file=sys.stderr)
    resumable = args.format == "json"
    try:
        with RowsFile(args.out, keep=start.keep, resumable=resumable) as stream:
            return _scan(args, detector, start, stream)
    except KeyboardInterrupt:
        left = "is whole; the same command with --resume goes on with it" if resumable else "has the rows until then"
        print(f"virtus: stopped. {args.out} {left}.", file=sys.stderr)
        return STOPPED


def _scan(args: argparse.Namespace, detector: Detector, start: Start, stream) -> int:
    from virtus.media import count_files
    from virtus.video import analyze_files

    share_cores(args.jobs)
    rows, status = _rows(args, detector, stream), ALL_JUDGED if start.all_judged else SOME_NOT_JUDGED
    how = {"whole": args.whole_image, "stability": args.stability, "jobs": args.jobs, "num_frames": args.frames}
    shown = progress(lambda: count_files(args.paths) + start.num_gone, done=start.num_done)
    for report in shown(analyze_files(detector, start.remaining, **how)):
        rows.write(report)
        status = status if report.outcome.judged else SOME_NOT_JUDGED
    return status


def _rows(args: argparse.Namespace, detector: Detector, stream) -> CsvRows | JsonRows | TableRows:
    from virtus.scans import CsvRows, JsonRows, TableRows

    if args.format == "table":
        return TableRows(stream)
    settings = _settings(args, detector)
    return (JsonRows if args.format == "json" else CsvRows)(stream, settings=settings)


def _settings(args: argparse.Namespace, detector: Detector) -> tuple[str, ...]:
    from virtus.scans import settings_of

    return settings_of(detector, whole=args.whole_image, stability=args.stability, num_frames=args.frames)


def _resumed(start: Start) -> str:
    gone = f", {start.num_gone:,} of them not there any more" if start.num_gone else ""
    return f"virtus: {start.num_done:,} pictures were done before{gone}"
