"""The server: its start and its end, its looks, and the guards that stand before the app."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.server.serving import ending_here

__getattr__, __all__ = offer(__name__, __file__)
