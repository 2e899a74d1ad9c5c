"""Verdicts, maps, clips and origins as HTML, for the app and for written reports; texts from outside are escaped."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.html.filmstrip import StripFrame, filmstrip_html
    from virtus.html.maps import BETTER, NO_BETTER, NO_PROOF, about, caption, colours, empty, kind, measured_line
    from virtus.html.persons import clip_not_judged, person_verdict, person_words
    from virtus.html.provenance import panel
    from virtus.html.verdict import checkpoint, chip, in_words, message, not_judged, percent, verdict_html, words

__getattr__, __all__ = offer(__name__, __file__)
