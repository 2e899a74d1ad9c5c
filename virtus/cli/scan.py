"""`scan`: verdicts on files, folders and globs, however many."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtus.cli import scan_comparison, scan_on_ray, scan_report, scan_rows
from virtus.cli.arguments import count, model_options, prior_option, report_option, stability_option
from virtus.errors import InputError
from virtus.parallel import default_jobs

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
    if scan_on_ray.is_asked(args):
        return scan_on_ray.run(args)
    args.format = _form(args)
    if args.report:
        return scan_report.run(args)
    return (scan_comparison if len(args.models) > 1 else scan_rows).run(args)


def _form(args: argparse.Namespace) -> str:
    """The format of the rows; refuses what cannot be meant."""
    if args.out is None:
        if args.resume:
            raise InputError("--resume goes on with a .jsonl file of rows: name it by --out.")
        return args.format or "table"
    if args.report or len(args.models) > 1:
        raise InputError("--out is for rows by one checkpoint, without --report. Send standard output to a file.")
    by_suffix = FORM_OF_SUFFIX.get(args.out.suffix.lower())
    form = args.format or by_suffix
    if form not in FORM_OF_SUFFIX.values():
        raise InputError(f"How to write {args.out}? Give it the suffix .jsonl or .csv, or say --format json or csv.")
    if by_suffix not in (None, form):
        raise InputError(f"{args.out} would not be {form} by its suffix. Leave out --format, or name another file.")
    if args.resume and form == "csv":
        raise InputError("--resume cannot go on with a CSV. Scan to a .jsonl file instead: --out rows.jsonl --resume.")
    return form
