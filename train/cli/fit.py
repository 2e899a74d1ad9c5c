"""`fit`: a recipe and labelled pictures to a checkpoint."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from train.config import RECIPES
from virtus.cli import STOPPED


def add_fit(commands: argparse._SubParsersAction) -> None:
    fit = commands.add_parser("fit", help="fine-tune a checkpoint on labelled pictures")
    fit.set_defaults(run=run_fit)
    fit.add_argument("--recipe", choices=sorted(RECIPES), required=True, help="`python -m train recipes` tells of each")
    fit.add_argument("--data", required=True, help="folder of pictures or clips, or a Hub data set id")
    fit.add_argument("--out", type=Path, required=True, help="folder for the checkpoint and all that belongs to it")
    fit.add_argument("--base", help="Hub id or folder to start from, with a head or not; the recipe's own by default")
    fit.add_argument("--resume", action="store_true", help="go on with the run in --out, from its last saved step")
    fit.add_argument("--anyway", action="store_true", help="train although groups cross the splits")
    fit.add_argument("--max-steps", type=int, help="stop after this many steps")
    fit.add_argument("--limit", type=int, help="pictures of each source, split and class; 0 for all")
    fit.add_argument("--early-stopping", type=int, metavar="N", help="stop after N evaluations without gain")
    fit.add_argument("--report-to", choices=("none", "tensorboard"), help="write curves below --out")
    fit.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting of the recipe")


def run_fit(args: argparse.Namespace) -> int:
    config = RECIPES[args.recipe](args.data, args.base)
    names = ("max_steps", "limit", "early_stopping", "report_to")
    given = [f"{name}={getattr(args, name)}" for name in names if getattr(args, name) is not None]
    config = config.override([*given, *args.set])
    from accelerate import PartialState

    from train.fit import fit

    try:
        result = fit(config, out_dir=args.out, resume=args.resume, anyway=args.anyway)
    except KeyboardInterrupt:
        _say_stopped(args.out)
        return STOPPED
    if PartialState().is_main_process:
        print(f"checkpoint: {result.checkpoint}")
        for name, value in sorted(result.chosen_by.items()):
            print(f"  {name} {value:.4f}")
    return 0


def _say_stopped(out_dir: Path) -> None:
    """On a line of its own: the Trainer's bar is still there."""
    from tqdm import tqdm

    from train.fit import is_begun

    how = " The same command with --resume goes on from the last step that was saved." if is_begun(out_dir) else ""
    tqdm.write(f"train: stopped.{how}", file=sys.stderr)
