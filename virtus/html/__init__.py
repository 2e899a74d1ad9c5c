"""Verdicts, maps, clips and origins as HTML, for the app and for written reports; texts from outside are escaped."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.html.filmstrip import StripFrame, filmstrip_html
    from virtus.html.maps import full_colour, map_caption, test_progress, trust_line
    from virtus.html.provenance import provenance_panel
    from virtus.html.templates import render_page, render_part
    from virtus.html.verdict import (
        animation_verdict,
        checkpoint_line,
        face_verdict,
        face_words,
        message_panel,
        not_judged,
        person_verdict,
        photo_words,
    )

__getattr__, __all__ = offer(__name__, __file__)
