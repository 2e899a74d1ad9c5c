"""`novelty`: what a finished checkpoint knows, so that it can say when a face is unlike anything in training."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtus.errors import CheckpointError


def add(commands) -> None:
    novelty = commands.add_parser("novelty", help="let a finished checkpoint say what is unlike its training pictures")
    novelty.set_defaults(run=run)
    novelty.add_argument("checkpoint", type=Path, help="its folder; the statistics are written beside the weights")
    novelty.add_argument("--data", required=True, help="the same as for fit")
    novelty.add_argument("--whole", action="store_true", help="for a checkpoint that is shown whole pictures")


def run(args: argparse.Namespace) -> int:
    from train.data import assign_splits, load_samples, part_of
    from train.fit import add_novelty, thin
    from train.pictures import FaceCache
    from train.report import val_share
    from virtus.checkpoints import FILE, forget_novelty

    if not (args.checkpoint / "config.json").is_file():
        raise CheckpointError(f"{args.checkpoint} is no checkpoint folder: it has no config.json.")
    samples = assign_splits(load_samples(args.data).samples, val_share=val_share([str(args.checkpoint)]))
    forget_novelty(args.checkpoint)  # statistics of earlier weights would keep it from loading
    train = thin([sample for sample in samples if sample.split == "train"])
    held_out = [sample for sample in samples if part_of(sample) == "calibrate"]
    faces = None if args.whole else FaceCache().find([sample.path for sample in (*train, *held_out)])
    found = add_novelty(args.checkpoint, train, held_out, faces)
    print(
        f"{args.checkpoint / FILE}: block {found.block}, threshold {found.threshold:.3f} on {found.num_pictures} faces"
    )
    return 0
