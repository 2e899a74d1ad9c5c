"""A document of headings, text, tables and pictures, written as Markdown and as one HTML file that needs nothing else.

The HTML is put together from escaped pieces in a string.Template, like the model cards: jinja2 is there only because
other packages need it today, and would not make these few tags shorter.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from virtus.bundled import ASSETS

TEMPLATE = ASSETS / "templates" / "training-report.html"
MARKDOWN_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\|<>*_`[]"})


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Table:
    """The first column names the row, the others are figures.

    Attributes:
        head: of each column.
        rows: cells; a cell is a text, or a figure and its interval, as two texts.
        caption: what the table shows.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str | tuple[str, str]]]
    caption: str


@dataclass(frozen=True)
class Picture:
    """A PNG beside the document.

    Attributes:
        file: its name in the document's folder.
        alt: what it shows, for those who do not see it.
        caption: how to read it.
    """

    file: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Text | Table | Picture]


@dataclass(frozen=True)
class Document:
    """A title, a sentence below it, and sections."""

    title: str
    subtitle: str
    sections: Sequence[Section]

    def save(self, folder: Path, name: str) -> None:
        """Write NAME.md and NAME.html into the folder that holds the pictures."""
        (folder / f"{name}.md").write_text(self.to_markdown(), encoding="utf-8")
        (folder / f"{name}.html").write_text(self.to_html(folder), encoding="utf-8")

    def to_markdown(self) -> str:
        """Pictures are linked by their names."""
        parts = [f"# {_plain(self.title)}", _plain(self.subtitle)]
        for section in self.sections:
            parts += [f"## {_plain(section.title)}", *(to_markdown(block) for block in section.blocks)]
        return "\n\n".join(parts) + "\n"

    def to_html(self, folder: Path) -> str:
        """Pictures are read from `folder` and become part of the file."""
        links = "".join(f'<li><a href="#s{n}">{escape(s.title)}</a></li>' for n, s in enumerate(self.sections))
        body = "\n".join(
            f'<section id="s{number}"><h2>{escape(section.title)}</h2>\n'
            + "\n".join(_html(block, folder) for block in section.blocks)
            + "</section>"
            for number, section in enumerate(self.sections)
        )
        return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
            title=escape(self.title), subtitle=escape(self.subtitle), links=links, body=body
        )


def to_markdown(block: Text | Table | Picture) -> str:
    """One block alone."""
    if isinstance(block, Text):
        return _plain(block.text)
    if isinstance(block, Picture):
        return f"![{_plain(block.alt)}]({block.file})\n\n{_plain(block.caption)}"
    lines = [[_plain(cell) for cell in block.head], ["---", *["---:"] * (len(block.head) - 1)]]
    lines += [[_plain(cell if isinstance(cell, str) else _joined(cell)) for cell in row] for row in block.rows]
    return _plain(block.caption) + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _html(block: Text | Table | Picture, folder: Path) -> str:
    if isinstance(block, Text):
        return f"<p>{escape(block.text)}</p>"
    caption = f"<figcaption>{escape(block.caption)}</figcaption>"
    if isinstance(block, Picture):
        data = base64.b64encode((folder / block.file).read_bytes()).decode("ascii")
        inner = f'<img alt="{escape(block.alt)}" src="data:image/png;base64,{data}">'
        return _scrolled("picture", inner, block.alt, caption)
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in block.head)
    rows = "".join(f"<tr>{_html_row(row)}</tr>" for row in block.rows)
    inner = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _scrolled("table", inner, block.caption, caption)


def _scrolled(kind: str, inner: str, name: str, caption: str) -> str:
    """In a box of its own that scrolls sideways, reachable by keyboard (WCAG 2.2, 2.1.1)."""
    box = f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(name)}">{inner}</div>'
    return f'<figure class="{kind}">{caption}{box}</figure>'


def _html_row(row: Sequence[str | tuple[str, str]]) -> str:
    name, *cells = row
    return f'<th scope="row">{escape(name)}</th>' + "".join(f"<td>{_html_cell(cell)}</td>" for cell in cells)


def _html_cell(cell: str | tuple[str, str]) -> str:
    if isinstance(cell, str):
        return escape(cell)
    value, interval = cell
    return f"{escape(value)}<small>{escape(interval)}</small>"


def _joined(cell: tuple[str, str]) -> str:
    value, interval = cell
    return f"{value} ({interval})" if interval else value


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return " ".join(text.split()).translate(MARKDOWN_SPECIAL)
