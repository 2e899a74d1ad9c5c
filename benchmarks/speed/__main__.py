"""The speed goals, each beside what it is held against, interleaved in one run: `python -m benchmarks.speed DATA`.

`--part` takes one part alone; each is a file of its own.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from pathlib import Path

import torch

from benchmarks.speed import folder, growth, model
from benchmarks.speed.material import SIZES, write_model

PARTS = {"model": model.report, "folder": folder.report, "growth": growth.report}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="[<source>/]val/Real|Fake")
    parser.add_argument("--part", choices=PARTS)
    parser.add_argument("--size", choices=(*SIZES, "bundled"), help="base and bundled, if not given")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--rounds", type=int, default=10, help="of what is timed by itself")
    parser.add_argument("--photos", type=int, default=1000, help="in the folder")
    args = parser.parse_args()
    print(f"{torch.get_num_threads()} threads, load of the machine {os.getloadavg()[0]:.1f} of {os.cpu_count()}")
    for size in [args.size] if args.size else ["base", "bundled"]:
        with tempfile.TemporaryDirectory() as scratch:
            for name in [args.part] if args.part else PARTS:
                print(f"\n### {size}: {name}\n", flush=True)
                PARTS[name](model_folder(size, Path(scratch)), args)


def model_folder(size: str, scratch: Path) -> Path:
    """The bundled checkpoint's, or that of a random model."""
    from virtus.checkpoints import locate

    if size == "bundled":
        return locate()[1]
    if not (scratch / "config.json").exists():
        write_model(scratch, size)
    return scratch


if __name__ == "__main__":
    main()
