"""`card`: the model card of a run, as a file."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands) -> None:
    card = commands.add_parser("card", help="write the model card of a run that was evaluated")
    card.set_defaults(run=run)
    card.add_argument("folder", type=Path, metavar="RUN", help="the --out of fit, with the report of evaluate in it")
    card.add_argument("--out", type=Path, metavar="FILE", help="RUN/checkpoint/README.md by default")


def run(args: argparse.Namespace) -> int:
    from train.publish import write_card

    file = args.out or args.folder / "checkpoint" / "README.md"
    write_card(file, args.folder)
    print(f"The card is in {file}")
    return 0
