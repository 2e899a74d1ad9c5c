"""What stands before the app: pure ASGI middleware. Gradio's own answers stay as they are otherwise."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.server.guards.calls import IN_WORDS
    from virtus.app.server.guards.stack import guards

__getattr__, __all__ = offer(__name__, __file__)
