"""A document of headings, text, tables and pictures, as Markdown and as one HTML file that needs nothing else."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from virtus.html import render_page

MARKDOWN_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\|<>*_`[]"})


@dataclass(frozen=True)
class Paragraph:
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
    blocks: Sequence[Paragraph | Table | Picture]


@dataclass(frozen=True)
class ReportDocument:
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
        blocks = [block for section in self.sections for block in section.blocks]
        files = [block.file for block in blocks if isinstance(block, Picture)]
        pictures = {file: base64.b64encode((folder / file).read_bytes()).decode("ascii") for file in files}
        return render_page(
            "training-report.html", title=self.title, subtitle=self.subtitle, sections=self.sections, pictures=pictures
        )


def to_markdown(block: Paragraph | Table | Picture) -> str:
    """One block alone."""
    if isinstance(block, Paragraph):
        return _plain(block.text)
    if isinstance(block, Picture):
        return f"![{_plain(block.alt)}]({block.file})\n\n{_plain(block.caption)}"
    lines = [[_plain(cell) for cell in block.head], ["---", *["---:"] * (len(block.head) - 1)]]
    lines += [[_plain(cell if isinstance(cell, str) else _joined(cell)) for cell in row] for row in block.rows]
    return _plain(block.caption) + "\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _joined(cell: tuple[str, str]) -> str:
    value, interval = cell
    return f"{value} ({interval})" if interval else value


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return " ".join(text.split()).translate(MARKDOWN_SPECIAL)
