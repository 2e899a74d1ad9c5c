"""Maps as HTML, for the app and for written reports: what they show, how to read it, and whether to believe it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from PIL import Image

from virtus.drawing import legend_ends
from virtus.explain import EXPLAINERS, describe_faithfulness
from virtus.html.templates import render_part
from virtus.results import Explanation, Faithfulness

if TYPE_CHECKING:
    from markupsafe import Markup

TESTING = "Is this map better than chance? It is being held against 99 random ones…"


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


def trust_line(faithfulness: Faithfulness | None) -> Markup:
    """Whether the map is better than chance, in words; that it is being measured, where that is None."""
    sentence = TESTING
    if faithfulness:
        words = describe_faithfulness(faithfulness)
        sentence = f"This map is {words}." if faithfulness.num_random else f"{words[0].upper()}{words[1:]}."
    return render_part("map.html", "trust", faithfulness=faithfulness, sentence=sentence)


def side_by_side(overlays: Iterable[tuple[Explanation, Image.Image]], measured: Mapping[str, Faithfulness]) -> Markup:
    """A figure for each method, with what was measured of it by the method's name."""
    figures = [(explanation, overlay, measured.get(explanation.method)) for explanation, overlay in overlays]
    worded = [(*figure, describe_faithfulness(figure[2]) if figure[2] else "is being measured…") for figure in figures]
    return render_part("map.html", "side_by_side", figures=worded)
