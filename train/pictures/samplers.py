"""In which order rows are shown: couples of a real picture and a fake side by side."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from torch.utils.data import Sampler

from virtus.results import Label


class RowKind(NamedTuple):
    """What a sampler knows of a row.

    Attributes:
        group: a fake and its original have the same.
        stratum: what is to be shown as often as others of its class: a source, or a kind of fake.
    """

    label: Label
    group: str
    stratum: str = ""


class CoupleSampler(Sampler[int]):
    """Rows in an order in which each two neighbours are a real picture and a fake.

    The same seed and epoch give the same order, in every process. What comes again in an epoch is numbered as
    `TrainDataset` takes it: by the row plus a multiple of all.
    """

    def __init__(self, kinds: Sequence[RowKind], *, seed: int):
        self.seed, self.epoch, self.num_rows = seed, 0, len(kinds)
        self.by_group = defaultdict[str, tuple[list[int], list[int]]](lambda: ([], []))
        for row, kind in enumerate(kinds):
            self.by_group[kind.group][kind.label is Label.FAKE].append(row)
        self.groups = [both for both in self.by_group.values() if all(both)]

    @property
    def num_pairs(self) -> int:
        """Couples of one group, in an epoch."""
        raise NotImplementedError

    def __len__(self) -> int:
        """How many rows an epoch shows."""
        raise NotImplementedError

    def couples(self, draw: random.Random) -> list[tuple[int, int]]:
        """Of an epoch: each a real and a fake."""
        raise NotImplementedError

    def set_epoch(self, epoch: int) -> None:
        """From now on another order is drawn."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        shown = Counter[int]()
        for row in (row for couple in self.couples(random.Random(f"{self.seed} {self.epoch}")) for row in couple):
            yield row + shown[row] * self.num_rows
            shown[row] += 1


class PairSampler(CoupleSampler):
    """All rows, those of one group beside each other wherever it has both classes.

    In such a group every picture of the more frequent class stands beside one of the other, of which all come equally
    often. The rest is filled up to couples likewise, across groups. Pairs lie evenly among these, so that batches of an
    even size hold about equally many.

    Args:
        kinds: of each row, of both classes some.
    """

    def __init__(self, kinds: Sequence[RowKind], *, seed: int):
        super().__init__(kinds, seed=seed)
        alone = [both for both in self.by_group.values() if not all(both)]
        reals, fakes = ([row for both in alone for row in both[index]] for index in (0, 1))
        if reals or fakes:  # where one class is all in pairs, its pictures there serve twice
            of_class = {label: [row for row, kind in enumerate(kinds) if kind.label is label] for label in Label}
            reals, fakes = reals or of_class[Label.REAL], fakes or of_class[Label.FAKE]
        self.rest = reals, fakes

    @property
    def num_pairs(self) -> int:
        return sum(max(map(len, both)) for both in self.groups)

    def __len__(self) -> int:
        return 2 * (self.num_pairs + max(map(len, self.rest)))

    def couples(self, draw: random.Random) -> list[tuple[int, int]]:
        pairs = [couple for both in self.groups for couple in _couples(*both, draw)]
        kinds = (draw.sample(couples, len(couples)) for couples in (pairs, _couples(*self.rest, draw)))
        placed = [((place + 0.5) / len(couples), couple) for couples in kinds for place, couple in enumerate(couples)]
        return [couple for _, couple in sorted(placed)]


class BalancedSampler(CoupleSampler):
    """As many couples as there are fakes, whose strata take turns; each fake beside a real of its group.

    One without such a real stands beside one of another group, of which the strata take turns too. Within a stratum all
    rows are shown before one is shown again.

    Args:
        kinds: of each row, of both classes some.
        weights: how often a stratum's turn comes; once where it is not named, never at 0.
    """

    def __init__(self, kinds: Sequence[RowKind], *, seed: int, weights: Mapping[str, int]):
        super().__init__(kinds, seed=seed)
        self.kinds, self.weights = kinds, weights
        self.strata = {label: self._strata(label) for label in Label}
        self.num_couples = sum(map(len, self.strata[Label.FAKE].values()))

    def _strata(self, label: Label) -> dict[str, list[int]]:
        rows = defaultdict[str, list[int]](list)
        for row, kind in enumerate(self.kinds):
            if kind.label is label and self.weights.get(kind.stratum, 1):
                rows[kind.stratum].append(row)
        return dict(rows)

    @property
    def num_pairs(self) -> int:
        return sum(kind.group == self.kinds[real].group for real, kind in self._first_couples())

    def __len__(self) -> int:
        return 2 * self.num_couples

    def couples(self, draw: random.Random) -> list[tuple[int, int]]:
        fakes, reals = (self._in_turn(self.strata[label], draw) for label in (Label.FAKE, Label.REAL))
        return [
            (draw.choice(originals) if (originals := self._originals(fake)) else next(reals), fake)
            for fake in islice(fakes, self.num_couples)
        ]

    def _first_couples(self) -> Iterator[tuple[int, RowKind]]:
        return ((real, self.kinds[fake]) for real, fake in self.couples(random.Random(f"{self.seed} 0")))

    def _originals(self, fake: int) -> list[int]:
        return self.by_group[self.kinds[fake].group][0]

    def _in_turn(self, strata: Mapping[str, list[int]], draw: random.Random) -> Iterator[int]:
        """Rows without end."""
        rows = {stratum: _again_and_again(members, draw) for stratum, members in strata.items()}
        turn = [stratum for stratum in strata for _ in range(self.weights.get(stratum, 1))]
        while True:
            for stratum in draw.sample(turn, len(turn)):
                yield next(rows[stratum])


def _again_and_again(rows: list[int], draw: random.Random) -> Iterator[int]:
    while True:
        yield from draw.sample(rows, len(rows))


def _couples(reals: list[int], fakes: list[int], draw: random.Random) -> list[tuple[int, int]]:
    """Each of the more frequent beside one of the others."""
    reals, fakes = (draw.sample(rows, len(rows)) for rows in (reals, fakes))
    count = max(len(reals), len(fakes))
    return [(reals[place % len(reals)], fakes[place % len(fakes)]) for place in range(count)]
