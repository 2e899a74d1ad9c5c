"""What a file says of its own origin as HTML, for the app and for written reports. Every text is escaped."""

from __future__ import annotations

from html import escape

from virtus.provenance import Finding, Provenance

HEADING = "What the file says of itself"


def panel(provenance: Provenance, *, unfolded: bool = False) -> str:
    """A panel that no one takes for a verdict: no colours of outcomes, no number. Closed where nothing is known.

    What a finding means is under it, for who opens it; `unfolded`, for paper, all of it is open.
    """
    state = "open" if unfolded or provenance.known else ""
    found = "".join(_item(finding, "open" if unfolded else "") for finding in provenance.findings)
    return f"""<section class="panel provenance" aria-label="{HEADING}">
<details {state}>
<summary><h2>{HEADING}</h2> <span class="sum">{_sum(provenance)}</span></summary>
<p class="fine">{escape(provenance.statement)}</p>
{f"<ul>{found}</ul>" if found else ""}
</details>
</section>"""


def _sum(provenance: Provenance) -> str:
    count = len(provenance.findings)
    if not count:
        return "Nothing: origin unknown"
    return "1 finding, not part of the verdict" if count == 1 else f"{count} findings, not part of the verdict"


def _item(finding: Finding, state: str) -> str:
    return (
        f'<li data-kind="{finding.kind}"><details {state}><summary>{escape(finding.what)}</summary>'
        f'<div class="where">{escape(finding.where)}</div><div class="meaning">{escape(finding.meaning)}</div>'
        "</details></li>"
    )
