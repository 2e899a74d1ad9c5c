"""What is said to programs that give an endpoint other parameters than it has."""

from __future__ import annotations

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.app.server.guards.answers import refusal
from virtus.app.visitors import SEE

MISSING = re.compile(r"No value provided for required argument: (\w+)")
UNKNOWN = re.compile(r"Parameter `(.*)` is not a valid key-word argument", re.DOTALL)


class Parameters:
    """Says which one is missing or not known, where Gradio ends in an error of the server."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except TypeError as exc:
            sentence = _sentence(str(exc))
            if sentence is None or "/gradio_api/call/" not in scope.get("path", ""):
                raise
            await refusal(422, sentence)(scope, receive, send)


def _sentence(said: str) -> str | None:
    if found := MISSING.match(said):
        return f"The parameter {found[1]} is missing. {SEE}"
    if found := UNKNOWN.match(said):
        return f"There is no parameter {found[1][:100]!r}. {SEE}"
    return None
