"""The app within somebody else's FastAPI app: with the looks, the limits and the guards that it has by itself."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from fastapi import FastAPI

from virtus.app.server.serving import STATISTICS, guarded_app, load_behind
from virtus.app.visitors import Detectors, VisitorFiles, environment, find_limits
from virtus.checkpoints import EVEN, check_prior
from virtus.errors import InputError

_files: VisitorFiles | None = None  # of all apps that are mounted in this process


def mount(
    app: FastAPI,
    path: str = "/virtus",
    *,
    model: str = "auto",
    others: Sequence[str] = (),
    device: str = "auto",
    precision: str = "auto",
    whole: bool = False,
    prior: float = EVEN,
    auth: tuple[str, str] | None = None,
    mcp: bool = False,
    calls_per_minute: int | None = None,
    max_disk_gib: int | None = None,
) -> FastAPI:
    """Mount the app below a path of a FastAPI app, whose own routes and middleware stay as they are.

    What `virtus.app.serve` does while it runs is done while the FastAPI app does, by its lifespan: visitors' files are
    swept, checkpoints are loaded. Apps that are mounted in one process share their folder of files.

    Args:
        app: is given the app. Its routes that are added later come after it.
        path: begins with a slash; "/" for all that is no route of `app`.
        model, others, device, precision, whole, prior, auth, mcp: as of `virtus.app.serve`.
        calls_per_minute: of each client address, 0 for any number; VIRTUS_RATE_LIMIT, else 600 if None.
        max_disk_gib: of visitors' files together, said by the app mounted first; VIRTUS_MAX_DISK_GIB, else 4 if None.

    Returns:
        `app`.

    Raises:
        CheckpointError: as `virtus.app.serve`.
        InputError: for a path or app on which nothing can be mounted, or a prior or limit that is out of range.
    """
    if not isinstance(app, FastAPI):
        raise InputError(f"Virtus is mounted on a FastAPI app, not on {type(app).__name__}.")
    if not isinstance(path, str) or not path.startswith("/"):
        raise InputError(f"A path begins with a slash, such as /virtus; {path!r} does not.")
    check_prior(prior)
    limits = find_limits(calls_per_minute, max_disk_gib, host=None, share=True)
    detectors = Detectors(model, others, device=device, precision=precision)
    detectors.examine_all()
    files = _shared_files(limits.max_disk_bytes)
    of_this_app = {"GRADIO_TEMP_DIR": str(files.folder)} | STATISTICS  # others of the process keep their folder
    with environment(**of_this_app):
        blocks, settings = guarded_app(
            detectors, files, limits.calls_per_minute, whole=whole, prior=prior, auth=auth, mcp=mcp
        )
        blocks.state_session_capacity = settings.pop("state_session_capacity")
        settings["app_kwargs"]["lifespan"] = _while_it_runs(detectors, files, settings["app_kwargs"].get("lifespan"))
        return gr.mount_gradio_app(app, blocks, path.rstrip("/") or "/", auth=auth, show_error=False, **settings)


def _shared_files(max_bytes: int) -> VisitorFiles:
    """Below the folder in which Gradio lets any app of the process hand out files."""
    global _files
    if _files is None:
        below = os.environ.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir(), "gradio")
        _files = VisitorFiles(Path(below), max_bytes=max_bytes)
        _files.hold_all()
    return _files


def _while_it_runs(detectors: Detectors, files: VisitorFiles, tools: Callable | None) -> Callable[[Any], Any]:
    """The lifespan of the mounted app; that of `app` contains it."""

    @contextlib.asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            if tools is not None:
                await stack.enter_async_context(tools(app))
            stack.enter_context(files.swept())
            load_behind(detectors)
            yield

    return lifespan
