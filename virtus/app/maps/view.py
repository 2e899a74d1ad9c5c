"""What the app says about maps, as HTML: a caption, a trust line, and all methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PIL import Image

from virtus.drawing import data_uri
from virtus.explain import in_words
from virtus.html import BETTER, NO_BETTER, NO_PROOF, about, caption, kind, measured_line
from virtus.results import Explanation, Faithfulness

__all__ = ["BETTER", "NO_BETTER", "NO_PROOF", "TESTING", "caption", "side_by_side", "trust_line"]

TESTING = "Is this map better than chance? It is being held against 99 random ones…"


def trust_line(faithfulness: Faithfulness | None) -> str:
    """Whether the map is better than chance, in words; that it is being measured, where that is None."""
    if faithfulness is None:
        return f'<p class="trust testing" role="status">{TESTING}</p>'
    return measured_line(faithfulness)


def side_by_side(overlays: Sequence[tuple[Explanation, Image.Image]], measured: Mapping[str, Faithfulness]) -> str:
    """A figure for each method, with its trust line."""
    figures = (_figure(explanation, overlay, measured.get(explanation.method)) for explanation, overlay in overlays)
    return f'<div class="side-by-side">{"".join(figures)}</div>'


def _figure(explanation: Explanation, overlay: Image.Image, faithfulness: Faithfulness | None) -> str:
    said = in_words(faithfulness) if faithfulness else "is being measured…"
    look = kind(faithfulness) if faithfulness else "testing"
    name = escape(explanation.method)
    return (
        f'<figure><img src="{data_uri(overlay)}" alt="Map of {name}"><figcaption><strong>{name}</strong> '
        f'<span>{about(explanation)}</span><span class="trust {look}">{escape(said)}</span></figcaption></figure>'
    )
