"""How often one client may ask, and guess a password."""

from __future__ import annotations

import ipaddress
import secrets
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from virtus.app.server.guards.responses import path_of, refusal
from virtus.app.visitors import TOOLS_PATH

IPV6_PREFIX = 64  # one household or server has at least so many addresses
MAX_KEYS = 10_000  # those that asked last; others start with a full bucket
FAILURES_PER_MINUTE = 10
ASK_FOR_LOGIN = PlainTextResponse(
    "This server asks for a login.", status_code=401, headers={"WWW-Authenticate": 'Basic realm="Virtus"'}
)
WRONG_PASSWORDS = "Too many wrong passwords from this address. Wait a minute and try again."
TOO_OFTEN = "This address asks too often: at most {most} calls and uploads a minute. Wait a moment and try again."


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
            await refusal(429, TOO_OFTEN.format(most=self._most), after_s=wait_s)(scope, receive, send)
            return
        self._buckets.take(address)
        await self.app(scope, receive, send)


class BasicLogin:
    """Asks who uses the tools for assistants for the app's login, by HTTP's basic authentication."""

    def __init__(self, app: ASGIApp, auth: tuple[str, str] | None):
        self.app = app
        self._expected = "Basic " + b64encode(":".join(auth).encode()).decode() if auth else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_asked = self._expected and scope["type"] == "http" and path_of(scope).rstrip("/").endswith(TOOLS_PATH)
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
            await refusal(429, WRONG_PASSWORDS, after_s=wait_s)(scope, receive, send)
            return

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] in (400, 401):
                self._failures.take(address)
            await send(message)

        await self.app(scope, receive, send_counted)


def _is_login(scope: Scope) -> bool:
    if scope["type"] != "http":
        return False
    posted = scope["method"] == "POST" and path_of(scope).rstrip("/").endswith("/login")
    return posted or "authorization" in Headers(scope=scope)


def address_of(scope: Scope) -> str:
    """The client's address; of IPv6 its network.

    It is uvicorn's: the peer's own, unless the peer is a proxy that FORWARDED_ALLOW_IPS trusts (by default this machine
    alone): then the last address in X-Forwarded-For that is no such proxy.
    """
    host = (scope.get("client") or ("unknown",))[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return str(address.ipv4_mapped or ipaddress.ip_network((address, IPV6_PREFIX), strict=False))


class Buckets:
    """A bucket of `per_minute` tokens for each key, which fills again in a minute.

    Args:
        clock: seconds, as `time.monotonic`.
    """

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic):
        self._size = per_minute
        self._clock = clock
        self._kept: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were so many

    def wait_s(self, key: str) -> float:
        """Seconds until there is a token; 0 if there is one. None is taken."""
        return max(0.0, (1 - self._tokens(key)) * 60 / self._size)

    def take(self, key: str) -> None:
        """Take a token; where there is none, the next one comes later."""
        self._kept[key] = (max(0.0, self._tokens(key) - 1), self._clock())
        self._kept.move_to_end(key)
        if len(self._kept) > MAX_KEYS:
            self._kept.popitem(last=False)

    def _tokens(self, key: str) -> float:
        tokens, when = self._kept.get(key, (self._size, self._clock()))
        return min(self._size, tokens + (self._clock() - when) * self._size / 60)
