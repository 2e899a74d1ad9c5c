"""`explain`: maps of what the model used on one picture."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtus.cli.arguments import load_detector, model_options, prior_option, report_option, share, stability_option
from virtus.cli.terminal import ALL_JUDGED, SOME_NOT_JUDGED
from virtus.errors import ImageError, InputError
from virtus.explain import EXPLAINERS
from virtus.files import written_in
from virtus.parallel import on_one_core

if TYPE_CHECKING:
    from PIL import Image

    from virtus.checkpoints import Detector
    from virtus.reports import ReportSettings
    from virtus.results import Explanation, FaceCrop, ImageReport

SMALL = 30_000_000  # weights; a ViT-S has 22 million, a ViT-B 86
OVERLAYS = {"overlay": "", "overlay_photo": "-photo"}
"""Keys of the manifest for the pictures of a map, and how their names end."""


def add(commands) -> None:
    parents = [model_options(), prior_option(), stability_option(), report_option()]
    explain = commands.add_parser("explain", parents=parents, help="overlays that show what the model used")
    explain.set_defaults(run=run)
    explain.add_argument("image", metavar="IMAGE")
    known = f"comma between them, of {', '.join(EXPLAINERS)}, or all (default: attribution,evidence)"
    explain.add_argument("--methods", default="attribution,evidence", help=known)
    explain.add_argument(
        "--target", choices=("predicted", "real", "fake"), default="predicted", help="class to explain"
    )
    explain.add_argument("--opacity", type=share, default=0.5, help="of the maps, 0 to 1 (default: 0.5)")
    explain.add_argument("--contours", action="store_true", help="outline the highest fifth of each map")
    explain.add_argument("--head-fusion", choices=("mean", "max", "min"), help="rollout: heads to one (mean)")
    explain.add_argument("--discard-ratio", type=share, help="rollout: share of weights left out (0)")
    explain.add_argument("--layer", type=int, metavar="N", help="CAMs, evidence: block to look at; -1 is the last")
    explain.add_argument("--head", type=int, metavar="N", help="rollout, attribution: one attention head, not all")
    explain.add_argument("--window", type=int, metavar="N", help="occlusion: patches a side that are left out at once")
    explain.add_argument("--faithfulness", action="store_true", help="test each map against 99 random ones")
    explain.add_argument("--out", type=Path, metavar="DIR", help="folder for PNGs and manifest.json")


def run(args: argparse.Namespace) -> int:
    from virtus.cli.text import explanation_lines, verdict_lines
    from virtus.media import read_file
    from virtus.reports import draft, with_tested_maps

    _check_places(args)
    settings = _settings(args)
    detector = load_detector(args)
    with _its_cores(detector):
        document = draft(detector, read_file(args.image), name=args.image, settings=settings)
    if document.photo is None and not args.report:
        raise ImageError(document.report.reason)
    print("\n".join(verdict_lines(document.report)), flush=True)  # before the maps are tested, which takes seconds
    if args.faithfulness or args.report:
        document = with_tested_maps(detector, document)
        print("\n".join(explanation_lines(document.report)))
    if args.report:
        print(*document.save(args.report), sep="\n")
    if args.out and document.photo:
        with written_in(args.out):
            print(_write_gallery(document.report, document.photo, args))
    return ALL_JUDGED if document.report.outcome.judged else SOME_NOT_JUDGED


def _its_cores(detector: Detector) -> contextlib.AbstractContextManager[None]:
    """One core for one face and a small model: on several its layers are too short to be worth waiting for each other.
    A larger one, such as a ViT-B, has all of them; and so has whatever judges many batches, each by itself."""
    trunk = detector.checkpoint.trunk
    num_weights = sum(weights.numel() for weights in trunk.model.parameters())
    return on_one_core() if trunk.device.type == "cpu" and num_weights < SMALL else contextlib.nullcontext()


def _check_places(args: argparse.Namespace) -> None:
    """Before anything is computed."""
    from virtus.reports import check_place

    if not (args.out or args.report):
        raise InputError("Say where to: --out DIR, --report FILE.html, or both.")
    if args.report:
        check_place(args.report)


def _settings(args: argparse.Namespace) -> ReportSettings:
    from virtus.reports import ReportSettings

    methods = _methods(args)
    return ReportSettings(
        methods=tuple(methods),
        target=args.target,
        options=_options(args, methods),
        whole=args.whole_image,
        stability=args.stability or args.report is not None,
        prior=args.prior,
        opacity=args.opacity,
        contours=args.contours,
    )


def _methods(args: argparse.Namespace) -> list[str]:
    named = [method.strip() for method in args.methods.split(",") if method.strip()]
    return list(EXPLAINERS) if named == ["all"] else named


def _options(args: argparse.Namespace, methods: list[str]) -> dict[str, dict]:
    """What was said on the command line, for each method that takes it."""
    said = {name: getattr(args, name) for name in ("layer", "head", "head_fusion", "discard_ratio", "window")}
    said = {name: value for name, value in said.items() if value is not None}
    for name in said:
        takers = [method for method, explainer in EXPLAINERS.items() if name in explainer.options]
        if not set(takers) & set(methods):
            raise InputError(f"--{name.replace('_', '-')} is of {', '.join(takers)}: ask for one of them by --methods.")
    return {
        method: {name: said[name] for name in EXPLAINERS[method].options if name in said}
        for method in methods
        if method in EXPLAINERS
    }


def _write_gallery(report: ImageReport, photo: Image.Image, args: argparse.Namespace) -> Path:
    """Write each face's crop, and for each of its explanations the overlay on crop and photo.

    Returns:
        The manifest: the report as JSON, and for each judged face `explanations` with `method`, `target`, the raw
        `heatmap` (grid_h lists of grid_w numbers) and the names of its files.
    """
    path, folder = args.image, args.out
    look: dict[str, Any] = {"opacity": args.opacity, "contours": args.contours}
    folder.mkdir(parents=True, exist_ok=True)
    row: dict[str, Any] = {**report.to_json(), "path": path}
    for index, face in enumerate(report.faces):
        if face.crop is not None:
            stem = f"{Path(path).stem}-face{index}"
            row["faces"][index] |= _write_face(face.crop, face.explanations, photo, folder / stem, look)
    manifest = folder / "manifest.json"
    manifest.write_text(json.dumps(row, indent=1) + "\n", encoding="utf-8")
    return manifest


def _write_face(
    crop: FaceCrop, explanations: Sequence[Explanation], photo: Image.Image, place: Path, look: dict[str, Any]
) -> dict:
    from virtus.drawing import overlay_crop, overlay_photo

    folder, stem, maps = place.parent, place.name, []
    crop.image.save(folder / f"{stem}-crop.png")
    for explanation in explanations:
        heatmap, signed = explanation.heatmap, explanation.signed
        files = {name: f"{stem}-{explanation.method}{end}.png" for name, end in OVERLAYS.items()}
        overlay_crop(crop, heatmap, signed=signed, **look).save(folder / files["overlay"])
        overlay_photo(photo, crop, heatmap, signed=signed, **look).save(folder / files["overlay_photo"])
        maps.append(explanation.to_json() | files)
    return {"crop": f"{stem}-crop.png", "crop_box_xyxy": list(crop.box_xyxy), "explanations": maps}
