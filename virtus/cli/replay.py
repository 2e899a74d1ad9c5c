"""`replay`: a written report, run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtus.cli.arguments import add_fake_label
from virtus.models import PRECISIONS

SAME, DIFFERENT = 0, 1  # 2, as for every command: it cannot be replayed


def add(commands) -> None:
    replay = commands.add_parser("replay", help="run a written report again: same outcome, same p?")
    replay.set_defaults(run=run)
    replay.add_argument("report", type=Path, metavar="REPORT.json", help="written by --report, beside the HTML page")
    replay.add_argument("image", metavar="IMAGE", help="the original photo")
    replay.add_argument("--model", help="where the checkpoint is now (default: its name in the report)")
    add_fake_label(replay)
    replay.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    replay.add_argument("--precision", choices=PRECISIONS, help="default: that of the report")
    replay.add_argument("--anyway", action="store_true", help="also when the photo is another file")


def run(args: argparse.Namespace) -> int:
    from virtus.media import read_file
    from virtus.reports import read_record, replay_record

    options = {name: getattr(args, name) for name in ("model", "fake_label", "device", "precision", "anyway")}
    found = replay_record(read_record(args.report), read_file(args.image), **options)
    print("\n".join(found.lines()))
    return SAME if found.same else DIFFERENT
