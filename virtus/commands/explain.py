"""`explain`: maps of what the model used on one picture."""

from __future__ import annotations

import argparse
from pathlib import Path

from virtus.arguments import load_detector, model_options, prior_option, share, stability_option
from virtus.terminal import ALL_JUDGED, SOME_NOT_JUDGED

# As in `virtus.explain.EXPLAINERS`, which loads torch; a test keeps them alike.
METHODS = (
    "rollout", "attribution", "gradcam", "gradcam++", "layercam", "hirescam", "eigencam", "occlusion", "evidence",
)  # fmt: skip


def add(commands) -> None:
    parents = [model_options(), prior_option(), stability_option()]
    explain = commands.add_parser("explain", parents=parents, help="overlays that show where the model looked")
    explain.set_defaults(run=run)
    explain.add_argument("image", metavar="IMAGE")
    known = f"comma between them, of {', '.join(METHODS)}, or all (default: attribution,evidence)"
    explain.add_argument("--methods", default="attribution,evidence", help=known)
    explain.add_argument(
        "--target", choices=("predicted", "real", "fake"), default="predicted", help="class to explain"
    )
    explain.add_argument("--opacity", type=share, default=0.55, help="of the colours, 0 to 1 (default: 0.55)")
    explain.add_argument("--head-fusion", choices=("mean", "max", "min"), default="mean", help="rollout: heads to one")
    explain.add_argument("--discard-ratio", type=share, default=0.0, help="rollout: share of weights left out")
    explain.add_argument("--layer", type=int, metavar="N", help="CAMs, evidence: block to look at; -1 is the last")
    explain.add_argument("--head", type=int, metavar="N", help="rollout, attribution: one attention head, not all")
    explain.add_argument("--window", type=int, metavar="N", help="occlusion: patches a side that are left out at once")
    explain.add_argument("--faithfulness", action="store_true", help="test each map against 99 random ones")
    explain.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for PNGs and manifest.json")


def run(args: argparse.Namespace) -> int:
    from virtus.analysis import analyze_photo, measure_maps
    from virtus.gallery import write_gallery
    from virtus.images import load_image
    from virtus.sentences import explanation_lines, verdict_lines

    methods = _methods(args)
    detector = load_detector(args, prior=args.prior)
    photo = load_image(args.image)
    report = analyze_photo(
        detector,
        photo,
        methods=methods,
        target=None if args.target == "predicted" else args.target,
        options=_options(args, methods),
        whole=args.whole_image,
        stability=args.stability,
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
