"""`calibrate`: a finished checkpoint calibrated anew, on the pictures that were left for that."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands) -> None:
    calibrate = commands.add_parser("calibrate", help="calibrate a finished checkpoint folder anew, as fit does")
    calibrate.set_defaults(run=run)
    calibrate.add_argument("checkpoint", type=Path, metavar="FOLDER", help="its virtus.json gets the calibration")
    calibrate.add_argument("--data", required=True, help="the same as for fit")


def run(args: argparse.Namespace) -> int:
    from train.report.assessment import val_share
    from train.report.evaluate import held_out
    from virtus.checkpoints.calibration import store_calibration
    from virtus.checkpoints.detector import Detector
    from virtus.checkpoints.load import load_checkpoint
    from virtus.judging.recalibration import recalibrate

    samples = held_out(args.data, part="calibrate", val_share=val_share([str(args.checkpoint)]))
    labelled, sources = [(s.path, s.label) for s in samples], [sample.source for sample in samples]
    found = recalibrate(Detector(load_checkpoint(str(args.checkpoint.resolve()))), labelled, sources)
    store_calibration(args.checkpoint, found.calibration)
    print(f"{found.in_words()}\nkept in {args.checkpoint / 'virtus.json'}")
    return 0
