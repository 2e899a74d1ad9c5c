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
    from train.report import held_out, val_share
    from virtus.checkpoints import Detector, load_checkpoint, store_calibration
    from virtus.judging import recalibrate

    samples = held_out(args.data, part="calibrate", val_share=val_share([str(args.checkpoint)]))
    labelled, sources = [(s.path, s.label) for s in samples], [sample.source for sample in samples]
    found = recalibrate(Detector(load_checkpoint(str(args.checkpoint.resolve()))), labelled, sources)
    file = store_calibration(args.checkpoint, found.calibration)
    print(f"{found.in_words()}\nkept in {file}")
    return 0
