"""One source by folds of its groups: `python -m benchmarks.folds DATA --base BASE [--source ffpp_c23] [--folds 4]`.

For a source whose held-out part is of too few people to say anything. All of its groups, those of `val` too, are dealt
to folds of about as many pictures; for each fold the recipe is trained without it, on all that the other sources have,
and judges it. What is printed is of all folds together, as `python -m benchmarks.by_method` has it: of the recipe, by
as many runs, and not of the bundled weights.

`--first` folds alone (0 for all), `--steps` of each run, `--limit` pictures of each source, split and class; `--out`
keeps trees and runs: asked for again, those that are done are not trained anew.
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks import parser
from benchmarks.by_method import print_methods
from train.data import Sample, find_samples
from train.report import JudgedSample, held_out, judge
from virtus.checkpoints import Detector, load_checkpoint

TREE, RUN = "data", "run"


def deal(samples: Sequence[Sample], folds: int) -> list[set[str]]:
    """The groups of each fold: the largest first, each to the fold that has the fewest pictures until then."""
    counts, dealt = Counter(sample.group for sample in samples), [set[str]() for _ in range(folds)]
    for group, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        min(dealt, key=lambda fold: sum(counts[one] for one in fold)).add(group)
    return dealt


def write_tree(data: Path, samples: Sequence[Sample], held: set[str], tree: Path) -> None:
    """The data set with those groups of a source as its `test` split, and its other groups as its `train` split."""
    (source,) = {sample.source for sample in samples}
    shutil.copytree(data, tree, ignore=lambda folder, names: names if Path(folder) == data / source else [])
    for split, kept in (("train", False), ("test", True)):
        own = [sample for sample in samples if (sample.group in held) == kept]
        for sample in own:
            folder = tree / source / split / sample.path.parent.name
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(sample.path, folder)
        rows = [(f"{one.path.parent.name}/{one.path.name}", one.group.removeprefix(f"{source}/")) for one in own]
        with (tree / source / split / "groups.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows([("file_name", "group"), *rows])


def train(folder: Path, base: Path, *, recipe: str, steps: int, limit: int) -> None:
    """In that folder, so that all folds call the data alike: frozen tokens are kept by that name."""
    how = ["--recipe", recipe, "--data", TREE, "--out", RUN, "--base", str(base.resolve()), "--limit", str(limit)]
    settings = [f"max_steps={steps}", f"eval_steps={max(1, steps // 2)}", "num_workers=0"]
    how += [word for setting in settings for word in ("--set", setting)] + (
        ["--resume"] if (folder / RUN).exists() else []
    )
    subprocess.run([sys.executable, "-m", "train", "fit", *how], cwd=folder, check=True, stdout=sys.stderr)


def of_fold(held: Sequence[Sample], source: str) -> list[Sample]:
    """Without those that chose or calibrated the run, or might have: of its other groups."""
    return [sample for sample in held if sample.source == source and sample.split == "test"]


def judge_fold(folder: Path, source: str) -> list[JudgedSample]:
    detector = Detector(load_checkpoint(str((folder / RUN / "checkpoint").resolve())))
    return judge(detector, of_fold(held_out(folder / TREE), source))


def main() -> None:
    options = {"source": "ffpp_c23", "recipe": "virtus-base", "folds": 4, "first": 0, "steps": 256, "limit": 0}
    args = parser(__doc__, data=True, base=Path("clip"), out=Path("folds"), **options).parse_args()
    samples = [sample for sample in find_samples(args.data) if sample.source == args.source]
    judged = list[JudgedSample]()
    dealt = deal(samples, args.folds)[: args.first or args.folds]
    for number, groups in enumerate(dealt, 1):
        folder = args.out / f"fold-{number}"
        if not (folder / TREE).exists():
            write_tree(args.data, samples, groups, folder / TREE)
        if not (folder / RUN / "checkpoint").exists():
            train(folder, args.base, recipe=args.recipe, steps=args.steps, limit=args.limit)
        judged += judge_fold(folder, args.source)
    of = f"{len(dealt)} of {args.folds} folds"
    print(f"{args.source}, {len(judged)} pictures in {of}; {args.recipe}, {args.steps} steps\n")
    print_methods(judged)


if __name__ == "__main__":
    main()
