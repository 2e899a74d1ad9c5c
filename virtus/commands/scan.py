"""`scan`: verdicts on files, folders and globs."""

from __future__ import annotations

import argparse

from virtus.arguments import load_detector, model_options, prior_option, report_option, stability_option
from virtus.commands import scan_comparison, scan_report
from virtus.terminal import ALL_JUDGED, SOME_NOT_JUDGED, BesideBar, progress


def add(commands) -> None:
    parents = [
        model_options(several="given again, several judge the same faces side by side"),
        prior_option(),
        stability_option(),
        report_option(),
    ]
    scan = commands.add_parser("scan", parents=parents, help="judge files, folders and globs")
    scan.set_defaults(run=run)
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a folder (all below it) or a quoted glob")
    scan.add_argument("--format", choices=("table", "json", "csv"), default="table", help="json: one object a line")


def run(args: argparse.Namespace) -> int:
    if args.report:
        return scan_report.run(args)
    if len(args.models) > 1:
        return scan_comparison.run(args)
    from virtus.analysis import analyze_paths
    from virtus.listing import list_files
    from virtus.rows import ROWS

    files = list(list_files(args.paths))
    detector = load_detector(args, prior=args.prior)
    rows, status = ROWS[args.format](BesideBar()), ALL_JUDGED
    reports = analyze_paths(detector, files, whole=args.whole_image, stability=args.stability)
    for report in progress(len(files))(reports):
        rows.write(report)
        status = status if report.outcome.judged else SOME_NOT_JUDGED
    return status
