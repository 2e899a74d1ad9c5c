"""Maps as HTML, for the app and for written reports: what they show, how to read it, and whether to believe it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtus.drawing import legend_ends
from virtus.explain import EXPLAINERS, describe_faithfulness
from virtus.html.templates import render_part
from virtus.results import Explanation, Faithfulness

if TYPE_CHECKING:
    from markupsafe import Markup


def map_caption(explanation: Explanation) -> Markup:
    """What the shown map speaks of, and how its colours are read."""
    return render_part(
        "map.html",
        "caption",
        explanation=explanation,
        method=EXPLAINERS[explanation.method],
        full_colour=full_colour(),
    )


def full_colour() -> float:
    """Logits a patch from which on a signed map has its full colour."""
    return legend_ends()[1][0]


def trust_line(faithfulness: Faithfulness, map_name: str = "This map") -> Markup:
    """Whether the map is better than chance, in words."""
    words = describe_faithfulness(faithfulness)
    sentence = f"{map_name} is {words}." if faithfulness.num_random else f"{words[0].upper()}{words[1:]}."
    return render_part("map.html", "trust", faithfulness=faithfulness, sentence=sentence)


def test_progress(map_name: str, done: int, total: int) -> Markup:
    """How far the test of a map against chance is."""
    return render_part("map.html", "testing", map_name=map_name, done=done, total=total)
