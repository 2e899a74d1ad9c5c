"""What the app says about maps, as HTML: a caption, a trust line, and all methods side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PIL import Image

from virtus.explain import EXPLAINERS
from virtus.faithfulness import in_words
from virtus.overlay import legend_ends
from virtus.results import Explanation, Faithfulness
from virtus.ui.pictures import data_uri

NO_PROOF = "A map shows what the model used. It is no proof that these places are real or fake."
TESTING = "Is this map better than chance? It is being held against 99 random ones…"
BETTER, NO_BETTER = "good", "poor"  # CSS classes of a trust line, beside its words


def caption(explanation: Explanation) -> str:
    """What the shown map speaks of, and how its colours are read."""
    method = EXPLAINERS[explanation.method]
    finding = f" {escape(method.finding)}" if method.finding else ""
    return f"""<div class="caption"><p><strong>{escape(explanation.method)}</strong>, {_about(explanation)}:
{escape(method.description)}.{_empty(explanation)}{finding}</p>
<p>{_colours(explanation)} {NO_PROOF}</p></div>"""


def trust_line(faithfulness: Faithfulness | None) -> str:
    """Whether the map is better than chance, in words; that it is being measured, where that is None."""
    if faithfulness is None:
        return f'<p class="trust testing" role="status">{TESTING}</p>'
    return f'<p class="trust {_kind(faithfulness)}" role="status">{escape(_sentence(faithfulness))}</p>'


def side_by_side(overlays: Sequence[tuple[Explanation, Image.Image]], measured: Mapping[str, Faithfulness]) -> str:
    """A figure for each method, with its trust line."""
    figures = (_figure(explanation, overlay, measured.get(explanation.method)) for explanation, overlay in overlays)
    return f'<div class="side-by-side">{"".join(figures)}</div>'


def _figure(explanation: Explanation, overlay: Image.Image, faithfulness: Faithfulness | None) -> str:
    said = in_words(faithfulness) if faithfulness else "is being measured…"
    kind = _kind(faithfulness) if faithfulness else "testing"
    name = escape(explanation.method)
    return (
        f'<figure><img src="{data_uri(overlay)}" alt="Map of {name}"><figcaption><strong>{name}</strong> '
        f'<span>{_about(explanation)}</span><span class="trust {kind}">{escape(said)}</span></figcaption></figure>'
    )


def _sentence(faithfulness: Faithfulness) -> str:
    said = in_words(faithfulness)
    return f"This map is {said}." if faithfulness.num_random else f"{said[0].upper()}{said[1:]}."


def _kind(faithfulness: Faithfulness) -> str:
    return BETTER if faithfulness.better_than_chance else NO_BETTER


def _about(explanation: Explanation) -> str:
    if explanation.signed:
        return "fake against real"
    return f"for the class “{explanation.target}”" if explanation.target else "for no class"


def _empty(explanation: Explanation) -> str:
    uneven = explanation.heatmap.max() > explanation.heatmap.min()
    return "" if uneven else " Nothing speaks for it: the map is empty."


def _colours(explanation: Explanation) -> str:
    if not explanation.signed:
        return "Bright is more, dark is less, from the least to the most of this map alone."
    full = legend_ends()[1][0]
    return f"Vermilion speaks for fake, blue for real; full colour is {full:g} logits a patch or more, in every photo."
