"""The login of programs, and guessing passwords, slowly."""

from __future__ import annotations

import secrets
from base64 import b64encode

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from virtus.app.server.guards.addresses import address_of
from virtus.app.server.guards.answers import refusal
from virtus.app.server.guards.buckets import Buckets
from virtus.app.visitors import TOOLS_PATH

FAILURES_PER_MINUTE = 10
ASK_FOR_LOGIN = PlainTextResponse(
    "This server asks for a login.", status_code=401, headers={"WWW-Authenticate": 'Basic realm="Virtus"'}
)
REFUSAL = "Too many wrong passwords from this address. Wait a minute and try again."


class BasicLogin:
    """Asks who uses the tools for assistants for the app's login, by HTTP's basic authentication."""

    def __init__(self, app: ASGIApp, auth: tuple[str, str] | None):
        self.app = app
        self._expected = auth and "Basic " + b64encode(":".join(auth).encode()).decode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = self._expected and scope["type"] == "http" and scope["path"].rstrip("/").endswith(TOOLS_PATH)
        given = Headers(scope=scope).get("authorization", "") if is_asked else ""
        allowed = not is_asked or secrets.compare_digest(given.encode(), self._expected.encode())
        await (self.app if allowed else ASK_FOR_LOGIN)(scope, receive, send)


class LoginLimit:
    """After ten wrong passwords from an address, one more each six seconds: at the login form, and of programs."""

    def __init__(self, app: ASGIApp):
        self.app = app
        self._failures = Buckets(FAILURES_PER_MINUTE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not _is_login(scope):
            await self.app(scope, receive, send)
            return
        address = address_of(scope)
        wait_s = self._failures.wait_s(address)
        if wait_s:
            await refusal(429, REFUSAL, after_s=wait_s)(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (400, 401):
                self._failures.take(address)
            await send(message)

        await self.app(scope, receive, send_counted)


def _is_login(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    posted = scope["method"] == "POST" and scope["path"].rstrip("/").endswith("/login")
    return posted or "authorization" in Headers(scope=scope)
