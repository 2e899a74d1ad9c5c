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
    _add_audit(commands)
    _add_evaluate(commands)
    _add_swap(commands)
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


def _add_audit(commands) -> None:
    audit = commands.add_parser("audit", help="what a data set would teach beside faces: copies, leaks, shortcuts")
    audit.set_defaults(run=_audit)
    audit.add_argument("data", type=Path, help="the same folder as for fit")
    audit.add_argument("--out", type=Path, metavar="DIR", help="write audit.json and audit.png there")
    audit.add_argument("--limit", type=int, default=0, help="look at so many pictures of each class; 0 for all")


def _add_evaluate(commands) -> None:
    evaluate = commands.add_parser("evaluate", help="figures for each source, on pictures that chose nothing")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("checkpoint", help="a run's checkpoint folder, or any name that `virtus` knows")
    evaluate.add_argument("--data", type=Path, required=True, help="the same folder as for fit")
    evaluate.add_argument("--half", choices=("report", "choose", "all"), default="report", help="of each val split")
    evaluate.add_argument("--card", type=Path, metavar="FILE", help="write the model card of a run made by fit")


def _add_swap(commands) -> None:
    swap = commands.add_parser("swap", help="make a fake: the largest face of one photo into another")
    swap.set_defaults(run=_swap)
    swap.add_argument("source", type=Path, help="photo that gives the face")
    swap.add_argument("target", type=Path, help="photo that takes it")
    swap.add_argument("out", type=Path, help="file to write")


def _audit(args: argparse.Namespace) -> int:
    from train.audit import audit

    findings = audit(args.data, limit=args.limit)
    print(findings.table())
    if args.out:
        findings.save(args.out)
    return 0


def _evaluate(args: argparse.Namespace) -> int:
    from train.card import write_card
    from train.evaluate import evaluate_sources, source_table

    results = evaluate_sources(args.checkpoint, args.data, half=args.half)
    print(source_table(results))
    if args.card:
        write_card(args.card, Path(args.checkpoint), results, args.data)
    return 0


def _swap(args: argparse.Namespace) -> int:
    from train.forgery import swap_face
    from virtus.errors import DataError
    from virtus.faces import find_faces
    from virtus.images import load_image

    photos = [load_image(path) for path in (args.source, args.target)]
    faces = [next(iter(find_faces(photo)), None) for photo in photos]
    if None in faces:
        raise DataError("Both photos need a face that can be found.")
    (source, target), (source_face, target_face) = photos, faces
    swap_face(source, source_face, target, target_face).image.save(args.out, quality=92)
    return 0


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
