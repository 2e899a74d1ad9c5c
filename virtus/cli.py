"""The command line. Each command parses, calls the engine, and formats."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from virtus.arguments import build_parser
from virtus.errors import InputError, VirtusError

if TYPE_CHECKING:
    from virtus.detector import Detector

NOT_TRAINED_ON = "If the checkpoint was trained on any of these pictures, p is now far too sure: calibrate on others."
ALL_JUDGED, SOME_NOT_JUDGED, WRONG_USE = 0, 1, 2


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit status is 0 if all was judged, 1 if some was not, 2 for wrong use."""
    args = build_parser().parse_args(argv)
    try:
        return COMMANDS[args.command](args)
    except VirtusError as exc:
        print(f"virtus: {exc}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:  # `virtus scan ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return SOME_NOT_JUDGED
    except KeyboardInterrupt:
        print("virtus: stopped", file=sys.stderr)
        return 130


def _load(args: argparse.Namespace, **options: float) -> Detector:
    from virtus.checkpoints import load_checkpoint
    from virtus.detector import Detector

    return Detector(load_checkpoint(args.model, device=args.device, precision=args.precision), **options)


def _how(args: argparse.Namespace) -> dict[str, bool]:
    """What `scan` and `explain` hand on to the engine alike."""
    return {"whole": args.whole_image, "stability": args.stability}


def _scan(args: argparse.Namespace) -> int:
    from virtus.analysis import analyze_paths
    from virtus.listing import list_files
    from virtus.rows import ROWS

    files = list(list_files(args.paths))
    detector = _load(args, prior=args.prior)
    rows, status = ROWS[args.format](_BesideBar()), ALL_JUDGED
    for report in _progress(len(files))(analyze_paths(detector, files, **_how(args))):
        rows.write(report)
        status = status if report.outcome.judged else SOME_NOT_JUDGED
    return status


def _explain(args: argparse.Namespace) -> int:
    from virtus.analysis import analyze_photo, measure_maps
    from virtus.gallery import write_gallery
    from virtus.images import load_image
    from virtus.sentences import explanation_lines, verdict_lines

    methods = _methods(args)
    detector = _load(args, prior=args.prior)
    photo = load_image(args.image)
    report = analyze_photo(
        detector,
        photo,
        methods=methods,
        target=None if args.target == "predicted" else args.target,
        options=_options(args, methods),
        **_how(args),
    )
    print("\n".join(verdict_lines(report)), flush=True)  # before the maps are tested, which takes seconds
    report = measure_maps(detector, report) if args.faithfulness else report
    manifest = write_gallery(report, photo, args.image, args.out, opacity=args.opacity)
    print("\n".join([*explanation_lines(report), str(manifest)]))
    return ALL_JUDGED if report.outcome.judged else SOME_NOT_JUDGED


def _methods(args: argparse.Namespace) -> list[str]:
    from virtus.explain import EXPLAINERS

    named = [method.strip() for method in args.methods.split(",") if method.strip()]
    return list(EXPLAINERS) if named == ["all"] else named


def _options(args: argparse.Namespace, methods: list[str]) -> dict[str, dict]:
    """What was said on the command line, for each method that takes it."""
    from virtus.explain import EXPLAINERS

    said = {name: getattr(args, name) for name in ("layer", "head", "head_fusion", "discard_ratio", "window")}
    said = {name: value for name, value in said.items() if value is not None}
    return {
        method: {name: said[name] for name in EXPLAINERS[method].options if name in said}
        for method in methods
        if method in EXPLAINERS
    }


def _evaluate(args: argparse.Namespace) -> int:
    from virtus.evaluation import evaluate_labelled, find_labelled

    labelled = find_labelled(args.folder)
    bar = _progress(len(labelled))
    evaluation = evaluate_labelled(_load(args, prior=args.prior), labelled, whole=args.whole_image, progress=bar)
    if args.out:
        lines = (json.dumps({"label": str(label)} | report.to_json()) for label, report in evaluation.rows)
        args.out.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    metrics = evaluation.to_json()
    print(json.dumps(metrics) if args.json else _metrics_in_words(metrics))
    return ALL_JUDGED if metrics["num_judged"] == metrics["num_images"] else SOME_NOT_JUDGED


def _calibrate(args: argparse.Namespace) -> int:
    from virtus.evaluation import find_labelled
    from virtus.recalibration import forget, keep, recalibrate, source_from_folders

    if args.forget:
        file = forget(args.model)
        print(f"removed from {file}" if file else "There was no calibration to remove.")
        return ALL_JUDGED
    labelled = find_labelled(args.data)
    sources = [source_from_folders(path.relative_to(args.data)) for path, _ in labelled]
    detector, bar = _load(args), _progress(len(labelled))
    found = recalibrate(detector, labelled, sources, whole=args.whole_image, progress=bar)
    print(f"{found.in_words()}\nkept in {keep(detector.checkpoint.info, found.calibration)}\n{NOT_TRAINED_ON}")
    return ALL_JUDGED if found.calibration.num_pictures == len(labelled) else SOME_NOT_JUDGED


def _doctor(args: argparse.Namespace) -> int:
    from virtus.checkpoints import load_checkpoint
    from virtus.errors import CheckpointError
    from virtus.sentences import calibration_words, novelty_words

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
        ("calibration", calibration_words(checkpoint.info)),
        ("novelty", novelty_words(checkpoint.novelty)),
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
        prior=args.prior,
        host=args.host,
        port=args.port,
        share=args.share,
        auth=_credentials(args.auth),
    )
    return ALL_JUDGED


def _credentials(text: str | None) -> tuple[str, str] | None:
    if text is None:
        return None
    user, found, password = text.partition(":")
    if not (user and found and password):
        raise InputError("--auth takes USER:PASSWORD.")
    return user, password


class _BesideBar:
    """Standard output, where lines do not run into a progress bar on the same terminal."""

    def write(self, text: str) -> None:
        from tqdm import tqdm

        tqdm.write(text, file=sys.stdout, end="")

    def flush(self) -> None:
        sys.stdout.flush()


def _progress(total: int) -> Callable[[Iterable], Iterable]:
    """A bar on stderr, where that is a terminal."""
    from tqdm import tqdm

    return lambda items: tqdm(items, total=total, unit="img", disable=not sys.stderr.isatty())


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


COMMANDS = {
    "scan": _scan,
    "explain": _explain,
    "evaluate": _evaluate,
    "calibrate": _calibrate,
    "doctor": _doctor,
    "serve": _serve,
}
