"""What the app says, as HTML: verdict, reason, error, checkpoint."""

from __future__ import annotations

from virtus.html import checkpoint, chip, in_words, message, not_judged, percent, verdict_html, words

__all__ = ["checkpoint", "chip", "in_words", "message", "not_judged", "percent", "verdict_html", "words"]

EMPTY = """<section class="panel empty" aria-label="Result">
<h2>Your result appears here</h2>
<ol>
<li>Give a photo: drop it, paste it, take one, or try an example.</li>
<li>Every face in it gets a verdict, real or fake, with a probability.</li>
<li>Maps show where the model looked.</li>
</ol>
</section>"""

NO_CHECKPOINT = '<p class="checkpoint">No checkpoint judges now: choose another one.</p>'

# Gradio keeps the elements of a panel and changes their text, so CSS alone would fade in the first result only.
FADE_IN = """watch("value", () => {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  element.animate([{ opacity: 0, transform: "translateY(8px)" }, { opacity: 1, transform: "none" }], 350);
});"""
