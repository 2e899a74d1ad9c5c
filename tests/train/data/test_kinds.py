from pathlib import Path

import pytest

from train.data.kinds import BLENDED, check_left_out, is_left_out, is_made, kind_of
from train.data.samples import Sample
from virtus.errors import DataError
from virtus.results import Label

KINDS = {
    "round trips": ("*/again_*",),
    "generated": ("gan/*", "more/*"),
    "drawn": ("clips/Drawn*",),
    "composites": ("made/*",),
}


def sample(source, name, label=Label.FAKE):
    return Sample(Path(source, "train", label, name), label, source, "train", f"{source}/{name}")


@pytest.mark.parametrize(
    ("source", "name", "kind"),
    [("gan", "1.jpg", "generated"), ("gan", "again_1.jpg", "round trips"), ("clips", "Drawn_1.jpg", "drawn"),
     ("clips", "Other_1.jpg", None), ("else", "1.jpg", None)],
)  # fmt: skip
def test_a_fake_is_of_the_first_kind_that_it_matches(source, name, kind):
    assert kind_of(sample(source, name), KINDS) == kind
    assert kind_of(sample(source, name, Label.REAL), KINDS) is None


@pytest.mark.parametrize(
    ("left_out", "gone"),
    [
        ("generated", {"gan real", "gan fake", "gan again", "more real"}),  # the real side of its origin too
        ("drawn", {"clips real", "clips Drawn", "clips Other"}),
        ("round trips", {"gan again", "else again"}),  # of all origins: none of these goes
        ("composites", set()),
        ("else", {"else real", "else again"}),  # a source by its name
    ],
)
def test_all_of_the_origin_of_a_kind_is_left_out_with_it(left_out, gone):
    samples = {
        "gan real": sample("gan", "1.jpg", Label.REAL), "gan fake": sample("gan", "2.jpg"),
        "gan again": sample("gan", "again_1.jpg"), "more real": sample("more", "1.jpg", Label.REAL),
        "clips real": sample("clips", "1.jpg", Label.REAL), "clips Drawn": sample("clips", "Drawn.jpg"),
        "clips Other": sample("clips", "Other.jpg"), "else real": sample("else", "1.jpg", Label.REAL),
        "else again": sample("else", "again_2.jpg"),
    }  # fmt: skip
    assert {name for name, one in samples.items() if is_left_out(one, [left_out], KINDS)} == gone


def test_fakes_are_made_here_unless_their_kind_is_left_out():
    assert is_made(BLENDED, ["generated"], KINDS)
    assert not is_made(BLENDED, ["composites"], KINDS)


def test_what_there_is_not_cannot_be_left_out():
    check_left_out([sample("gan", "1.jpg")], ["gan", "drawn"], KINDS)
    with pytest.raises(DataError, match=r"no kind or source 'swaps' to leave out. There are: round trips, .*, gan"):
        check_left_out([sample("gan", "1.jpg")], ["swaps"], KINDS)
