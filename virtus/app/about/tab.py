"""The tab `About`: who judges here, how good that is by its own model card, and how to read what the app says."""

from __future__ import annotations

import gradio as gr
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from virtus.app.visitors import Detectors
from virtus.checkpoints import Card, bundled_words, read_card
from virtus.html import render_page
from virtus.results import Calibration, CheckpointInfo

LIMITS, FIGURES = ("Intended use", "Limits"), ("How good it is",)  # headings of a card


def add_about_tab(detectors: Detectors) -> None:
    """Add the page to the Blocks that are being built."""
    gr.HTML(about(detectors.info(), read_card(detectors.folder)), elem_id="about")


def about(info: CheckpointInfo, card: Card | None) -> str:
    """The page for a checkpoint, by its card where it has one."""
    return render_page(
        "about.html",
        info=info,
        bundled=bundled_words(),
        measured=card.measured if card else (),
        figures=_sections(card, FIGURES),
        limits=_sections(card, LIMITS),
        band=_band(info.calibration),
    )


def card_html(text: str) -> Markup:
    """Markdown of a model card as HTML: anybody may have written it, so no tags, no pictures, no links but to the web.

    CommonMark with tables. A picture comes as its words, a link to anything but an https page too.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        token.children = _plain(token.children or []) if token.type == "inline" else token.children
    rendered = parser.renderer.render(tokens, parser.options, {})  # without "html", every text is escaped
    wide = rendered.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")
    return Markup(wide)


def _plain(tokens: list[Token]) -> list[Token]:
    kept, is_open = [], []
    for token in tokens:
        if token.type == "image":
            kept.append(Token("text", "", 0, content=token.content))
        elif token.type == "link_open":
            is_open.append(str(token.attrs.get("href", "")).startswith("https://"))
            token.attrs |= {"rel": "noopener noreferrer nofollow", "target": "_blank"}
            kept += [token] if is_open[-1] else []
        elif token.type == "link_close":
            kept += [token] if is_open.pop() else []
        else:
            kept.append(token)
    return kept


def _sections(card: Card | None, headings: tuple[str, ...]) -> list[tuple[str, Markup]]:
    """Those of the headings that the card has, with what stands below."""
    sections = card.sections if card else {}
    return [(heading, card_html(sections[heading])) for heading in headings if heading in sections]


def _band(calibration: Calibration | None) -> str:
    if calibration is None:
        return "This checkpoint is not calibrated: take its number for a rank, not for a probability."
    low, high = calibration.real_below, calibration.fake_above
    sides = f"Below {low:.2f} a face is called real, from {high:.2f} on fake"
    return f"{sides}, and between them nothing." if low < high else f"{sides}."
