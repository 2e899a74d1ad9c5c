"""Which explanation points at what was altered? `python -m benchmarks.explanations DATA` prints Markdown tables.

`--count`: forgeries of each kind that the checkpoint calls fake. Of every `--every`-th there is a map by occlusion and
one of the unforged picture; `--tested` of them, evenly taken, are held against models with random weights and, by
deletion and insertion, against `--random` random maps. `--limit`: reals of each source.
`--part choose` is what to choose by.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

import virtus
from benchmarks import interval_cell, parser
from benchmarks.explanations.forgeries import KINDS, SELF_BLENDED, Catch, Fake, called_real, catch_fakes, find_originals
from benchmarks.explanations.measures import Rows, compare_randomised, judge_faithfulness, localise, time_each
from train.pictures import PARTS
from train.report import Figure, with_intervals
from virtus.explain import EXPLAINERS
from virtus.results import Outcome

TITLES = {
    "hit": "pointing hits",
    "inside": "relevance inside",
    "iou": "IoU",
    "hit_before": "hits before forging",
    "better": "better than chance",
}


def main() -> None:
    options = parser(__doc__, data=True, model="auto", part="report", limit=0, count=60, every=5, tested=75, random=99)
    options.add_argument("--methods", nargs="+", choices=EXPLAINERS, default=list(EXPLAINERS), help="default: all")
    args, start = options.parse_args(), time.perf_counter()
    detector = virtus.Detector(virtus.load_checkpoint(args.model))
    found = find_originals(args.data, part=args.part, limit=args.limit)
    originals = called_real(detector, found)
    info = detector.checkpoint.info
    print(f"{info.name}, sha256 {info.sha256[:12]}; `{args.part}` part of {args.data.name}: {len(originals)} of")
    print(f"{len(found)} real pictures are called real and were forged\n", flush=True)
    catches = {kind: catch_fakes(detector, originals, kind, count=args.count) for kind in KINDS}
    print(catch_table(catches))
    fakes = [fake for catch in catches.values() for fake in catch.fakes]
    tested = fakes[:: math.ceil(len(fakes) / args.tested)]
    print_localisation(localise(detector, fakes, args.methods, every=args.every), fakes)
    likeness = compare_randomised(detector, tested, args.methods)
    print_table("Likeness to the map of a model with random weights, from the top down", likeness, tested)
    faithfulness = judge_faithfulness(detector, tested, args.methods, num_random=args.random)
    print_table("What the verdict needs", faithfulness, tested)
    times = time_each(detector, fakes, args.methods)
    print(f"\n{' '.join(f'{name} {taken:.0f} ms,' for name, taken in times.items())} a face", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s")


def print_localisation(rows: Rows, fakes: Sequence[Fake]) -> None:
    for title, kinds in {"Part swaps": PARTS, "Self-blended": [SELF_BLENDED]}.items():
        print_table(title, rows, fakes, kinds)
    hits = {part: summarise(rows, fakes, [part]) for part in PARTS}
    figures = {name: {part: hits[part][name]["hit"] for part in PARTS} for name in rows}
    print(f"\n**Pointing hits by part**\n\n{table(figures)}", flush=True)


def print_table(title: str, rows: Rows, fakes: Sequence[Fake], kinds: Sequence[str] = KINDS) -> None:
    count = sum(fake.kind in kinds for fake in fakes)
    print(f"\n**{title}**, {count} fakes\n\n{table(summarise(rows, fakes, kinds))}", flush=True)


def summarise(rows: Rows, fakes: Sequence[Fake], kinds: Sequence[str]) -> dict[str, dict[str, Figure]]:
    """Means with 95 % intervals by a bootstrap over groups, of the fakes of some kinds: name to measure to figure."""
    own = np.array([fake.kind in kinds for fake in fakes])
    samples = [fake.sample for fake in fakes if fake.kind in kinds]
    groups, sources = [one.group for one in samples], [one.source for one in samples]
    columns = {(name, key): values[own] for name, row in rows.items() for key, values in row.items()}
    values = np.array(list(columns.values()))
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)

    def means(weights: np.ndarray) -> dict[str, float]:
        with np.errstate(invalid="ignore"):
            return dict(zip(map(" ".join, columns), (filled @ weights) / (known @ weights), strict=True))

    found = with_intervals(means, groups, sources)
    return {name: {key: found[f"{name} {key}"] for key in row} for name, row in rows.items()}


def catch_table(catches: dict[str, Catch]) -> str:
    """How many forgeries were made of each kind, and how many of them are called fake."""
    lines = [
        "| kind | forged | called fake | unforged copy called fake | kept | of these `fake` | median p before, after |",
        "| --- |" + " ---: |" * 6,
    ]
    for kind, catch in catches.items():
        beyond = sum(fake.outcome is Outcome.FAKE for fake in catch.fakes)
        before, after = (np.median([getattr(fake, key) for fake in catch.fakes]) for key in ("p_original", "p_fake"))
        share = f"{catch.called_fake} ({catch.called_fake / catch.tried:.1%})"
        cells = [
            kind,
            catch.tried,
            share,
            catch.copies_called_fake,
            len(catch.fakes),
            beyond,
            f"{before:.2f}, {after:.2f}",
        ]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    return "\n".join(lines)


def table(figures: dict[str, dict[str, Figure]]) -> str:
    """A line for each method and baseline, a column for each measure."""
    columns = list(next(iter(figures.values())))
    lines = ["| method | " + " | ".join(TITLES.get(key, key) for key in columns) + " |"]
    lines += ["| --- |" + " ---: |" * len(columns)]
    lines += [f"| {name} | " + " | ".join(map(_cell, row.values())) + " |" for name, row in figures.items()]
    return "\n".join(lines)


def _cell(figure: Figure) -> str:
    return interval_cell(figure, digits=2, missing="")


if __name__ == "__main__":
    main()
