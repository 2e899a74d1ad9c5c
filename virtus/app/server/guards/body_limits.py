"""How much a request may bring, and how long it may take about it."""

from __future__ import annotations

import asyncio
import contextlib

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from virtus.app.server.guards.responses import RETRY_S, path_of, refusal
from virtus.app.visitors import MAX_BATCH_BYTES, MAX_TOOL_CALL_MIB, TOOLS_PATH, VisitorFiles

MIB = 2**20
UPLOAD = "/gradio_api/upload"
MOST_BYTES = {
    UPLOAD: MAX_BATCH_BYTES + MIB,
    TOOLS_PATH: MAX_TOOL_CALL_MIB * MIB,
}  # the rest of an upload: what stands between its files
MOST_BYTES_ELSEWHERE = MIB
STALLED_S = 60
LINGER_S = 10
TOO_LARGE = "The request has more than the {most} MiB that are taken here. Give fewer or smaller files."
STALLED = "Nothing came for a minute. Try again."
FULL = "The app is busy: it keeps as many uploads as it can. Try again in some minutes."


class BodyLimits:
    """Refuses what is too large (413), comes too slowly (408), or has no room on the disk (503).

    Who goes away in mid-upload is no error: without this guard each would fill the log with a traceback.

    Args:
        files: where uploads go; None if they may have any number of bytes together.
    """

    def __init__(self, app: ASGIApp, files: VisitorFiles | None):
        self.app = app
        self._files = files

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self.app(scope, receive, send)
            return
        path = path_of(scope).rstrip("/")
        most = next((most for end, most in MOST_BYTES.items() if path.endswith(end)), MOST_BYTES_ELSEWHERE)
        body = _Body(receive, most, self._files if path.endswith(UPLOAD) else None)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdecimal() and int(announced) > most:
            await refusal(413, body.too_large)(scope, receive, send)
            return
        with contextlib.suppress(ClientDisconnect):
            await self.app(scope, body.receive, send)


class LingeringClose:
    """Lets no answer go before all that was posted came, where the connection ends with it; for some seconds at most.

    A refusal needs the headers alone. What comes after the connection was closed makes the system reset it, and who is
    still sending may then see a reset and not the answer (RFC 9112, section 9.6). A connection that stays is read on.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not _ends_with_answer(scope):
            await self.app(scope, receive, send)
            return
        is_complete = False

        async def receive_noting() -> Message:
            nonlocal is_complete
            message = await receive()
            is_complete = not message.get("more_body", False)
            return message

        async def send_after(message: Message) -> None:
            nonlocal is_complete
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LINGER_S):
                    while not is_complete:
                        await receive_noting()
            is_complete = True  # or the client had its time
            await send(message)

        await self.app(scope, receive_noting, send_after)


def _ends_with_answer(scope: Scope) -> bool:
    """Who expects to be asked for the body first has not begun to send it."""
    headers = Headers(scope=scope)
    closes = scope.get("http_version") == "1.0" or headers.get("connection", "").lower() == "close"
    return closes and "expect" not in headers


class _Body:
    """A request's body as it comes. What it raises, the app inside makes an answer of."""

    def __init__(self, receive: Receive, most: int, files: VisitorFiles | None):
        self._receive, self._most, self._files = receive, most, files
        self._num_bytes, self._is_complete = 0, False
        self.too_large = TOO_LARGE.format(most=most // MIB)

    async def receive(self) -> Message:
        """The next part, within the limits; after the last one, what says that the client left."""
        if self._is_complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), STALLED_S)
        except TimeoutError as exc:
            raise HTTPException(408, STALLED) from exc
        self._count(len(message.get("body", b"")))
        self._is_complete = not message.get("more_body", False)
        return message

    def _count(self, num_bytes: int) -> None:
        self._num_bytes += num_bytes
        if self._num_bytes > self._most:
            raise HTTPException(413, self.too_large)
        if self._files is not None and not self._files.take(num_bytes):
            raise HTTPException(503, FULL, {"Retry-After": str(6 * RETRY_S)})
