"""Scans of very many pictures: their rows, a file of them that is whole whatever happens, and where a scan goes on."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.scans.comparison_rows import COMPARISON_ROWS, summary
    from virtus.scans.rows import ROWS, CsvRows, JsonRows, TableRows, Writable, in_one_line
    from virtus.scans.rows_file import RowsFile, Start, go_on, maker_of, settings_of

__getattr__, __all__ = offer(__name__, __file__)
