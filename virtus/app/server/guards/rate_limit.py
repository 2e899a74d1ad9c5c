"""How often one client may ask."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.app.server.guards.addresses import address_of
from virtus.app.server.guards.answers import refusal
from virtus.app.server.guards.buckets import Buckets

REFUSAL = "This address asks too often: at most {most} calls and uploads a minute. Wait a moment and try again."


class RateLimit:
    """At most so many calls and uploads (all that is posted) a minute from each address. Pages are free."""

    def __init__(self, app: ASGIApp, calls_per_minute: int):
        self.app = app
        self._most = calls_per_minute
        self._buckets = Buckets(calls_per_minute) if calls_per_minute else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._buckets is None or scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        address = address_of(scope)
        wait_s = self._buckets.wait_s(address)
        if wait_s:
            await refusal(429, REFUSAL.format(most=self._most), after_s=wait_s)(scope, receive, send)
            return
        self._buckets.take(address)
        await self.app(scope, receive, send)
