"""The table of what trying each part is worth, by hand."""

import re

import pytest

from benchmarks.explore.parts import LITTLE, Tried, TriedPart, direction_rows, named_rows
from virtus.bundled import ASSETS
from virtus.results import Outcome

SURER = TriedPart("mouth", 0.2, 0.1)  # without it a fake is more fake
NOSE = TriedPart("nose", -0.2, -0.06, is_forged=True)
AROUND = TriedPart("background", -0.9, -0.8)


@pytest.mark.parametrize(
    ("blurred", "greyed", "change", "direction"),
    [
        (0.2, 0.06, 0.06, "both more fake"),
        (-0.06, -0.3, -0.06, "both more real"),
        (-0.06, 0.3, 0, "apart"),
        (0.3, 0.04, 0.04, "one alone"),
        (-0.3, 0.0, 0, "one alone"),
        (0.04, -0.04, 0, "less than 0.05 by both"),
    ],
)
def test_the_smaller_change_counts_where_both_have_one_direction(blurred, greyed, change, direction):
    part = TriedPart("nose", blurred, greyed)
    assert (part.change, part.direction) == (change, direction)


def test_the_page_tells_of_the_same_changes():
    (little,) = re.findall(r"const LITTLE = ([\d.]+);", (ASSETS / "scripts" / "explore-tried.js").read_text("utf-8"))
    assert float(little) == LITTLE


def test_a_part_without_which_the_verdict_is_surer_is_not_named():
    real, fake, unclear = (
        Tried([SURER, NOSE], outcome) for outcome in (Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE)
    )
    assert [one.away(SURER) for one in (real, fake, unclear)] == [0.1, -0.1, -0.1]  # the nose leads towards real
    assert [one.away(NOSE) for one in (real, fake, unclear)] == [-0.06, 0.06, 0.06]
    assert Tried([SURER, AROUND], Outcome.INCONCLUSIVE).away(SURER) == 0.1  # the background is no part of the face


def test_hits_and_chance_are_of_the_parts_that_could_be_named():
    """Of two faces the first names its forged nose, the second nothing: its nose leads away by too little."""
    faint = TriedPart("nose", -0.04, -0.04)
    *_, largest, face, named = named_rows(
        [Tried([SURER, NOSE, AROUND], Outcome.FAKE), Tried([SURER, faint, AROUND], Outcome.FAKE)]
    )
    assert largest.endswith("| 2 | 0.00 | 0.17 |")  # the background; 1 of 3 and 0 of 3 parts are forged
    assert face.endswith("| 2 | 0.00 | 0.25 |")  # the mouth
    assert named.endswith("| 1 | 1.00 | 0.50 |")


def test_each_part_is_counted_once():
    *_, row = direction_rows({"reals": [Tried([SURER, NOSE, AROUND], Outcome.REAL)]})
    assert row == "| 1 reals | 3 | 1 | 2 | 0 | 0 | 0 |"
