"""What answers say to browsers and programs: their headers, and refusals in a sentence."""

from __future__ import annotations

import math

from starlette.datastructures import MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio's page is made of inline scripts and styles, and our components' scripts are made functions in the browser.
# On a Space the app stands in a frame of huggingface.co.
POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'self' https://huggingface.co https://*.huggingface.co",
}
DENIED = "accelerometer autoplay display-capture geolocation gyroscope magnetometer microphone midi payment usb".split()
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": ", ".join(["camera=(self)", *(f"{name}=()" for name in DENIED)]),
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in POLICY.items()),
}
RETRY_S = 10
BUSY = "The app is busy: too many visitors are waiting. Try again in a moment."


def path_of(scope: Scope) -> str:
    """The path within the app, wherever it is mounted; "" of what has none."""
    path, mounted_at = scope.get("path", ""), scope.get("root_path", "")
    return path[len(mounted_at) :] if path.startswith(f"{mounted_at}/") else path


def refusal(status: int, sentence: str, *, after_s: float | None = None) -> JSONResponse:
    """`{"detail": sentence}`; `after_s` says when to ask again."""
    headers = {} if after_s is None else {"Retry-After": str(max(1, math.ceil(after_s)))}
    return JSONResponse({"detail": sentence}, status, headers)


class ResponseHeaders:
    """Sets them; keeps visitors' files and answers out of caches, and login cookies off connections without https."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if "/gradio_api/" in path_of(scope):
                    headers["Cache-Control"] = "no-store"
                if scope["scheme"] == "https":
                    message["headers"] = [_secured(*header) for header in message["headers"]]
            await send(message)

        await self.app(scope, receive, send_with_headers if scope["type"] == "http" else send)


def _secured(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Gradio sets its cookie twice, once for http: behind https that one is for https too."""
    is_open = name.lower() == b"set-cookie" and b"; secure" not in value.lower()
    return name, value + b"; Secure" if is_open else value


class BusyAnswers:
    """Says in a sentence that the queue is full, where Gradio gives the queue's numbers."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        full = False

        async def send_ours(message: Message) -> None:
            nonlocal full
            if message["type"] == "http.response.start" and message["status"] == 503 and not _has_own(message):
                full = True
                await refusal(503, BUSY, after_s=RETRY_S)(scope, receive, send)
            elif not full:
                await send(message)

        await self.app(scope, receive, send_ours)


def _has_own(message: Message) -> bool:
    """Another guard's refusal says itself when to ask again."""
    return any(name.lower() == b"retry-after" for name, _ in message["headers"])
