"""The command line: scan, explain, evaluate, doctor, serve. Each command parses, calls the engine, and formats."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from virtus import __version__
from virtus.errors import VirtusError

if TYPE_CHECKING:
    from virtus.detector import Detector
    from virtus.results import ImageReport

ALL_JUDGED, SOME_NOT_JUDGED, WRONG_USE = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 if all was judged, 1 if some was not, 2 for wrong use."""
    args = _parser().parse_args(argv)
    try:
        return args.run(args)
    except VirtusError as exc:
        print(f"virtus: {exc}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # `virtus scan ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_NOT_JUDGED
    except KeyboardInterrupt:
        print("virtus: stopped", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="virtus", description="Real or deepfake? And where did the model look?")
    parser.add_argument("--version", action="version", version=f"virtus {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    model = _model_options()
    _add_scan(commands, model)
    _add_explain(commands, model)
    _add_evaluate(commands, model)
    _add_doctor(commands)
    _add_serve(commands, model)
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


def _add_scan(commands, model: argparse.ArgumentParser) -> None:
    scan = commands.add_parser("scan", parents=[model], help="judge files, folders and globs")
    scan.set_defaults(run=_scan)
    scan.add_argument("paths", nargs="+", metavar="PATH", help="a picture, a folder (all below it) or a quoted glob")
    scan.add_argument("--format", choices=("table", "json", "csv"), default="table", help="json: one object a line")


def _add_explain(commands, model: argparse.ArgumentParser) -> None:
    explain = commands.add_parser("explain", parents=[model], help="overlays that show where the model looked")
    explain.set_defaults(run=_explain)
    explain.add_argument("image", metavar="IMAGE")
    explain.add_argument("--methods", default="rollout,gradcam", help="comma between them (default: rollout,gradcam)")
    explain.add_argument(
        "--target", choices=("predicted", "real", "fake"), default="predicted", help="class to explain"
    )
    explain.add_argument("--opacity", type=_share, default=0.55, help="of the colours, 0 to 1 (default: 0.55)")
    explain.add_argument("--head-fusion", choices=("mean", "max", "min"), default="mean", help="rollout: heads to one")
    explain.add_argument("--discard-ratio", type=_share, default=0.0, help="rollout: share of weights left out")
    explain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for PNGs and manifest.json")


def _add_evaluate(commands, model: argparse.ArgumentParser) -> None:
    evaluate = commands.add_parser("evaluate", parents=[model], help="accuracy, macro F1 and AUC on a labelled folder")
    evaluate.set_defaults(run=_evaluate)
    evaluate.add_argument("folder", type=Path, metavar="FOLDER", help="a tree with Real/ and Fake/ in it")
    evaluate.add_argument("--json", action="store_true", help="print the metrics as one JSON object")
    evaluate.add_argument("--out", type=Path, metavar="FILE", help="write a JSON line for each picture")


def _add_doctor(commands) -> None:
    doctor = commands.add_parser("doctor", help="say whether a checkpoint can be trusted, and why not")
    doctor.set_defaults(run=_doctor)
    doctor.add_argument("name", nargs="?", default="auto", help="a known name, a folder, or a Hub id (default: auto)")


def _add_serve(commands, model: argparse.ArgumentParser) -> None:
    serve = commands.add_parser("serve", parents=[model], help="start the app")
    serve.set_defaults(run=_serve)
    serve.add_argument("--host", default="127.0.0.1", help="0.0.0.0 to be reached from other machines")
    serve.add_argument("--port", type=int, default=7860)
    serve.add_argument("--share", action="store_true", help="make a public link, through Gradio's servers")
    serve.add_argument("--auth", metavar="USER:PASSWORD", help="ask for a login")


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"must be from 0 to 1, not {text}")
    return value


def _load(args: argparse.Namespace) -> Detector:
    from virtus.checkpoints import load_checkpoint
    from virtus.detector import Detector

    return Detector(load_checkpoint(args.model, device=args.device, precision=args.precision))


def _scan(args: argparse.Namespace) -> int:
    from virtus.listing import list_files

    files = list(list_files(args.paths))
    detector = _load(args)
    from virtus.analysis import analyze_paths
    from virtus.rows import ROWS

    rows, status = ROWS[args.format](sys.stdout), ALL_JUDGED
    for report in _progress(len(files))(analyze_paths(detector, files, whole=args.whole_image)):
        rows.write(report)
        status = status if report.outcome.judged else SOME_NOT_JUDGED
    return status


def _explain(args: argparse.Namespace) -> int:
    from virtus.analysis import analyze_image
    from virtus.gallery import write_gallery
    from virtus.images import load_image

    detector = _load(args)
    photo = load_image(args.image)
    report = analyze_image(
        detector,
        photo,
        methods=[method.strip() for method in args.methods.split(",") if method.strip()],
        target=None if args.target == "predicted" else args.target,
        options={"rollout": {"head_fusion": args.head_fusion, "discard_ratio": args.discard_ratio}},
        whole=args.whole_image,
    )
    manifest = write_gallery(report, photo, args.image, args.out, opacity=args.opacity)
    print(f"{report.outcome}: {report.reason or _faces_in_words(report)}\n{manifest}")
    return ALL_JUDGED if report.outcome.judged else SOME_NOT_JUDGED


def _evaluate(args: argparse.Namespace) -> int:
    from virtus.evaluation import evaluate_folder, find_labelled

    count = len(find_labelled(args.folder))
    evaluation = evaluate_folder(_load(args), args.folder, whole=args.whole_image, progress=_progress(count))
    if args.out:
        lines = (json.dumps({"label": str(label)} | report.to_json()) for label, report in evaluation.rows)
        args.out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    metrics = evaluation.to_json()
    print(json.dumps(metrics) if args.json else _metrics_in_words(metrics))
    return ALL_JUDGED if metrics["num_judged"] == metrics["num_images"] else SOME_NOT_JUDGED


def _doctor(args: argparse.Namespace) -> int:
    from virtus.checkpoints import load_checkpoint
    from virtus.errors import CheckpointError

    try:
        checkpoint = load_checkpoint(args.name, device="cpu", precision="float32")
    except CheckpointError as exc:
        print(f"refused: {exc}")
        return SOME_NOT_JUDGED
    labels = ", ".join(
        f"{index} is {label}" for label, index in sorted(checkpoint.labels.items(), key=lambda item: item[1])
    )
    trunk, transform = checkpoint.trunk, checkpoint.transform
    print(f"{checkpoint.info.name} can judge.")
    for name, value in (
        ("revision", checkpoint.info.revision),
        ("sha256", checkpoint.info.sha256),
        ("architecture", checkpoint.architecture),
        ("parameters", f"{sum(p.numel() for p in trunk.model.parameters()):,}"),
        ("labels", labels),
        ("input", f"{'x'.join(map(str, transform.input_size))}, mean {transform.mean}, std {transform.std}"),
        ("patches", f"{'x'.join(map(str, trunk.grid_size))}, {trunk.num_prefix_tokens} token(s) before them"),
        ("crop margin", checkpoint.margin),
        ("calibration", "none: the threshold is 0.5"),
    ):
        print(f"  {name:13} {value}")
    return ALL_JUDGED


def _serve(args: argparse.Namespace) -> int:
    from virtus.ui import serve

    serve(
        model=args.model,
        device=args.device,
        precision=args.precision,
        whole=args.whole_image,
        host=args.host,
        port=args.port,
        share=args.share,
        auth=_credentials(args.auth),
    )
    return ALL_JUDGED


def _credentials(text: str | None) -> tuple[str, str] | None:
    from virtus.errors import InputError

    if text is None:
        return None
    user, found, password = text.partition(":")
    if not (user and found and password):
        raise InputError("--auth takes USER:PASSWORD.")
    return user, password


def _progress(total: int) -> Callable[[Iterable], Iterable]:
    """A bar on stderr, where that is a terminal."""
    from tqdm import tqdm

    return lambda items: tqdm(items, total=total, unit="img", disable=not sys.stderr.isatty())


def _faces_in_words(report: ImageReport) -> str:
    words = (
        f"{face.outcome}" + ("" if face.p_fake is None else f" (p_fake {face.p_fake:.3f})") for face in report.faces
    )
    return ", ".join(words)


def _metrics_in_words(metrics: dict) -> str:
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
