"""What is not open: routes of Gradio's that the app does not need, and all routes to pages of other sites."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.app.server.guards.responses import path_of, refusal

# Deep links keep all that a visitor sees, the photo with it, for whoever has the link. Two routes fetch addresses for
# others. The rest serves apps of other kinds: less that is open is less to look after.
NAMES = (
    "component_server custom_component deep_link dev file profiling process_recording run-history runs stream "
    "undo-vibe-edit vibe-code vibe-edit vibe-starter-queries"
)
CLOSED = re.compile(rf"/gradio_api/(({'|'.join(NAMES.split())})(/|$)|proxy=)|/monitoring(/|$)")
ADDRESS = re.compile(r"/file=.*://")
FOREIGN = "Pages of other sites cannot ask this app. Open the app itself, or ask it from a program."


class ClosedRoutes:
    """There is no such page; and of the file route, no address is fetched."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = path_of(scope)
        if ADDRESS.search(path):
            await PlainTextResponse("Addresses are not fetched.", status_code=403)(scope, receive, send)
        elif CLOSED.search(path):
            await PlainTextResponse("There is no such page.", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


class OwnOrigin:
    """Refuses what a page of another site asks.

    Gradio's CORS rules hold for local addresses only: elsewhere it lets every page read answers with the visitor's
    login. Browsers say `Origin` with every such request, and programs do not. Over https they also say
    `Sec-Fetch-Site`, which holds behind proxies that change the host's name; X-Forwarded-Host is no page's to set
    without being allowed to.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and _is_foreign(Headers(scope=scope)):
            await refusal(403, FOREIGN)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None or headers.get("sec-fetch-site") == "same-origin":
        return False
    hosts = (headers.get("host", ""), headers.get("x-forwarded-host", "").partition(",")[0].strip())
    return urlsplit(origin).netloc.lower() not in [host.lower() for host in hosts if host]
