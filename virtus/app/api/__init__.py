"""The documented API and the tools of `serve --mcp`."""

from typing import TYPE_CHECKING

from virtus.doors import offer

if TYPE_CHECKING:
    from virtus.app.api.endpoints import ENDPOINTS, add_endpoints
    from virtus.app.api.tools import tool_server

__getattr__, __all__ = offer(__name__, __file__)
