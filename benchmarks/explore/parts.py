"""What trying each part of a face is worth: `python -m benchmarks.explore.parts DATA` prints Markdown tables.

Each part that Explore names is taken away, blurred and greyed, as its button does; what counts is the smaller change of
p, where both have one direction. Of part swaps it is asked whether the part that Explore names holds the forgery: at
least half of its patches were altered. Chance is the mean share of a face's parts of which that is so.

`--count`: part swaps of each part; `--limit`: fakes of each source, of which those count that are called fake, and five
times as many reals.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks import parser
from benchmarks.explanations.forgeries import INSIDE, THRESHOLD, called_real, catch_fakes, find_originals
from train.pictures import PARTS, FaceCache
from train.report import held_out
from virtus.checkpoints import Detector, load_checkpoint
from virtus.explain import erasing_judge
from virtus.faces import BACKGROUND, crop_face
from virtus.media import load_image
from virtus.results import Face, FaceCrop, Label, Outcome

NEVER = -1.0  # below each change of p
LITTLE = 0.05  # as assets/scripts/explore-tried.js has it
DIRECTIONS = ("both more fake", "both more real", "apart", "one alone", "less than 0.05 by both")


@dataclass(frozen=True)
class TriedPart:
    """What came of taking a part away.

    Attributes:
        blurred, greyed: by how much p of fake changed.
        is_forged: whether at least half of its patches were altered.
    """

    name: str
    blurred: float
    greyed: float
    is_forged: bool = False

    @property
    def change(self) -> float:
        """The smaller one; 0 where they go in opposite directions."""
        return 0.0 if self.is_apart else min(self.blurred, self.greyed, key=abs)

    @property
    def is_apart(self) -> bool:
        return self.blurred * self.greyed < 0

    @property
    def direction(self) -> str:
        """One of `DIRECTIONS`."""
        changes = (self.blurred, self.greyed)
        if max(map(abs, changes)) < LITTLE:
            return "less than 0.05 by both"
        if abs(self.change) >= LITTLE:
            return "both more fake" if self.change > 0 else "both more real"
        return "apart" if self.is_apart else "one alone"


@dataclass(frozen=True)
class Tried:
    """All parts of a face, and its verdict."""

    parts: list[TriedPart]
    outcome: Outcome

    def away(self, part: TriedPart) -> float:
        """How far its loss leads away from the verdict; from an inconclusive one towards real, where any part does."""
        falls = any(one.change <= -LITTLE for one in self.parts if one.name != BACKGROUND)
        signs = {Outcome.REAL: part.change, Outcome.FAKE: -part.change}
        return signs.get(self.outcome, -part.change if falls else abs(part.change))


def try_parts(detector: Detector, face: Face, crop: FaceCrop, share: np.ndarray | None = None) -> Tried:
    """`share`: of each patch, that was altered, (grid_h, grid_w)."""
    cells = np.array(detector.checkpoint.name_patches(face, crop))
    names = list(dict.fromkeys(cells.tolist()))
    masks = np.array([cells == name for name in names])
    (whole,) = detector.predict([crop])
    blurred, greyed = (erasing_judge(detector, crop, fill)(masks) - whole.p_fake for fill in ("blur", "grey"))
    altered = np.zeros(len(cells)) if share is None else share.ravel()
    forged = [bool((altered[mask] >= INSIDE).mean() >= 0.5) for mask in masks]
    return Tried([TriedPart(*row) for row in zip(names, blurred, greyed, forged, strict=True)], whole.outcome)


def named_rows(swaps: Sequence[Tried]) -> Iterator[str]:
    """Whether the part that is named holds the forgery, by several ways to name one."""
    ways: dict[str, Callable[[Tried, TriedPart], float]] = {
        "changes p most": lambda _, part: abs(part.change),
        "the same, background left out": lambda _, part: abs(part.change) if part.name != BACKGROUND else NEVER,
        "of these, most away from the verdict, by 0.05 (what Explore names)": lambda one, part: (
            one.away(part) if part.name != BACKGROUND else NEVER
        ),
    }
    yield "| the part named | part swaps | holds the forgery | chance |"
    yield "| --- | ---: | ---: | ---: |"
    for (words, way), least in zip(ways.items(), (0, 0, LITTLE), strict=True):
        told = [{part: way(one, part) for part in one.parts if way(one, part) > NEVER} for one in swaps]
        told = [scores for scores in told if max(scores.values()) >= least]
        hits = statistics.fmean(max(scores, key=scores.__getitem__).is_forged for scores in told)
        chance = statistics.fmean(statistics.fmean(part.is_forged for part in scores) for scores in told)
        yield f"| {words} | {len(told)} | {hits:.2f} | {chance:.2f} |"


def direction_rows(groups: dict[str, Sequence[Tried]]) -> Iterator[str]:
    yield f"| parts, each taken away | parts | {' | '.join(DIRECTIONS)} |"
    yield f"| --- | ---: |{' ---: |' * len(DIRECTIONS)}"
    for words, tried in groups.items():
        found = [part.direction for one in tried for part in one.parts]
        counts = " | ".join(str(found.count(direction)) for direction in DIRECTIONS)
        yield f"| {len(tried)} {words} | {len(found)} | {counts} |"


def fakes_of(detector: Detector, data: Path, part: str, limit: int) -> Iterator[Tried]:
    """Those of the data sets that are called fake."""
    samples = [one for one in held_out(data, part=part, limit=limit) if one.label is Label.FAKE]
    faces = FaceCache().find([one.path for one in samples])
    for one in samples:
        if face := faces[one.path]:
            crop = crop_face(load_image(one.path), face, margin=detector.checkpoint.margin)
            if detector.predict([crop])[0].p_fake >= THRESHOLD:
                yield try_parts(detector, face, crop)


def main() -> None:
    args = parser(__doc__, data=True, model="auto", part="choose", limit=4, count=8).parse_args()
    detector = Detector(load_checkpoint(args.model))
    originals = called_real(detector, find_originals(args.data, part=args.part, limit=5 * args.limit))
    margin = detector.checkpoint.margin
    reals = originals[:: max(1, len(originals) // 16)][:16]
    of_reals = [try_parts(detector, one.face, crop_face(one.photo, one.face, margin=margin)) for one in reals]
    faces = {one.sample.path: one.face for one in originals}
    fakes = [fake for kind in PARTS for fake in catch_fakes(detector, originals, kind, count=args.count).fakes]
    swaps = [try_parts(detector, faces[fake.sample.path], fake.crop, fake.share) for fake in fakes]
    of_fakes = list(fakes_of(detector, args.data, args.part, args.limit))
    print("\n".join(named_rows(swaps)), end="\n\n")
    print("\n".join(direction_rows({"reals": of_reals, "part swaps": swaps, "fakes of data sets": of_fakes})))


if __name__ == "__main__":
    main()
