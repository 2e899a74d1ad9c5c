"""What can be said on the command line."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from virtus import __version__

# As in `virtus.explain.EXPLAINERS`, which loads torch; a test keeps them alike.
METHODS = (
    "rollout", "attribution", "gradcam", "gradcam++", "layercam", "hirescam", "eigencam", "occlusion", "evidence",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    """`command` names the command; the rest are its own options."""
    parser = argparse.ArgumentParser(prog="virtus", description="Real or deepfake? And where did the model look?")
    parser.add_argument("--version", action="version", version=f"virtus {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    model = _model_options()
    prior, stability = _prior_option(), _stability_option()
    _add_scan(commands, [model, prior, stability])
    _add_explain(commands, [model, prior, stability])
    _add_evaluate(commands, [model, prior])
    _add_calibrate(commands, model)
    _add_doctor(commands)
    _add_serve(commands, [model, prior])
    return parser


def _model_options() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    group = parent.add_argument_group("model")
    group.add_argument(
        "--model", default="auto", help="checkpoint: auto, a known name, a folder, or a Hub id owner/name"
    )
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    group.add_argument("--precision", default="auto", choices=("auto", "float32", "bfloat16"))
    group.add_argument("--whole-image", action="store_true", help="judge pictures as they are: ready-made face crops")
    return parent


def _prior_option() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    meaning = "share of fakes expected among photos like these; p and outcome change (default: 0.5)"
    parent.add_argument("--prior", type=_prior, default=0.5, metavar="SHARE", help=meaning)
    return parent


def _stability_option() -> argparse.ArgumentParser:
    parent = argparse.ArgumentParser(add_help=False)
    meaning = "judge each face again under small changes: JPEG, half size, mirrored, cut closer and wider"
    parent.add_argument("--stability", action="store_true", help=meaning)
    return parent


def _add_scan(commands, parents: list[argparse.ArgumentParser]) -> None:
    scan = commands.add_parser("scan", parents=parents, help="judge files, folders and globs")
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a folder (all below it) or a quoted glob")
    scan.add_argument("--format", choices=("table", "json", "csv"), default="table", help="json: one object a line")


def _add_explain(commands, parents: list[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser("explain", parents=parents, help="overlays that show where the model looked")
    explain.add_argument("image", metavar="IMAGE")
    known = f"comma between them, of {', '.join(METHODS)}, or all (default: attribution,evidence)"
    explain.add_argument("--methods", default="attribution,evidence", help=known)
    explain.add_argument(
        "--target", choices=("predicted", "real", "fake"), default="predicted", help="class to explain"
    )
    explain.add_argument("--opacity", type=_share, default=0.55, help="of the colours, 0 to 1 (default: 0.55)")
    explain.add_argument("--head-fusion", choices=("mean", "max", "min"), default="mean", help="rollout: heads to one")
    explain.add_argument("--discard-ratio", type=_share, default=0.0, help="rollout: share of weights left out")
    explain.add_argument("--layer", type=int, metavar="N", help="CAMs, evidence: block to look at; -1 is the last")
    explain.add_argument("--head", type=int, metavar="N", help="rollout, attribution: one attention head, not all")
    explain.add_argument("--window", type=int, metavar="N", help="occlusion: patches a side that are left out at once")
    explain.add_argument("--faithfulness", action="store_true", help="test each map against 99 random ones")
    explain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for PNGs and manifest.json")


def _add_evaluate(commands, parents: list[argparse.ArgumentParser]) -> None:
    evaluate = commands.add_parser("evaluate", parents=parents, help="accuracy, macro F1 and AUC on a labelled folder")
    evaluate.add_argument("folder", type=Path, metavar="FOLDER", help="a tree with Real/ and Fake/ in it")
    evaluate.add_argument("--json", action="store_true", help="print the metrics as one JSON object")
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write a JSON line for each picture")


def _add_calibrate(commands, model: argparse.ArgumentParser) -> None:
    calibrate = commands.add_parser("calibrate", parents=[model], help="fit p and thresholds to pictures of your own")
    either = calibrate.add_mutually_exclusive_group(required=True)
    data = "a tree with Real/ and Fake/ in it, of pictures that the checkpoint was not trained on; a folder a source"
    either.add_argument("--data", type=Path, metavar="FOLDER", help=data)
    either.add_argument(
        "--forget", action="store_true", help="remove the calibration: yours, or that of a local folder"
    )


def _add_doctor(commands) -> None:
    doctor = commands.add_parser("doctor", help="say whether a checkpoint can be trusted, and why not")
    doctor.add_argument("name", nargs="?", default="auto", help="a known name, a folder, or a Hub id (default: auto)")


def _add_serve(commands, parents: list[argparse.ArgumentParser]) -> None:
    serve = commands.add_parser("serve", parents=parents, help="start the app")
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0 to be reached from other machines")
    serve.add_argument("--port", type=_port, default=7860)
    serve.add_argument("--share", action="store_true", help="make a public link, through Gradio's servers")
    serve.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a login")


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"must be a number from 1 to 65535, not {text!r}")
    return int(text)


def _share(text: str) -> float:
    if not 0 <= (value := _number(text)) <= 1:
        raise argparse.ArgumentTypeError(f"must be a number from 0 to 1, not {text!r}")
    return value


def _prior(text: str) -> float:
    if not 0 < (value := _number(text)) < 1:
        raise argparse.ArgumentTypeError(f"must be a number above 0 and below 1, not {text!r}")
    return value


def _number(text: str) -> float:
    """Not a number for what is none: it fails every comparison."""
    try:
        return float(text)
    except ValueError:
        return math.nan
