import itertools
from collections import Counter

import pytest

from train.pictures.samplers import BalancedSampler, PairSampler, RowKind
from virtus.results import Label

REAL, FAKE = Label.REAL, Label.FAKE
KINDS = [(REAL, "a"), (FAKE, "a"), (FAKE, "a"), (REAL, "b"), (FAKE, "c"), (REAL, "d"), (REAL, "d"), (FAKE, "d")]


def couples_of(kinds, *, seed=0, epoch=0):
    sampler = PairSampler([RowKind(*kind) for kind in kinds], seed=seed)
    sampler.set_epoch(epoch)
    numbers = list(sampler)
    assert len(numbers) == len(set(numbers)) == len(sampler)  # what is shown again is drawn again
    rows = [number % len(kinds) for number in numbers]
    return list(zip(rows[::2], rows[1::2], strict=True))


def test_each_fake_stands_beside_its_own_original():
    """By hand: group a has one real for two fakes, d two reals for one fake; b and c are left for each other."""
    assert sorted(couples_of(KINDS)) == [(0, 1), (0, 2), (3, 4), (5, 7), (6, 7)]


def test_of_several_originals_another_is_drawn_in_each_epoch_and_the_same_by_the_same_seed():
    kinds = [(REAL, "a")] * 3 + [(FAKE, "a")] * 3
    assert {frozenset(couples_of(kinds, epoch=epoch)) for epoch in range(20)} == {
        frozenset(zip(order, (3, 4, 5), strict=True)) for order in itertools.permutations(range(3))
    }
    assert couples_of(KINDS, epoch=3) == couples_of(KINDS, epoch=3)
    assert couples_of(KINDS, seed=1) != couples_of(KINDS, seed=2)


def test_pairs_lie_evenly_among_couples_across_groups():
    """Three pairs, six reals and two fakes without a group: of each three couples one is a pair."""
    kinds = [(label, group) for group in "abc" for label in (REAL, FAKE)]
    kinds += [(REAL, str(index)) for index in range(6)] + [(FAKE, "x"), (FAKE, "y")]
    couples = couples_of(kinds)
    assert len(couples) == 9
    assert [sum(kinds[real][1] == kinds[fake][1] for real, fake in couples[at : at + 3]) for at in (0, 3, 6)] == [1] * 3
    assert sorted(fake for _, fake in couples) == [1, 3, 5, 12, 12, 12, 13, 13, 13]


def test_where_all_of_a_class_are_in_pairs_they_serve_the_rest_too():
    couples = couples_of([(REAL, "a"), (FAKE, "a"), (FAKE, "b")])
    assert sorted(couples) == [(0, 1), (0, 2)]


MANY = [RowKind(FAKE, f"a{index}", "a") for index in range(8)] + [
    RowKind(FAKE, "pair", "b"),
    RowKind(REAL, "pair", "x"),
]
MANY += [RowKind(REAL, f"x{index}", "x") for index in range(6)] + [RowKind(REAL, "y", "y")]


@pytest.mark.parametrize(
    ("weights", "turns"), [({}, {"a": 5, "b": 4}), ({"b": 2}, {"a": 3, "b": 6}), ({"b": 0}, {"a": 8})]
)
def test_strata_of_fakes_take_turns_by_their_weights(weights, turns):
    """By hand: an epoch is of as many couples as there are fakes; nine, and eight where b is left out."""
    sampler = BalancedSampler(MANY, seed=1, weights=weights)
    rows = [number % len(MANY) for number in sampler]
    assert len(rows) == len(sampler)
    found = Counter(MANY[row].stratum for row in rows[1::2])
    assert set(found) == set(turns)
    assert all(abs(found[name] - count) <= 1 for name, count in turns.items())


def test_in_balanced_batches_a_fake_stands_beside_its_original_and_other_reals_take_turns():
    sampler = BalancedSampler(MANY, seed=1, weights={})
    rows = [number % len(MANY) for number in sampler]
    couples = list(zip(rows[::2], rows[1::2], strict=True))
    assert all(MANY[real].label is REAL and MANY[fake].label is FAKE for real, fake in couples)
    assert all(real == 9 for real, fake in couples if fake == 8)
    others = Counter(MANY[real].stratum for real, fake in couples if fake != 8)
    assert abs(others["x"] - others["y"]) <= 1
    assert sampler.num_pairs == sum(fake == 8 for _, fake in couples)


def test_in_balanced_batches_all_of_a_stratum_come_before_one_comes_again():
    sampler = BalancedSampler(MANY, seed=1, weights={"b": 0})
    fakes = [number % len(MANY) for number in sampler][1::2]
    assert sorted(fakes) == list(range(8))


def test_balanced_batches_are_drawn_by_seed_and_epoch_alone():
    first, again = (BalancedSampler(MANY, seed=1, weights={}) for _ in range(2))
    assert list(first) == list(again)
    again.set_epoch(1)
    assert list(first) != list(again)
