"""The tab `About`: who judges here, how good that is by its own model card, and how to read what the app says."""

from __future__ import annotations

from html import escape
from string import Template

import gradio as gr

from virtus.app.about.markdown import to_html
from virtus.app.visitors import Detectors
from virtus.app.widgets import panels
from virtus.bundled import ASSETS
from virtus.checkpoints import Card, Measured, read_card
from virtus.results import Calibration, CheckpointInfo, Outcome

TEMPLATE = ASSETS / "templates" / "about.html"
OF_THE_CARD = {"limits": ("Intended use", "Limits"), "figures": ("How good it is",)}
NO_FIGURES = "<p>This checkpoint brings no measured figures. Take its numbers for a rank, not for a probability.</p>"
NO_LIMITS = "<p>This checkpoint brings no word on what it is for. Expect it to fail on what is new to it.</p>"
HELD_OUT = "Measured by its makers on held-out pictures of these kinds; on others expect worse, down to chance."
MEANINGS = {
    Outcome.REAL: "Its number lies below the lower threshold.",
    Outcome.FAKE: "Its number lies above the upper threshold.",
    Outcome.INCONCLUSIVE: "The model cannot tell, or the face is unlike anything it knows: no side is taken.",
    Outcome.NO_FACE: "Or too small, or not readable: nothing was judged, and there is no number.",
}


def add_about_tab(detectors: Detectors) -> None:
    """Add the page to the Blocks that are being built."""
    gr.HTML(about(detectors.info(), read_card(detectors.folder)), elem_id="about")


def about(info: CheckpointInfo, card: Card | None) -> str:
    """The page for a checkpoint, by its card where it has one."""
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        judge=panels.checkpoint(info),
        figures=_figures(card) if card and card.measured else NO_FIGURES,
        legend="".join(_meaning(outcome, meaning) for outcome, meaning in MEANINGS.items()),
        band=_band(info.calibration),
        limits=(_sections(card, "limits") if card else "") or NO_LIMITS,
    )


def _figures(card: Card) -> str:
    tiles = "".join(_tile(one) for one in card.measured)
    more = _sections(card, "figures")
    details = f"<details><summary>All figures of the model card</summary>{more}</details>" if more else ""
    return f'<ul class="tiles">{tiles}</ul><p>{HELD_OUT}</p>{details}'


def _tile(one: Measured) -> str:
    rows = "".join(f"<div><dt>{name}</dt><dd>{value:.3f}</dd></div>" for name, value in one.figures.items())
    return f"<li><strong>{escape(one.dataset)}</strong><dl>{rows}</dl></li>"


def _sections(card: Card, of: str) -> str:
    found = [(heading, card.sections[heading]) for heading in OF_THE_CARD[of] if heading in card.sections]
    titled = len(OF_THE_CARD[of]) > 1
    return "".join(f"{f'<h3>{escape(heading)}</h3>' if titled else ''}{to_html(text)}" for heading, text in found)


def _meaning(outcome: Outcome, meaning: str) -> str:
    return f"<li>{panels.chip(outcome)} {meaning}</li>"


def _band(calibration: Calibration | None) -> str:
    if calibration is None:
        return "This checkpoint is not calibrated: take its number for a rank, not for a probability."
    low, high = calibration.real_below, calibration.fake_above
    sides = f"Below {low:.2f} a face is called real, from {high:.2f} on fake"
    return f"{sides}, and between them nothing." if low < high else f"{sides}."
