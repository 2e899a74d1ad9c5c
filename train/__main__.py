"""`python -m train`: make a checkpoint, and say how good it is."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train.recipes import RECIPES
from virtus.errors import VirtusError


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except VirtusError as exc:
        print(f"train: {exc}", file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_fit(commands)
    return parser


def _add_fit(commands) -> None:
    fit = commands.add_parser("fit", help="fine-tune a checkpoint on a folder of labelled pictures")
    fit.set_defaults(run=_fit)
    fit.add_argument("--recipe", choices=sorted(RECIPES), required=True)
    fit.add_argument("--data", required=True, help="folder: [<source>/][<split>/]Real|Fake, with groups.csv")
    fit.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and all that belongs to it")
    fit.add_argument("--base", help="Hub id or folder to start from; the recipe's own by default")
    fit.add_argument("--max-steps", type=int, default=-1, help="stop after this many steps")
    fit.add_argument("--limit", type=int, default=0, help="pictures of each source, split and class; 0 for all")
    fit.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the recipe")


def _fit(args: argparse.Namespace) -> int:
    config = RECIPES[args.recipe](args.data, args.base)
    config = config.override([f"max_steps={args.max_steps}", f"limit={args.limit}", *args.set])
    from train.trainer import fit

    result = fit(config, out_dir=args.out)
    print(f"checkpoint: {result.checkpoint}")
    for name, value in sorted(result.chosen_by.items()):
        print(f"  {name} {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
