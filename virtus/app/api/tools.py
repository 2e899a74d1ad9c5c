"""A server of the Model Context Protocol beside the app (`serve --mcp`): the endpoints as tools of assistants.

Gradio brings one too. It would fetch every address that stands in a file's place, answers Python's notation instead of
JSON, cannot take lists of files, and holds pydantic back.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
from base64 import b64encode
from collections.abc import AsyncIterator

import anyio
from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from virtus import __version__
from virtus.app.api.endpoints import endpoint_functions
from virtus.app.api.tool import Tool
from virtus.app.visitors import NUM_AT_ONCE, Detectors
from virtus.errors import InputError, VirtusError

log = logging.getLogger(__name__)
PATH = "/gradio_api/mcp"  # where clients look for it on a Gradio app
MAX_BODY_BYTES = 16 * 1024 * 1024
INSTRUCTIONS = f"""Virtus tells real faces from deepfakes in photos and shows why. Upload a file first, as form field
`files` of a POST to /gradio_api/upload, and give the tools the path that it answers; or give them the file as
data:TYPE;base64,DATA, where the whole call may have {MAX_BODY_BYTES // 2**20} MiB. Addresses are not fetched. A verdict
is a probability, no proof: say the outcome, its p_fake, the cautions and the reason as they are answered."""


def tool_server(detectors: Detectors, auth: tuple[str, str] | None) -> dict:
    """For the constructor of Gradio's app: the route of the tools, and what runs while it does.

    Args:
        auth: user and password of the app, which the tools then ask for too, as HTTP's basic authentication.
    """
    manager = StreamableHTTPSessionManager(_server(detectors), stateless=True, max_request_body_size=MAX_BODY_BYTES)

    @contextlib.asynccontextmanager
    async def lifespan(_) -> AsyncIterator[None]:
        async with manager.run():
            yield

    answer = Tools(manager, auth)
    return {"routes": [Route(path, endpoint=answer) for path in (PATH, f"{PATH}/")], "lifespan": lifespan}


def _server(detectors: Detectors) -> Server:
    tools = {name: Tool(name, function) for name, function in endpoint_functions(detectors).items()}
    at_once = anyio.CapacityLimiter(NUM_AT_ONCE)
    server = Server("virtus", version=__version__, instructions=INSTRUCTIONS)

    @server.list_tools()
    async def list_tools() -> list[types.Tool]:
        return [tool.described for tool in tools.values()]

    @server.call_tool()
    async def call_tool(name: str, arguments: dict) -> types.CallToolResult:
        if name not in tools:
            raise InputError(f"There is no tool {name!r}. There are: {', '.join(tools)}.")
        address = str(server.request_context.request.base_url).rstrip("/")
        try:
            return await anyio.to_thread.run_sync(tools[name].call, arguments, address, limiter=at_once)
        except VirtusError:
            raise
        except Exception as exc:  # its text may name files of this server
            log.exception("The tool %s failed", name)
            raise RuntimeError("This did not work. The server's log says why.") from exc

    return server


class Tools:
    """The protocol over HTTP, behind the app's login where it has one."""

    def __init__(self, manager: StreamableHTTPSessionManager, auth: tuple[str, str] | None):
        self._manager = manager
        self._expected = auth and "Basic " + b64encode(":".join(auth).encode()).decode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self._manager.handle_request if self._allowed(scope) else _ask_for_login)(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        given = Headers(scope=scope).get("authorization", "")
        return not self._expected or secrets.compare_digest(given.encode(), self._expected.encode())


_ask_for_login: ASGIApp = PlainTextResponse(
    "This server asks for a login.", status_code=401, headers={"WWW-Authenticate": 'Basic realm="Virtus"'}
)
