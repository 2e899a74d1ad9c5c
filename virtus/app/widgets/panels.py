"""What the app says, as HTML: verdict, reason, error, checkpoint."""

from __future__ import annotations

from virtus.html import checkpoint_line as checkpoint
from virtus.html import face_verdict as verdict_html
from virtus.html import face_words as words
from virtus.html import message_panel as message
from virtus.html import not_judged
from virtus.html import photo_words as in_words

__all__ = ["checkpoint", "in_words", "message", "not_judged", "verdict_html", "words"]

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
