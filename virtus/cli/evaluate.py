"""`evaluate`: the figures of a checkpoint on a labelled folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from virtus.cli.arguments import folder, load_detector, model_options, prior_option
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED, progress, say
from virtus.errors import InputError
from virtus.files import write_whole


def add(commands) -> None:
    parents = [model_options(), prior_option()]
    evaluate = commands.add_parser("evaluate", parents=parents, help="accuracy, macro F1 and AUC on a labelled folder")
    evaluate.set_defaults(run=run)
    evaluate.add_argument("folder", type=folder, metavar="FOLDER", help="a tree with Real/ and Fake/ in it")
    evaluate.add_argument("--json", action="store_true", help="print the metrics as one JSON object")
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write a JSON line for each picture")


def run(args: argparse.Namespace) -> int:
    from virtus.judging import evaluate_labelled, find_labelled

    if args.out and args.out.is_dir():
        raise InputError(f"{args.out} is a folder: --out is a file, which gets a line for each picture.")
    labelled = find_labelled(args.folder, notes := [])
    say(notes)
    bar, detector = progress(len(labelled)), load_detector(args, prior=args.prior)
    evaluation = evaluate_labelled(detector, labelled, whole=args.whole_image, progress=bar)
    metrics = evaluation.to_json()
    print(json.dumps(metrics) if args.json else _in_words(metrics), flush=True)
    if animations := sum(report.note is not None for _, report in evaluation.rows):
        say([f"of {animations} animations only the first frame was looked at"])
    if args.out:
        lines = (json.dumps({"label": str(label)} | report.to_json()) for label, report in evaluation.rows)
        write_whole(args.out, "".join(line + "\n" for line in lines))
    return ALL_JUDGED if metrics["num_judged"] == metrics["num_images"] else SOME_NOT_JUDGED


def _in_words(metrics: dict) -> str:
    figures = {name: metrics[name] for name in ("accuracy", "macro_f1", "auc")}
    lines = [f"{name:10} {'-' if value is None else f'{value:.4f}'}" for name, value in figures.items()]
    (real_real, real_fake), (fake_real, fake_fake) = metrics["confusion"]
    outcomes = ", ".join(f"{count} {name}" for name, count in metrics["outcomes"].items())
    checkpoint = metrics["checkpoint"]
    return "\n".join(
        [
            *lines,
            f"{'':10} {'called real':>12} {'called fake':>12}",
            f"{'is real':10} {real_real:12} {real_fake:12}",
            f"{'is fake':10} {fake_real:12} {fake_fake:12}",
            f"{metrics['num_judged']} of {metrics['num_images']} pictures judged: {outcomes}",
            f"by {checkpoint['name']} ({checkpoint['revision']}, sha256 {checkpoint['sha256'][:12]})",
        ]
    )
