"""`scan --engine ray`: its options, what does not go with it, and the scan itself."""

from __future__ import annotations

import argparse
from collections import Counter

from virtus.cli.arguments import checkpoint_names, count
from virtus.cli.terminal import outcomes_in_words, progress, status_of
from virtus.errors import InputError

OWN = ("workers", "ray_address")
SHARED = (
    "engine",
    "paths",
    "out",
    "model",
    "models",
    "fake_label",
    "device",
    "precision",
    "whole_image",
    "prior",
    "stability",
)


def add_options(scan: argparse.ArgumentParser) -> None:
    group = scan.add_argument_group("cluster")
    engine = "ray: on a Ray cluster; PATH is then also s3://..., gs://..., or @FILE, a list with a path on each line"
    group.add_argument("--engine", choices=("local", "ray"), default="local", help=engine)
    group.add_argument("--workers", type=count, metavar="N", help="ray: processes that judge (default: all that fit)")
    where = "ray: of the cluster's head (default: RAY_ADDRESS, else a cluster on this machine, for now)"
    group.add_argument("--ray-address", metavar="HOST:PORT", help=where)
    scan.set_defaults(default_of=scan.get_default)


def is_asked(args: argparse.Namespace) -> bool:
    """Whether a cluster is to judge.

    Raises:
        InputError: for options that do not go together.
    """
    said = [name for name, value in vars(args).items() if value != args.default_of(name)]
    if args.engine != "ray":
        _refuse([name for name in said if name in OWN], "ray")
        return False
    _refuse([name for name in said if name not in OWN + SHARED], "local")
    if len(args.models) > 1:
        raise InputError("Several checkpoints side by side go with --engine local.")
    if args.out is None:
        raise InputError("--engine ray writes its rows to a Parquet file: name it by --out rows.parquet.")
    return True


def _refuse(names: list[str], engine: str) -> None:
    for name in names:
        raise InputError(f"--{name.replace('_', '-')} goes with --engine {engine}.")


def run(args: argparse.Namespace) -> int:
    from virtus.scans.ray import require_ray

    require_ray()
    from virtus.media import LeftOut, check_there
    from virtus.scans.ray import is_address, list_sources, scan_on_ray

    left_out = LeftOut()
    if not any(is_address(path) or path.startswith("@") for path in args.paths):
        check_there(args.paths)
    sources = list_sources(args.paths, left_out)
    outcomes = scan_on_ray(
        sources,
        args.out,
        model=checkpoint_names(args)[0],
        device=args.device,
        precision=args.precision,
        prior=args.prior,
        whole=args.whole_image,
        stability=args.stability,
        num_workers=args.workers,
        address=args.ray_address,
    )
    counts = Counter(progress(len(sources))(outcomes))
    print(f"{len(sources)} pictures: {outcomes_in_words(counts)}\n{args.out}")
    return status_of(counts, left_out)
