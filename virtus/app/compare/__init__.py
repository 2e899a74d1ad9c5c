"""The tab `Compare`: a photo in, and what several checkpoints say of the same faces, side by side."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.compare.tab import add_compare_tab

__getattr__, __all__ = offer(__name__, __file__)
