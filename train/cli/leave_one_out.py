"""`leave-one-out`: a recipe without one kind of fakes after the other, each judged on what it never saw."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from train.config import RECIPES, TrainConfig

if TYPE_CHECKING:
    from train.fit import KindPlan, KindRun, Material
    from train.pictures import FaceCache


def add_leave_one_out(commands: argparse._SubParsersAction) -> None:
    command = commands.add_parser(
        "leave-one-out", help="how a recipe does on kinds of fakes that it never saw, each left out in a run of its own"
    )
    command.set_defaults(run=run_leave_one_out)
    command.add_argument("--recipe", choices=sorted(RECIPES), required=True, help="one that names kinds: virtus-base")
    command.add_argument("--data", required=True, help="the same as for fit")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder for each run, and the table")
    command.add_argument("--base", help="Hub id or folder to start from; the recipe's own by default")
    command.add_argument("--kinds", nargs="+", default=[], metavar="NAME", help="leave out these alone; all by default")
    command.add_argument(
        "--fast", action="store_true", help="fit no blocks: a discriminant on class tokens of the base, in minutes"
    )
    command.add_argument(
        "--part",
        choices=("choose", "report"),
        default="choose",
        help="what is judged: to choose a recipe, what may train or choose; to report, the part that never does",
    )
    command.add_argument("--resume", action="store_true", help="go on with the runs in --out; a finished one is kept")
    command.add_argument("--limit", type=int, help="pictures of each source, split and class; 0 for all")
    command.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="change a setting")


def run_leave_one_out(args: argparse.Namespace) -> int:
    limit = [] if args.limit is None else [f"limit={args.limit}"]
    config = RECIPES[args.recipe](args.data, args.base).override([*limit, *args.set])
    from train.fit import check_kinds, find_last_step, gather, plan
    from train.pictures import FaceCache
    from train.report import begin_left_out, by_classifier, figures_of, left_out_table

    check_kinds(config, args.kinds)
    find_last_step(config, args.out, resume=args.resume)
    cache = FaceCache()
    material = gather(config, anyway=False, cache=cache)
    plans = plan(config, material, args.kinds, args.part)
    begin_left_out(args.out, config, resume=args.resume)
    runs = _runs(args, config, material, plans, cache)
    for classifier, same in by_classifier(runs).items():
        print(f"\n{classifier}\n" if classifier else "")
        print(left_out_table([figures_of(run) for run in same]))
    return 0


def _runs(
    args: argparse.Namespace, config: TrainConfig, material: Material, plans: list[KindPlan], cache: FaceCache
) -> list[KindRun]:
    """Of all kinds, also those that ended before; each is kept, and in the table, as soon as it has ended."""
    from train.fit import fit_frozen_without, fit_without, open_frozen
    from train.report import folder_of, keep_runs, read_runs, write_left_out

    base = open_frozen(config, cache) if args.fast else None
    name = f"{args.part}{'_fast' if args.fast else ''}.json"
    files = {kind: folder_of(args.out, kind) / name for kind in config.kinds}
    runs: list[KindRun] = []
    for left_out in plans:
        file = files[left_out.kind]
        if not file.exists():
            print(f"without {left_out.kind}", flush=True)
            frozen = base and fit_frozen_without(left_out, material, base)
            keep_runs(file, frozen or fit_without(left_out, material, file.parent, cache))
        runs = [run for one in files.values() if one.exists() for run in read_runs(one)]
        write_left_out(args.out, runs, part=args.part)
    return runs
