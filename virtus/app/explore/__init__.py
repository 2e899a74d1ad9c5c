"""The tab `Explore`: attention patch by patch, the verdict block by block, and what is left without a part."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.explore.erasing import erasing_route
    from virtus.app.explore.tab import add_explore_tab

__getattr__, __all__ = offer(__name__, __file__)
