"""`scan`: verdicts on files, folders and globs."""

from __future__ import annotations

import argparse

from virtus.arguments import count, load_detector, model_options, prior_option, report_option, stability_option
from virtus.commands import scan_comparison, scan_on_ray, scan_report
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
    paths = "a picture, a clip, a folder (all pictures below it) or a quoted glob"
    scan.add_argument("paths", nargs="+", metavar="PATH", help=paths)
    frames = "of each clip, evenly spaced in time, 300 at most (default: 32)"
    scan.add_argument("--frames", type=count, default=32, metavar="N", help=frames)
    scan.add_argument("--format", choices=("table", "json", "csv"), default="table", help="json: one object a line")
    scan_on_ray.add_options(scan)


def run(args: argparse.Namespace) -> int:
    if scan_on_ray.is_asked(args):
        return scan_on_ray.run(args)
    if args.report:
        return scan_report.run(args)
    if len(args.models) > 1:
        return scan_comparison.run(args)
    from virtus.clip_analysis import analyze_files
    from virtus.listing import list_files
    from virtus.rows import ROWS

    files = list(list_files(args.paths))
    detector = load_detector(args, prior=args.prior)
    rows, status = ROWS[args.format](BesideBar()), ALL_JUDGED
    how = {"whole": args.whole_image, "stability": args.stability, "num_frames": args.frames}
    reports = analyze_files(detector, files, **how)
    for report in progress(len(files))(reports):
        rows.write(report)
        status = status if report.outcome.judged else SOME_NOT_JUDGED
    return status
