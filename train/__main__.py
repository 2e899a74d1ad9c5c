"""`python -m train`: look at data, make a checkpoint, and say how good it is."""

from __future__ import annotations

import argparse
import os
import sys

from train.cli import add_commands
from virtus.cli import exit_status


def main(argv: list[str] | None = None) -> int:
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # large pages, for torch: page faults take half of a step else
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    add_commands(parser.add_subparsers(required=True, metavar="COMMAND"))
    args = parser.parse_args(argv)
    return exit_status(lambda: args.run(args), "train")


if __name__ == "__main__":
    sys.exit(main())
