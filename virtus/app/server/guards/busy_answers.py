"""What is said to visitors for whom there is no place in the queue."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from virtus.app.server.guards.answers import refusal

RETRY_S = 10
BUSY = "The app is busy: too many visitors are waiting. Try again in a moment."


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
