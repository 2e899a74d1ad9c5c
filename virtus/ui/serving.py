"""Starting the app: every setting of the server in one place."""

from __future__ import annotations

import importlib
import os
import threading
from collections.abc import Sequence

from fastapi.responses import PlainTextResponse
from PIL import Image
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from virtus.calibration import EVEN
from virtus.clip_analysis import MAX_CLIP_BYTES
from virtus.errors import InputError
from virtus.faces import find_faces
from virtus.ui.app import build_app
from virtus.ui.detectors import Detectors
from virtus.ui.gpu import is_lent
from virtus.ui.judging import NUM_AT_ONCE
from virtus.ui.memory import return_large_blocks
from virtus.ui.theme import build_theme, style_sheet

CLOSED = ("/gradio_api/deep_link",)


def serve(
    model: str = "auto",
    others: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    whole: bool = False,
    prior: float = EVEN,
    host: str | None = None,
    port: int | None = None,
    share: bool = False,
    auth: tuple[str, str] | None = None,
    mcp: bool = False,
) -> None:
    """Start the app and stay until it is stopped.

    Args:
        model: judges unless a visitor chooses another one.
        others: are offered beside it, and compared with it at first.
        prior: share of fakes that is expected at first.
        host: address to listen on; GRADIO_SERVER_NAME, else 127.0.0.1, if None.
        port: GRADIO_SERVER_PORT, else the first free one from 7860 on, if None.
        share: make a public link, through Gradio's servers.
        auth: user and password that visitors have to give.
        mcp: offer the endpoints as tools of the Model Context Protocol too; needs the package `mcp`.

    Raises:
        CheckpointError: if `model` or one of the others cannot be trusted, as far as that is seen without loading it.
            They are loaded once the app answers; who asks before waits, and what fails then is said on the console, and
            to who asks.
        InputError: if the port is taken.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    return_large_blocks()
    detectors = Detectors(model, others, device=device, precision=precision)
    detectors.examine_all()
    if is_lent():
        detectors.get()  # in this thread: see `virtus.ui.gpu`
    app = build_app(detectors, whole=whole, prior=prior).queue(default_concurrency_limit=NUM_AT_ONCE)
    settings = launch_settings()
    if mcp:
        from virtus.ui.tools import PATH, tool_server

        settings["app_kwargs"] |= tool_server(detectors, auth)
        print(f"* Tools for assistants (MCP) below its address, at {PATH}", flush=True)
    try:
        app.launch(server_name=host, server_port=port, share=share, auth=auth, prevent_thread_lock=True, **settings)
    except OSError as exc:
        where = f"on port {port}" if port else "on any port that it tried"
        raise InputError(f"The app cannot listen {where}: another program does. Choose another port.") from exc
    # Only now: importing torch would hold up the first page.
    threading.Thread(target=_load, args=(detectors,), daemon=True).start()
    app.block_thread()


def launch_settings() -> dict:
    """For `Blocks.launch`: look and privacy."""
    return {
        "theme": build_theme(),
        "css": style_sheet(),
        "max_file_size": MAX_CLIP_BYTES,  # the largest of what is taken; each taker refuses what is too large for it
        "run_history": False,  # on by default, it keeps visitors' faces in the browser
        "enable_monitoring": False,
        "footer_links": ["api", "gradio"],
        "app_kwargs": {"middleware": [Middleware(ClosedRoutes)]},
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
    }


class ClosedRoutes:
    """Routes of Gradio's that are too open.

    Its file route fetches any address that is put after `file=`, and hands on what it got. Its deep links keep all that
    a visitor sees, the photo with it, for whoever has the link.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        _, found, name = path.partition("/file=")
        if found and "://" in name:
            await PlainTextResponse("Addresses are not fetched.", status_code=403)(scope, receive, send)
        elif path.rstrip("/").endswith(CLOSED):
            await PlainTextResponse("There is no such page.", status_code=404)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _load(detectors: Detectors) -> None:
    """Load what the first visitor would wait for: the face finder, checkpoints, and the library behind Grad-CAM."""
    find_faces(Image.new("RGB", (64, 64)))
    for said in detectors.load_all():
        print(f"* {said}", flush=True)
    importlib.import_module("pytorch_grad_cam")
