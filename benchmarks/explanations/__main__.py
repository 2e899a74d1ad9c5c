"""Which explanation points at what was altered? `python -m benchmarks.explanations DATA` prints Markdown tables.

`--count` is of part swaps that the checkpoint calls fake; of every `--every`-th fake deletion, insertion and change are
measured. `--part choose` is what to choose by.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np

import virtus
from benchmarks import parser
from benchmarks.explanations.forgeries import KINDS, SELF_BLENDED, Catch, Fake, called_real, catch_fakes, find_originals
from benchmarks.explanations.measures import MEASURES, measure, time_each
from train.pictures import PARTS
from train.report import Figure, with_intervals
from virtus.explain import EXPLAINERS
from virtus.results import Outcome

TITLES = {
    "hit": "pointing hits",
    "inside": "relevance inside",
    "iou": "IoU",
    "hit_before": "hits before forging",
    "deletion": "deletion",
    "insertion": "insertion",
    "change": "change, random weights",
}
BLENDED_SHARE = 1 / 3  # self-blended fakes for each part swap
Rows = dict[str, dict[str, np.ndarray]]


def main() -> None:
    args = parser(__doc__, data=True, model="auto", part="report", count=300, every=5).parse_args()
    start = time.perf_counter()
    detector = virtus.Detector(virtus.load_checkpoint(args.model))
    found = find_originals(args.data, part=args.part)
    originals = called_real(detector, found)
    catches = {kind: catch_fakes(detector, originals, kind, count=_wanted(kind, args.count)) for kind in KINDS}
    fakes = [fake for catch in catches.values() for fake in catch.fakes]
    rows = measure(detector, fakes, list(EXPLAINERS), every=args.every)
    times = time_each(detector, fakes, list(EXPLAINERS))
    figures = {name: summarise(rows, fakes, kinds) for name, kinds in _sets().items()}
    info = detector.checkpoint.info
    print(
        f"{info.name}, sha256 {info.sha256[:12]}; `{args.part}` part of {args.data.name}: {len(originals)} of "
        f"{len(found)} real pictures are called real and were forged; {time.perf_counter() - start:.0f} s"
    )
    print(f"\n{catch_table(catches)}")
    print(f"\n**Part swaps (never trained on)**, {_count(fakes, PARTS)} fakes\n\n{table(figures['part swaps'], times)}")
    print(f"\n**Self-blended (trained on)**, {_count(fakes, [SELF_BLENDED])} fakes\n\n{table(figures[SELF_BLENDED])}")
    print(f"\n**Pointing hits by part**\n\n{part_table(figures)}")


def _wanted(kind: str, count: int) -> int:
    return math.ceil(count * BLENDED_SHARE if kind == SELF_BLENDED else count / len(PARTS))


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


def table(figures: dict[str, dict[str, Figure]], times: dict[str, float] | None = None) -> str:
    """A line for each method and baseline, a column for each measure."""
    titles = [TITLES[key] for key in MEASURES] + ["ms"] * bool(times)
    lines = ["| method | " + " | ".join(titles) + " |", "| --- |" + " ---: |" * len(titles)]
    for name, row in figures.items():
        cells = [_cell(row[key]) for key in MEASURES]
        cells += [f"{times[name]:.1f}" if name in times else ""] if times else []
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def part_table(figures: dict[str, dict[str, dict[str, Figure]]]) -> str:
    """A line for each method and baseline, a column for each part."""
    lines = ["| method | " + " | ".join(PARTS) + " |", "| --- |" + " ---: |" * len(PARTS)]
    for name in figures[PARTS[0]]:
        lines.append(f"| {name} | " + " | ".join(_cell(figures[part][name]["hit"]) for part in PARTS) + " |")
    return "\n".join(lines)


def _sets() -> dict[str, Sequence[str]]:
    return {"part swaps": PARTS, **{kind: [kind] for kind in KINDS}}


def _cell(figure: Figure) -> str:
    if figure.value is None:
        return ""
    interval = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low is not None else ""
    return f"{figure.value:.2f}{interval}"


def _count(fakes: Sequence[Fake], kinds: Sequence[str]) -> int:
    return sum(fake.kind in kinds for fake in fakes)


if __name__ == "__main__":
    main()
