"""`explain`: maps of what the model used on one picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from virtus.cli.arguments import load_detector, model_options, prior_option, report_option, share, stability_option
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED
from virtus.errors import ImageError, InputError

if TYPE_CHECKING:
    from virtus.reports import Settings

# As in `virtus.explain.registry.EXPLAINERS`, which loads torch; a test keeps them alike.
METHODS = (
    "rollout", "attribution", "gradcam", "gradcam++", "layercam", "hirescam", "eigencam", "occlusion", "evidence",
)  # fmt: skip


def add(commands) -> None:
    parents = [model_options(), prior_option(), stability_option(), report_option()]
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
    explain.add_argument("--out", type=Path, metavar="DIR", help="folder for PNGs and manifest.json")


def run(args: argparse.Namespace) -> int:
    from virtus.cli.gallery import write_gallery
    from virtus.cli.text import explanation_lines, verdict_lines
    from virtus.media import read_file
    from virtus.reports import draft, with_tested_maps

    _check_places(args)
    detector = load_detector(args)
    document = draft(detector, read_file(args.image), name=args.image, settings=_settings(args))
    if document.photo is None and not args.report:
        raise ImageError(document.report.reason)
    print("\n".join(verdict_lines(document.report)), flush=True)  # before the maps are tested, which takes seconds
    if args.faithfulness or args.report:
        document = with_tested_maps(detector, document)
        print("\n".join(explanation_lines(document.report)))
    if args.out and document.photo:
        print(write_gallery(document.report, document.photo, args.image, args.out, opacity=args.opacity))
    if args.report:
        print(*document.save(args.report), sep="\n")
    return ALL_JUDGED if document.report.outcome.judged else SOME_NOT_JUDGED


def _check_places(args: argparse.Namespace) -> None:
    """Before anything is computed."""
    from virtus.reports import check_place

    if not (args.out or args.report):
        raise InputError("Say where to: --out DIR, --report FILE.html, or both.")
    if args.report:
        check_place(args.report)


def _settings(args: argparse.Namespace) -> Settings:
    from virtus.reports import Settings

    methods = _methods(args)
    return Settings(
        methods=tuple(methods),
        target=args.target,
        options=_options(args, methods),
        whole=args.whole_image,
        stability=args.stability or args.report is not None,
        prior=args.prior,
        opacity=args.opacity,
    )


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
