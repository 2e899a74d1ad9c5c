"""How often a small change flips a face, and what a flip tells: `python -m benchmarks.stability DATA`.

`--limit`: pictures of each source and class; 0 for all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from benchmarks import parser
from train.report import held_out
from virtus.checkpoints import EVEN, Detector, load_checkpoint
from virtus.judging import CHANGES, analyze_paths, find_stability
from virtus.results import Label, Stability

ALL = "all"


@dataclass(frozen=True)
class LabelledFace:
    """The largest judged face of a picture, whose class is known."""

    source: str
    label: Label
    p_fake: float
    stability: Stability

    @property
    def right(self) -> bool:
        return (self.p_fake >= EVEN) == (self.label is Label.FAKE)

    def flips_under(self, name: str) -> bool:
        p_by_change = self.stability.p_by_change
        return name in p_by_change and find_stability(self.p_fake, {name: p_by_change[name]}).flips


def judge(detector: Detector, data: Path, *, part: str, limit: int) -> list[LabelledFace]:
    """The faces of held-out pictures, each judged again under every change."""
    samples = held_out(data, part=part, limit=limit)
    reports = analyze_paths(detector, [sample.path for sample in samples], stability=True)
    found = zip(samples, tqdm(reports, total=len(samples), unit="img"), strict=True)
    largest = [(s, next((face for face in report.faces if face.stability), None)) for s, report in found]
    return [
        LabelledFace(sample.source, sample.label, face.p_fake, face.stability)
        for sample, face in largest
        if face and face.p_fake is not None and face.stability
    ]


def print_by_class(rows: list[LabelledFace]) -> None:
    print("| source | class | faces | flip | mean interval | right, no flip | right, flip |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for source in [*sorted({row.source for row in rows}), ALL]:
        own = [row for row in rows if source in (row.source, ALL)]
        for name, kept in (
            *((str(label), [row for row in own if row.label is label]) for label in Label),
            ("both", own),
        ):
            flips = [row for row in kept if row.stability.flips]
            steady = [row for row in kept if not row.stability.flips]
            width = np.mean([row.stability.high - row.stability.low for row in kept]) if kept else np.nan
            cells = (
                len(kept),
                _share(kept, lambda row: row.stability.flips),
                f"{width:.3f}",
                _right(steady),
                _right(flips),
            )
            print(f"| {source} | {name} | {' | '.join(map(str, cells))} |")


def print_by_change(rows: list[LabelledFace]) -> None:
    print("| change | flips | mean change of p |\n| --- | ---: | ---: |")
    for name in CHANGES:
        own = [row for row in rows if name in row.stability.p_by_change]
        moved = np.mean([abs(row.stability.p_by_change[name] - row.p_fake) for row in own])
        print(f"| {name} | {_share(own, lambda row, name=name: row.flips_under(name))} | {moved:.3f} |")


def _right(rows: list[LabelledFace]) -> str:
    return f"{_share(rows, lambda row: row.right)} of {len(rows)}"


def _share(rows: list[LabelledFace], has: Callable[[LabelledFace], bool]) -> str:
    return f"{np.mean([has(row) for row in rows]):.1%}" if rows else "-"


def main() -> None:
    args = parser(__doc__, data=True, model="auto", limit=100, part="report").parse_args()
    detector = Detector(load_checkpoint(args.model))
    rows = judge(detector, args.data, part=args.part, limit=args.limit)
    info = detector.checkpoint.info
    print(f"{info.name} (sha256 {info.sha256[:12]}), part {args.part!r} of val in {args.data}\n")
    print_by_class(rows)
    print()
    print_by_change(rows)


if __name__ == "__main__":
    main()
