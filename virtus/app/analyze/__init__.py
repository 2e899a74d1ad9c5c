"""The tab `Analyze`: a photo in, a verdict for every face, and maps of what the model used."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.analyze.tab import add_analyze_tab

__getattr__, __all__ = offer(__name__, __file__)
