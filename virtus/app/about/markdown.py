"""Markdown of a model card as HTML: anybody may have written it, so no tags, no pictures, no links but to the web."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.token import Token


def to_html(text: str) -> str:
    """CommonMark with tables. A picture comes as its words, a link to anything but an https page too."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(text)
    for token in tokens:
        token.children = _plain(token.children or []) if token.type == "inline" else token.children
    rendered = parser.renderer.render(tokens, parser.options, {})
    return rendered.replace("<table>", '<div class="wide" tabindex="0"><table>').replace("</table>", "</table></div>")


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
