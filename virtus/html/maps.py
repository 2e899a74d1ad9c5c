"""A map as HTML, for the app and for written reports: its caption, and whether it is better than chance."""

from __future__ import annotations

from html import escape

from virtus.drawing import legend_ends
from virtus.explain import EXPLAINERS, in_words
from virtus.results import Explanation, Faithfulness

NO_PROOF = "A map shows what the model used. It is no proof that these places are real or fake."
BETTER, NO_BETTER = "good", "poor"  # CSS classes of a trust line, beside its words


def caption(explanation: Explanation) -> str:
    """What the shown map speaks of, and how its colours are read."""
    method = EXPLAINERS[explanation.method]
    finding = f" {escape(method.finding)}" if method.finding else ""
    return f"""<div class="caption"><p><strong>{escape(explanation.method)}</strong>, {about(explanation)}:
{escape(method.description)}.{empty(explanation)}{finding}</p>
<p>{colours(explanation)} {NO_PROOF}</p></div>"""


def measured_line(faithfulness: Faithfulness) -> str:
    """Whether the map is better than chance, in words."""
    return f'<p class="trust {kind(faithfulness)}" role="status">{escape(_sentence(faithfulness))}</p>'


def kind(faithfulness: Faithfulness) -> str:
    """The CSS class of a trust line."""
    return BETTER if faithfulness.better_than_chance else NO_BETTER


def about(explanation: Explanation) -> str:
    """What a map speaks of."""
    if explanation.signed:
        return "fake against real"
    return f"for the class “{explanation.target}”" if explanation.target else "for no class"


def empty(explanation: Explanation) -> str:
    """A sentence for a map that is the same everywhere; nothing for others."""
    uneven = explanation.heatmap.max() > explanation.heatmap.min()
    return "" if uneven else " Nothing speaks for it: the map is empty."


def colours(explanation: Explanation) -> str:
    """How its colours are read."""
    if not explanation.signed:
        return "Bright is more, dark is less, from the least to the most of this map alone."
    full = legend_ends()[1][0]
    return f"Vermilion speaks for fake, blue for real; full colour is {full:g} logits a patch or more, in every photo."


def _sentence(faithfulness: Faithfulness) -> str:
    said = in_words(faithfulness)
    return f"This map is {said}." if faithfulness.num_random else f"{said[0].upper()}{said[1:]}."
