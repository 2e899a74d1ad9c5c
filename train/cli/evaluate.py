"""`evaluate`: how good a checkpoint is, on pictures that chose nothing."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.cli import any_count
from virtus.errors import DataError

if TYPE_CHECKING:
    from train.data import Sample
    from train.report import JudgedSample
    from virtus.checkpoints import Detector


def add_evaluate(commands: argparse._SubParsersAction) -> None:
    evaluate = commands.add_parser("evaluate", help="figures for each source, on pictures that chose nothing")
    evaluate.set_defaults(run=run_evaluate)
    evaluate.add_argument("checkpoint", nargs="?", help="a run's checkpoint folder, or any name that `virtus` knows")
    evaluate.add_argument("--data", required=True, help="the same as for fit")
    evaluate.add_argument("--out", type=Path, metavar="DIR", help="write the report there")
    parts = ("report", "choose", "calibrate", "all")
    evaluate.add_argument("--part", choices=parts, default="report", help="of what was held out")
    evaluate.add_argument("--compare", nargs="+", default=[], metavar="CHECKPOINT", help="side by side, same pictures")
    evaluate.add_argument("--no-robustness", action="store_true", help="leave out what takes most of a report's time")
    evaluate.add_argument("--limit", type=any_count, default=0, help="pictures of each source and class; 0 for all")


def run_evaluate(args: argparse.Namespace) -> int:
    from train.report import held_out, make_folder, source_table, val_share
    from virtus.checkpoints import Detector, load_checkpoint

    names = [args.checkpoint, *args.compare] if args.checkpoint else args.compare
    if not names:
        raise DataError("Name a checkpoint, or several after --compare.")
    samples = held_out(args.data, part=args.part, val_share=val_share(names), limit=args.limit)
    if args.out:
        make_folder(args.out)
    detectors = [Detector(load_checkpoint(name)) for name in names]  # a wrong name is found out before the judging
    judged = (_compare if len(names) > 1 else _report)(args, detectors, samples)
    if len(names) == 1:
        print(source_table(judged))
    return 0


def _report(args: argparse.Namespace, detectors: list[Detector], samples: list[Sample]) -> Sequence[JudgedSample]:
    """What was judged; with --out, the report folder besides."""
    from train.report import assess, judge, write_report

    (detector,) = detectors
    start = time.perf_counter()
    judged = judge(detector, samples)
    elapsed_s, robustness = time.perf_counter() - start, not args.no_robustness
    if args.out:
        assessment = assess(
            detector, judged, data=args.data, part=args.part, elapsed_s=elapsed_s, robustness=robustness
        )
        write_report(args.out, assessment, detector.checkpoint, data=args.data)
    return judged


def _compare(args: argparse.Namespace, detectors: list[Detector], samples: list[Sample]) -> Sequence[JudgedSample]:
    """What the first one judged; prints the comparison, and with --out writes it."""
    from train.report import compare, write_comparison

    comparison = compare(detectors, samples, data=args.data, part=args.part)
    print(comparison.table())
    if args.out:
        write_comparison(args.out, comparison)
    return comparison.first.judged
