"""`explore`: everything that one pass of the model says of a face, as arrays and pictures."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from virtus.cli.arguments import any_count, checkpoint_names, load_detector, model_options, prior_option, share
from virtus.cli.terminal import ALL_JUDGED, say
from virtus.errors import InputError
from virtus.files import written_in

if TYPE_CHECKING:
    import numpy as np

    from virtus.checkpoints import Detector
    from virtus.explain import Fill
    from virtus.judging import Exploration

FILES = {
    "arrays": (".npz", "all arrays: see docs/explore.md"),
    "heads": ("-heads.png", "where each head of each block attends, for what the model's head reads; counted from 0"),
    "lens": ("-lens.png", "the logit lens: p of fake block by block, of what the head reads and of each patch"),
    "rollout": ("-rollout.webp", "attention rollout as it grows, block by block; counted from 1, as in the app"),
}


def add(commands) -> None:
    parents = [model_options(), prior_option()]
    summary = "attention of all heads and p block by block, of one face"
    explore = commands.add_parser("explore", parents=parents, help=summary)
    explore.set_defaults(run=run)
    explore.add_argument("image", metavar="IMAGE")
    explore.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for arrays and pictures")
    explore.add_argument(
        "--face", type=any_count, metavar="N", help="which, 0 is the largest (default: the one that decided)"
    )
    explore.add_argument("--head-fusion", choices=("mean", "max", "min"), default="mean", help="rollout: heads to one")
    explore.add_argument("--discard-ratio", type=share, default=0.0, help="rollout: share of weights left out")
    explore.add_argument(
        "--flip",
        action="store_true",
        help="search for patches without which the verdict is another, and judge these with another filling too",
    )
    meaning = "what stands in for patches that --flip takes away (default: blur)"
    explore.add_argument("--fill", choices=("blur", "grey", "drop"), help=meaning)


def run(args: argparse.Namespace) -> int:
    from virtus.cli.text import exploration_lines
    from virtus.judging import FIRST_FRAME, explore_photo
    from virtus.media import load_image

    if args.fill and not args.flip:
        raise InputError("--fill is of what --flip takes away: ask for that too.")
    photo = load_image(args.image)
    if (count := photo.info.get("num_frames", 1)) > 1:
        say([FIRST_FRAME.format(count=count)])
    detector = load_detector(args, prior=args.prior)
    found = explore_photo(detector, photo, face=args.face, whole=args.whole_image)
    rollout = found.rollout(head_fusion=args.head_fusion, discard_ratio=args.discard_ratio)
    print("\n".join(exploration_lines(found, rollout[-1])), flush=True)
    about = _describe(found, args) | ({"flipping": _flip(detector, found, args.fill or "blur")} if args.flip else {})
    stem = Path(args.image).stem + ("" if args.face is None else f"-face{args.face}")
    with written_in(args.out):
        print(_write(found, rollout, about, args.out, stem))
    return ALL_JUDGED


def _describe(found: Exploration, args: argparse.Namespace) -> dict[str, Any]:
    """What is no array, and how to get all of it in Python."""
    asked = {"face": args.face, "model": checkpoint_names(args)[0], "whole": args.whole_image or None}
    words = "".join(f", {name}={value!r}" for name, value in asked.items() if value is not None)
    return {
        "path": args.image,
        "python": f"virtus.explore({args.image!r}{words})",
        "checkpoint": found.checkpoint.to_json(),
        "face": found.face.to_json(),
        "real_below": found.real_below,
        "fake_above": found.fake_above,
        "grid_size": found.grid_size,
        "prefix_names": found.prefix_names,
        "decided_at": found.decided_at,
        "p_fake_by_block": [round(p, 4) for p in found.lens_decided.tolist()],
    }


def _flip(detector: Detector, found: Exploration, fill: Fill) -> dict[str, Any]:
    """Search, and say what was found."""
    from tqdm import tqdm

    from virtus.cli.text import flipping_line
    from virtus.judging import flip_verdict

    state = detector.encode([found.face.crop] if found.face.crop else [])
    steps = flip_verdict(detector, found.face, state, (found.real_below, found.fake_above), fill)
    *_, last = tqdm(steps, "search", unit="step", disable=None)  # a bar on a terminal alone
    print(flipping_line(found, last, fill), flush=True)
    patches = last.erased.nonzero()[0].tolist()
    about = {"fill": fill, "patches": patches, "p_fake": round(last.p_fake, 4), "flipped": last.flipped}
    otherwise = last.p_fake_otherwise
    return about if otherwise is None else about | {"p_fake_otherwise": round(otherwise, 4)}


def _write(found: Exploration, rollout: np.ndarray, about: dict[str, Any], folder: Path, stem: str) -> Path:
    """Arrays, pictures, and a JSON that says what they are.

    Returns:
        The JSON.
    """
    import numpy as np

    from virtus.drawing import draw_heads, draw_lens, save_growth

    folder.mkdir(parents=True, exist_ok=True)
    names = {kind: f"{stem}{end}" for kind, (end, _) in FILES.items()}
    arrays: dict[str, Any] = found.arrays()  # numpy's types take a name for its own option
    np.savez_compressed(folder / names["arrays"], **arrays)
    draw_heads(found.head_maps()).save(folder / names["heads"])
    thresholds = (found.real_below, found.fake_above)
    draw_lens(found.patch_lens(), found.lens_decided, thresholds).save(folder / names["lens"])
    save_growth(found.picture, rollout, folder / names["rollout"])
    files = {names[kind]: meaning for kind, (_, meaning) in FILES.items()}
    manifest = folder / f"{stem}.json"
    manifest.write_text(json.dumps(about | {"files": files}, indent=1) + "\n", encoding="utf-8")
    return manifest
