"""Routes of Gradio's that the app does not need, or that are too open."""

from __future__ import annotations

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

# Deep links keep all that a visitor sees, the photo with it, for whoever has the link. Two routes fetch addresses for
# others. The rest serves apps of other kinds: less that is open is less to look after.
NAMES = (
    "component_server custom_component deep_link dev file profiling process_recording run-history runs stream "
    "undo-vibe-edit vibe-code vibe-edit vibe-starter-queries"
)
CLOSED = re.compile(rf"/gradio_api/(({'|'.join(NAMES.split())})(/|$)|proxy=)|/monitoring(/|$)")
ADDRESS = re.compile(r"/file=.*://")


class ClosedRoutes:
    """There is no such page; and of the file route, no address is fetched."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        if ADDRESS.search(path):
            await PlainTextResponse("Addresses are not fetched.", status_code=403)(scope, receive, send)
        elif CLOSED.search(path):
            await PlainTextResponse("There is no such page.", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
