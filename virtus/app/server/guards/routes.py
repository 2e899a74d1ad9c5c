"""Pages of other sites: a visitor's browser must not ask for them what the visitor may."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.app.server.guards.answers import refusal

REFUSAL = "Pages of other sites cannot ask this app. Open the app itself, or ask it from a program."


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
            await refusal(403, REFUSAL)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _is_foreign(headers: Headers) -> bool:
    origin = headers.get("origin")
    if origin is None or headers.get("sec-fetch-site") == "same-origin":
        return False
    hosts = (headers.get("host", ""), headers.get("x-forwarded-host", "").partition(",")[0].strip())
    return urlsplit(origin).netloc.lower() not in [host.lower() for host in hosts if host]
