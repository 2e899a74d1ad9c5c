"""The measurements of docs/benchmarks.md, each by a command: `python -m benchmarks.NAME --help`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from train.report import Figure


def parser(doc: str | None, *, data: bool = False, **defaults) -> argparse.ArgumentParser:
    """The options of a command.

    Args:
        doc: of its file.
        data: whether it asks for DATA, the folder of the pictures.
        defaults: an option for each, of the type that it has by default.
    """
    found = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if data:
        found.add_argument("data", type=Path, metavar="DATA", help="[<source>/]val/Real|Fake, with groups.csv")
    for name, default in defaults.items():
        found.add_argument(f"--{name}", type=type(default), default=default, help="default: %(default)s")
    return found


def interval_cell(figure: Figure, *, digits: int, missing: str) -> str:
    """A figure with its interval, where it has one, as a cell of a table; `missing` where there is none."""
    if figure.value is None:
        return missing
    interval = f" ({figure.low:.2f} to {figure.high:.2f})" if figure.low is not None else ""
    return f"{figure.value:.{digits}f}{interval}"
