"""The commands of `python -m train`: three from files of their own, and here the shorter ones.

Each `add_...` puts a command's options on the parser, and names the function that runs it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from train.cli.evaluate import add_evaluate
from train.cli.fit import add_fit
from train.cli.leave_one_out import add_leave_one_out
from virtus.cli import any_count
from virtus.errors import DataError


def add_commands(commands: argparse._SubParsersAction) -> None:
    """All of them, in the order in which `--help` lists them."""
    for add in (
        add_recipes,
        add_audit,
        add_fit,
        add_leave_one_out,
        add_calibrate,
        add_evaluate,
        add_novelty,
        add_card,
        add_publish,
        add_swap,
    ):
        add(commands)


def add_recipes(commands: argparse._SubParsersAction) -> None:
    recipes = commands.add_parser("recipes", help="the recipes side by side, with published figures and known faults")
    recipes.set_defaults(run=print_recipes)


def print_recipes(args: argparse.Namespace) -> int:  # noqa: ARG001  every command is called alike
    from train.config import recipe_table

    print(recipe_table())
    return 0


def add_audit(commands: argparse._SubParsersAction) -> None:
    audit = commands.add_parser("audit", help="what a data set would teach beside faces: copies, leaks, shortcuts")
    audit.set_defaults(run=run_audit)
    audit.add_argument("data", help="the same as for fit")
    audit.add_argument("--out", type=Path, metavar="DIR", help="write audit.json and audit.png there")
    audit.add_argument("--limit", type=any_count, default=0, help="look at so many pictures of each class; 0 for all")


def run_audit(args: argparse.Namespace) -> int:
    from train.checks import audit_data
    from train.report import write_audit

    audit = audit_data(args.data, limit=args.limit)
    print(audit.table())
    if args.out:
        write_audit(args.out, audit)
    return 0


def add_calibrate(commands: argparse._SubParsersAction) -> None:
    calibrate = commands.add_parser("calibrate", help="calibrate a finished checkpoint folder anew, as fit does")
    calibrate.set_defaults(run=run_calibrate)
    calibrate.add_argument("checkpoint", type=Path, metavar="FOLDER", help="its virtus.json gets the calibration")
    calibrate.add_argument("--data", required=True, help="the same as for fit")


def run_calibrate(args: argparse.Namespace) -> int:
    from train.data import fakes_like
    from train.fit import rule_of
    from train.pictures import DegradedPhoto
    from train.report import held_out, read_beside, val_share
    from virtus.checkpoints import Detector, load_checkpoint, store_calibration
    from virtus.judging import recalibrate

    samples = held_out(args.data, part="calibrate", val_share=val_share([str(args.checkpoint)]))
    labelled, sources = [(s.path, s.label) for s in samples], [sample.source for sample in samples]
    run = read_beside(str(args.checkpoint), "train_config.json") or {}
    kinds = [fakes_like(sample, run.get("kinds", {})) for sample in samples]
    rule = rule_of(bound_kinds=run.get("bound_kinds", True))
    detector, degraded = Detector(load_checkpoint(str(args.checkpoint.resolve()))), list(map(DegradedPhoto, samples))
    result = recalibrate(detector, labelled, sources, kinds=kinds, rule=rule, degraded=degraded)
    file = store_calibration(args.checkpoint, result.calibration)
    print(f"{result.in_words()}\nkept in {file}")
    return 0


def add_novelty(commands: argparse._SubParsersAction) -> None:
    novelty = commands.add_parser("novelty", help="let a finished checkpoint say what is unlike its training pictures")
    novelty.set_defaults(run=run_novelty)
    novelty.add_argument("checkpoint", type=Path, help="its folder; the statistics are written beside the weights")
    novelty.add_argument("--data", required=True, help="the same as for fit")
    novelty.add_argument("--token", choices=("patches", "class"), default="patches", help="whose features (patches)")
    novelty.add_argument("--whole", action="store_true", help="for a checkpoint that is shown whole pictures")


def run_novelty(args: argparse.Namespace) -> int:
    from train.data import assign_splits, load_samples, part_of
    from train.fit import add_novelty, thin
    from train.pictures import FaceCache
    from train.report import val_share
    from virtus.checkpoints import FILE, find_checkpoint, without_novelty

    judges = find_checkpoint(str(args.checkpoint.resolve())).info.judges
    samples = assign_splits(load_samples(args.data).samples, val_share=val_share([str(args.checkpoint)]))
    train = thin([sample for sample in samples if sample.split == "train"])
    held_out = [sample for sample in samples if part_of(sample) == "calibrate"]
    whole = args.whole or judges == "pictures"
    faces = None if whole else FaceCache().find([sample.path for sample in (*train, *held_out)])
    with without_novelty(args.checkpoint):  # statistics of earlier weights would keep it from loading
        fitted = add_novelty(args.checkpoint, train, held_out, faces, token=args.token)
    told = f"block {fitted.block}, threshold {fitted.threshold:.3f} on {fitted.num_pictures} faces"
    print(f"{args.checkpoint / FILE}: {told}")
    return 0


def add_card(commands: argparse._SubParsersAction) -> None:
    card = commands.add_parser("card", help="write the model card of a run that was evaluated")
    card.set_defaults(run=run_card)
    card.add_argument("folder", type=Path, metavar="RUN", help="the --out of fit, with the report of evaluate in it")
    card.add_argument("--out", type=Path, metavar="FILE", help="RUN/checkpoint/README.md by default")


def run_card(args: argparse.Namespace) -> int:
    from train.publish import write_card

    file = args.out or args.folder / "checkpoint" / "README.md"
    write_card(file, args.folder)
    print(f"The card is in {file}")
    return 0


def add_publish(commands: argparse._SubParsersAction) -> None:
    publish = commands.add_parser("publish", help="write a run's folder for the Hugging Face Hub, and upload it")
    publish.set_defaults(run=run_publish)
    publish.add_argument("folder", type=Path, metavar="RUN", help="the --out of fit, with the report of evaluate in it")
    publish.add_argument("--repo", required=True, metavar="OWNER/NAME", help="repository on the Hub; made if need be")
    publish.add_argument("--private", action="store_true", help="only you may see it")
    publish.add_argument("--message", help="of the commit")
    publish.add_argument("--dry-run", action="store_true", help="write RUN/hub, say what would be sent, and stop")


def run_publish(args: argparse.Namespace) -> int:
    from train.publish import Target, upload, write_folder

    target = Target(args.folder, args.repo, private=args.private, message=args.message)
    files = write_folder(target)
    for name, size in files:
        print(f"  {name:32} {size:>12,} bytes")
    print(f"{len(files)} files, {sum(size for _, size in files):,} bytes, in {target.folder}")
    if args.dry_run:
        print(f"Not sent. To send it to {args.repo}: {target.command}")
    else:
        print(f"published: {upload(target)}", flush=True)
    return 0


def add_swap(commands: argparse._SubParsersAction) -> None:
    swap = commands.add_parser("swap", help="make a fake: the largest face of one photo, or a part of it, into another")
    swap.set_defaults(run=run_swap)
    swap.add_argument("source", type=Path, help="photo that gives the face")
    swap.add_argument("target", type=Path, help="photo that takes it")
    swap.add_argument("out", type=Path, help="file to write")
    swap.add_argument("--part", default="face", help='face, eyes, nose, mouth, "left half" or "right half" (face)')


def run_swap(args: argparse.Namespace) -> int:
    from train.pictures import swap_part
    from virtus.faces import find_faces
    from virtus.media import load_image

    _check_out(args.out)
    source, target = (load_image(path) for path in (args.source, args.target))
    faces = [face for photo in (source, target) for face in find_faces(photo)[:1]]
    if len(faces) < 2:
        raise DataError("Both photos need a face that can be found.")
    image = swap_part(source, faces[0], target, faces[1], args.part).image
    try:
        image.save(args.out, quality=92)
    except OSError as exc:
        raise DataError(f"{args.out} cannot be written ({exc.strerror or exc}). Name another file.") from exc
    return 0


def _check_out(file: Path) -> None:
    """Refuse, before the work, a file that no picture can be written to.

    Raises:
        DataError: for a suffix that says no format, and a folder that there is not.
    """
    from PIL import Image

    if Image.registered_extensions().get(file.suffix.lower()) not in Image.SAVE:
        raise DataError(f"How to write {file}? Give it the suffix .png, .jpg or .webp.")
    if not file.parent.is_dir():
        raise DataError(f"There is no folder {file.parent}. Make it, or name another file.")
