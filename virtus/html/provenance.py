"""What a file says of its own origin as HTML, for the app and for written reports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from virtus.html.templates import render_part
from virtus.provenance import Provenance

if TYPE_CHECKING:
    from markupsafe import Markup


def provenance_panel(provenance: Provenance, *, unfolded: bool = False) -> Markup:
    """A panel that no one takes for a verdict: no colours of outcomes, no number. All of it is open if `unfolded`."""
    return render_part("provenance.html", "provenance", origin=provenance, unfolded=unfolded)
