"""The tab `About`: who judges here, and how good that is by its own model card."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.about.tab import add_about_tab

__getattr__, __all__ = offer(__name__, __file__)
