"""Accuracy, macro F1 and AUC for each source on the reporting half of `val`: `python -m benchmarks.quality DATA`."""

from __future__ import annotations

import argparse
from pathlib import Path

from train.evaluate import evaluate_sources, source_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="[<source>/]val/Real|Fake, with groups.csv")
    parser.add_argument("--model", default="auto")
    args = parser.parse_args()
    results = evaluate_sources(args.model, args.data, part="report")
    info = next(iter(results.values())).checkpoint
    print(f"{info.name} ({info.revision}, sha256 {info.sha256[:12]}), reporting half of val in {args.data}\n")
    print(source_table(results))


if __name__ == "__main__":
    main()
