"""`doctor`: whether a checkpoint can be trusted, and what it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from virtus.cli.arguments import add_fake_label
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED

if TYPE_CHECKING:
    from virtus.checkpoints import Checkpoint


def add(commands) -> None:
    doctor = commands.add_parser("doctor", help="say whether a checkpoint can be trusted, and why not")
    doctor.set_defaults(run=run)
    doctor.add_argument("name", nargs="?", default="auto", help="a known name, a folder, or a Hub id (default: auto)")
    doctor.add_argument("--list", action="store_true", help="print the known checkpoints, and what is known of them")
    add_fake_label(doctor)


def run(args: argparse.Namespace) -> int:
    from virtus.checkpoints import load_checkpoint
    from virtus.errors import CheckpointError

    if args.list:
        print(_known())
        return ALL_JUDGED
    try:
        checkpoint = load_checkpoint(args.name, device="cpu", precision="float32", fake_label=args.fake_label)
    except CheckpointError as exc:
        print(f"refused: {exc}")
        return SOME_NOT_JUDGED
    print(f"{checkpoint.info.name} can judge.")
    for name, value in _facts(checkpoint).items():
        print(f"  {name:13} {value}")
    return ALL_JUDGED


def _known() -> str:
    """The table of known checkpoints."""
    from virtus.checkpoints import CHECKPOINTS, bundled_words

    rows = [("checkpoint", "family", "judges", "margin", "fake", "licence", "ignored")]
    for name, known in CHECKPOINTS.items():
        margin = str(known.margin) if known.judges == "faces" else ""
        rows.append((name, known.family, known.judges, margin, known.fake_label or "", known.licence, known.unused))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join([*(line.rstrip() for line in lines), *bundled_words()])


def _facts(checkpoint: Checkpoint) -> dict[str, object]:
    from virtus.cli.text import calibration_words, novelty_words

    trunk, transform = checkpoint.trunk, checkpoint.transform
    return {
        "revision": checkpoint.info.revision,
        "sha256": checkpoint.info.sha256,
        "architecture": checkpoint.architecture,
        "parameters": f"{sum(p.numel() for p in trunk.model.parameters()):,}",
        "labels": ", ".join(f"{index} is {label}" for index, label in enumerate(checkpoint.outputs.by_index)),
        "input": f"{'x'.join(map(str, transform.input_size))}, mean {transform.mean}, std {transform.std}",
        "patches": f"{'x'.join(map(str, trunk.grid_size))}, {trunk.num_prefix_tokens} token(s) before them",
        "judges": "whole pictures"
        if checkpoint.judges_pictures
        else f"faces, cut out at {checkpoint.margin} of their box",
        "calibration": calibration_words(checkpoint.info),
        "novelty": novelty_words(checkpoint.novelty),
    }
