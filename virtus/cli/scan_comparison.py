"""`scan --model A --model B`: several checkpoints on the same faces."""

from __future__ import annotations

import argparse
import sys
from collections import Counter

from virtus.cli.arguments import load_detectors
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED, BesideBar, progress
from virtus.parallel import share_cores


def run(args: argparse.Namespace) -> int:
    from virtus.judging import check_names, compare_paths
    from virtus.media import count_files, list_files
    from virtus.scans import COMPARISON_ROWS, summary

    check_names(args.models)
    detectors = load_detectors(args, prior=args.prior)
    share_cores(args.jobs)
    how = {"whole": args.whole_image, "stability": args.stability, "jobs": args.jobs}
    comparisons = compare_paths(detectors, list_files(args.paths), **how)
    rows, counted, status = COMPARISON_ROWS[args.format](BesideBar()), Counter(), ALL_JUDGED
    for comparison in progress(lambda: count_files(args.paths))(comparisons):
        rows.write(comparison)
        counted[comparison.agreement] += 1
        status = status if comparison.reports[0].outcome.judged else SOME_NOT_JUDGED
    print(summary(counted), file=sys.stderr)
    return status
