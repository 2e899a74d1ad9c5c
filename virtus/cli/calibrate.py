"""`calibrate`: p and thresholds of a checkpoint, fitted to the user's own pictures."""

from __future__ import annotations

import argparse

from virtus.cli.arguments import checkpoint_names, folder, load_detector, model_options
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED, progress, say

NOT_TRAINED_ON = "If the checkpoint was trained on any of these pictures, p is now far too sure: calibrate on others."


def add(commands) -> None:
    parents = [model_options()]
    calibrate = commands.add_parser("calibrate", parents=parents, help="fit p and thresholds to pictures of your own")
    calibrate.set_defaults(run=run)
    either = calibrate.add_mutually_exclusive_group(required=True)
    data = "a tree with Real/ and Fake/ in it, of pictures that the checkpoint was not trained on; a folder a source"
    either.add_argument("--data", type=folder, metavar="FOLDER", help=data)
    either.add_argument(
        "--forget", action="store_true", help="remove the calibration: yours, or that of a local folder"
    )


def run(args: argparse.Namespace) -> int:
    from virtus.judging import find_labelled, forget_calibration, keep_calibration, recalibrate, source_from_folders

    if args.forget:
        file = forget_calibration(checkpoint_names(args)[0])
        print(f"removed from {file}" if file else "There was no calibration to remove.")
        return ALL_JUDGED
    labelled = find_labelled(args.data, notes := [])
    say(notes)
    sources = [source_from_folders(path.relative_to(args.data)) for path, _ in labelled]
    detector, bar = load_detector(args), progress(len(labelled))
    found = recalibrate(detector, labelled, sources, whole=args.whole_image, progress=bar)
    print(
        f"{found.in_words()}\nkept in {keep_calibration(detector.checkpoint.info, found.calibration)}\n{NOT_TRAINED_ON}"
    )
    return ALL_JUDGED if found.calibration.num_pictures == len(labelled) else SOME_NOT_JUDGED
