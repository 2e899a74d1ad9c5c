"""`scan`: verdicts on files, folders and globs, however many."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.cli import scan_on_ray
from virtus.cli.arguments import (
    count,
    load_detector,
    load_detectors,
    model_options,
    prior_option,
    report_option,
    stability_option,
)
from virtus.cli.terminal import (
    ALL_JUDGED,
    SOME_NOT_JUDGED,
    STOPPED,
    BesideBar,
    outcomes_in_words,
    progress,
    say,
    status_of,
)
from virtus.errors import InputError
from virtus.parallel import default_jobs

if TYPE_CHECKING:
    from virtus.checkpoints import Checkpoint, Detector
    from virtus.results import Outcome
    from virtus.scans import CsvRows, JsonRows, Start, TableRows, Writable

LONG_SCAN_S = 30 * 60
MANY_FRAMES = 100
FORM_OF_SUFFIX = {".jsonl": "json", ".ndjson": "json", ".csv": "csv"}


def add(commands) -> None:
    parents = [
        model_options(several="given again, several judge the same faces side by side"),
        prior_option(),
        stability_option(),
        report_option(),
    ]
    scan = commands.add_parser("scan", parents=parents, help="judge files, folders, zips and globs")
    scan.set_defaults(run=run)
    paths = "a picture, a clip, a zip of pictures, a folder (all pictures below it) or a quoted glob"
    scan.add_argument("paths", nargs="+", metavar="PATH", help=paths)
    frames = "of each clip, evenly spaced in time, 300 at most (default: 32)"
    scan.add_argument("--frames", type=count, default=32, metavar="N", help=frames)
    form = "json: one object a line (default: table; with --out by its suffix)"
    scan.add_argument("--format", choices=("table", "json", "csv"), help=form)
    out = "write rows to a .jsonl or .csv file, as they come; ray: to a Parquet file, sorted by path"
    scan.add_argument("--out", type=Path, metavar="FILE", help=out)
    resume = "go on with --out, a .jsonl file, after a stop or a crash"
    scan.add_argument("--resume", action="store_true", help=resume)
    jobs = "pictures read, searched for faces and judged in so many threads (default: one for each core, 8 at most)"
    scan.add_argument("--jobs", type=count, default=default_jobs(), metavar="N", help=jobs)
    scan_on_ray.add_options(scan)


def run(args: argparse.Namespace) -> int:
    from virtus.video import MAX_FRAMES

    if args.frames > MAX_FRAMES:
        raise InputError(
            f"At most {MAX_FRAMES} frames of a clip are judged, not {args.frames}: give a smaller --frames."
        )
    if scan_on_ray.is_asked(args):
        return scan_on_ray.run(args)
    args.format = _form(args)
    if args.report:
        return _write_report(args)
    if len(args.models) > 1:
        return _compare(args)
    detector = load_detector(args, prior=args.prior)
    return _to_file(args, detector) if args.out else _to_stdout(args, detector)


def _form(args: argparse.Namespace) -> str:
    """The format of the rows; refuses what cannot be meant."""
    if args.out is None:
        if args.resume:
            raise InputError("--resume goes on with a .jsonl file of rows: name it by --out.")
        return args.format or "table"
    if args.report or len(args.models) > 1:
        raise InputError("--out is for rows by one checkpoint, without --report. Send standard output to a file.")
    by_suffix = FORM_OF_SUFFIX.get(args.out.suffix.lower())
    form = args.format or by_suffix or ""
    if form not in FORM_OF_SUFFIX.values():
        raise InputError(f"How to write {args.out}? Give it the suffix .jsonl or .csv, or say --format json or csv.")
    if by_suffix not in (None, form):
        raise InputError(f"{args.out} would not be {form} by its suffix. Leave out --format, or name another file.")
    if args.resume and form == "csv":
        raise InputError("--resume cannot go on with a CSV. Scan to a .jsonl file instead: --out rows.jsonl --resume.")
    return form


def _to_stdout(args: argparse.Namespace, detector: Detector) -> int:
    from virtus.media import LeftOut, list_files
    from virtus.scans import Start

    left_out = LeftOut()
    outcomes = _scan(args, detector, Start(list_files(args.paths, left_out)), BesideBar())
    return status_of(outcomes, left_out)


def _to_file(args: argparse.Namespace, detector: Detector) -> int:
    from virtus.media import LeftOut, check_there, list_files
    from virtus.scans import RowsFile, Start, go_on, maker_of

    left_out = LeftOut()
    start = Start(list_files(args.paths, left_out))
    if args.resume:
        start = go_on(args.out, start.remaining, maker_of(detector, _settings(args, detector)))
        if start.num_done:
            print(_resumed(start), file=sys.stderr)
    if start.keep is None:
        check_there(args.paths)
    resumable = args.format == "json"
    try:
        with RowsFile(args.out, keep=start.keep, resumable=resumable) as stream:
            outcomes = start.outcomes + _scan(args, detector, start, stream)
    except KeyboardInterrupt:
        left = "is whole; the same command with --resume goes on with it" if resumable else "has the rows until then"
        print(f"virtus: stopped. {args.out} {left}.", file=sys.stderr)
        return STOPPED
    status = status_of(outcomes, left_out)
    print(f"virtus: {args.out} has rows of {outcomes.total():,}: {outcomes_in_words(outcomes)}", file=sys.stderr)
    return status


def _scan(args: argparse.Namespace, detector: Detector, start: Start, stream: Writable) -> Counter[Outcome]:
    """Judge and write what is still to be done; how many there are of each outcome."""
    from virtus.checkpoints import BASE, FAST, fast_words
    from virtus.media import count_files
    from virtus.video import analyze_files

    rows, outcomes = _rows(args, detector, stream), Counter()
    reports = analyze_files(
        detector,
        start.remaining,
        num_frames=args.frames,
        whole=args.whole_image,
        stability=args.stability,
        jobs=args.jobs,
    )
    if args.frames >= MANY_FRAMES and fast_words(detector.checkpoint, 0):
        say([f"{args.frames} frames of a clip take long with {BASE}: --model {FAST} is made for that."])
    num_files = lambda: count_files(args.paths) + start.num_gone  # noqa: E731 - counted beside the scan
    shown = progress(num_files, done=start.num_done, estimated=partial(_offer_fast, detector.checkpoint))
    for report in shown(reports):
        rows.write(report)
        outcomes[report.outcome] += 1
    return outcomes


def _offer_fast(checkpoint: Checkpoint, seconds: float) -> str:
    """That another checkpoint takes less long, where this one takes so many seconds for all."""
    from virtus.checkpoints import FAST, fast_words

    words = fast_words(checkpoint, seconds) if seconds >= LONG_SCAN_S else ""
    return words and f"All of it takes {words}: --model {FAST}, to another file, begins anew with that."


def _rows(args: argparse.Namespace, detector: Detector, stream: Writable) -> CsvRows | JsonRows | TableRows:
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


def _compare(args: argparse.Namespace) -> int:
    """Several checkpoints on the same faces."""
    from virtus.judging import check_names, compare_paths
    from virtus.media import LeftOut, count_files, list_files
    from virtus.scans import COMPARISON_ROWS, summary

    check_names(args.models)
    detectors, left_out = load_detectors(args, prior=args.prior), LeftOut()
    comparisons = compare_paths(
        detectors, list_files(args.paths, left_out), whole=args.whole_image, stability=args.stability, jobs=args.jobs
    )
    rows, counted, outcomes = COMPARISON_ROWS[args.format](BesideBar()), Counter(), set()
    for comparison in progress(lambda: count_files(args.paths))(comparisons):
        rows.write(comparison)
        counted[comparison.agreement] += 1
        outcomes.update(report.outcome for report in comparison.reports)
    print(summary(counted), file=sys.stderr)
    return status_of(outcomes, left_out)


def _write_report(args: argparse.Namespace) -> int:
    """The row of one picture, and its written report."""
    from virtus.media import read_file
    from virtus.reports import ReportSettings, check_place, draft, with_tested_maps
    from virtus.scans import ROWS

    check_place(args.report)
    path = _only_picture(args)
    data, settings = read_file(path), ReportSettings(whole=args.whole_image, prior=args.prior)
    detector = load_detector(args)
    document = draft(detector, data, name=path, settings=settings)
    ROWS[args.format](BesideBar()).write(replace(document.report, path=path))  # before the maps are tested
    page, beside = with_tested_maps(detector, document).save(args.report)
    print(f"virtus: wrote {page} and {beside}", file=sys.stderr)
    return ALL_JUDGED if document.report.outcome.judged else SOME_NOT_JUDGED


def _only_picture(args: argparse.Namespace) -> str:
    from virtus.media import is_clip, list_files

    if len(args.models) > 1:
        raise InputError("A report is by one checkpoint: give one --model.")
    found = list(islice(list_files(args.paths), 2))
    if len(found) > 1:
        raise InputError("A report is of one picture, and here are several: name one, or leave out --report.")
    if not isinstance(found[0], str):
        raise InputError("A report is of one picture, and this is a zip: unpack it, and name one.")
    if is_clip(found[0]):
        raise InputError("A report is of one picture, and this is a clip: give a frame of it, or leave out --report.")
    return found[0]
