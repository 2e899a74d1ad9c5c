"""Starting and ending the app: every setting of the server in one place."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence

import gradio as gr
from PIL import Image
from starlette.middleware import Middleware

from virtus.app import build_app
from virtus.app.explore import erasing_route
from virtus.app.server.guards import IN_WORDS, guards
from virtus.app.server.theme import build_theme, style_sheet
from virtus.app.visitors import (
    CLEAN_EVERY_S,
    MAX_SESSIONS,
    MAX_WAITING,
    NUM_AT_ONCE,
    NUM_SLOTS,
    TOOLS_PATH,
    UNASKED,
    Detectors,
    VisitorFiles,
    find_limits,
    is_lent,
    visitor_files,
)
from virtus.bundled import ASSETS
from virtus.checkpoints import EVEN, check_prior
from virtus.errors import InputError
from virtus.faces import find_faces
from virtus.parallel import share_cores
from virtus.video import MAX_CLIP_BYTES

# Gradio makes a table of its last calls anew after each call, for a page that is not served. Here it is never made.
STATISTICS = {"GRADIO_ANALYTICS_MAX_EVENTS": "1", "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(10**9)}
SCRIPTS = ("answers", "tabs")  # of the page itself
SPOKEN = {"common.complete": "Done"}  # to screen readers after each answer: Gradio has no words for its own key
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
MIB = 1024 * 1024
LARGE_BYTES = 4 * MIB
SPARE_BYTES = 64 * MIB


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
    calls_per_minute: int | None = None,
    max_disk_gib: int | None = None,
) -> None:
    """Start the app and stay until it is stopped.

    What is computed then is not waited for: a program that has nothing else to do ends by `ending_here`.

    Args:
        model: judges unless a visitor chooses another one.
        others: are offered beside it, and compared with it at first.
        prior: share of fakes that is expected at first.
        host: address to listen on; GRADIO_SERVER_NAME, else 127.0.0.1, if None.
        port: GRADIO_SERVER_PORT, else the first free one from 7860 on, if None.
        share: make a public link, through Gradio's servers.
        auth: user and password that visitors have to give.
        mcp: offer the endpoints as tools of the Model Context Protocol too; needs the package `mcp`.
        calls_per_minute: of each client address, 0 for any number; see `virtus.app.visitors.limits` if None.
        max_disk_gib: of visitors' files together; see `virtus.app.visitors.limits` if None.

    Raises:
        CheckpointError: if `model` or one of the others cannot be trusted, as far as that is seen without loading it.
            They are loaded once the app answers; who asks before waits, and what fails then is said on the console, and
            to who asks.
        InputError: if the port is taken, or the prior or a limit is out of range.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ.update(STATISTICS)
    limits = find_limits(calls_per_minute, max_disk_gib, host=host, share=share)
    _bound_memory()
    detectors = Detectors(model, others, device=device, precision=precision)
    detectors.examine_all()
    if is_lent():
        detectors.get()  # in this thread: see `virtus.app.visitors.gpu`
    if mcp:
        print(f"* Tools for assistants (MCP) below its address, at {TOOLS_PATH}", flush=True)
    with _stopped_by_signals(), visitor_files(max_bytes=limits.max_disk_bytes) as files:
        app, settings = guarded_app(
            detectors, files, limits.calls_per_minute, whole=whole, prior=prior, auth=auth, mcp=mcp
        )
        _listen(app, host, port, auth=auth, share=share, **settings)
        load_behind(detectors)  # only now: importing torch would hold up the first page
        app.block_thread()


def guarded_app(
    detectors: Detectors,
    files: VisitorFiles,
    calls_per_minute: int,
    *,
    whole: bool,
    prior: float,
    auth: tuple[str, str] | None,
    mcp: bool,
) -> tuple[gr.Blocks, dict]:
    """The app, and the settings to start it with: `launch_settings` with all guards, and the tools if `mcp`."""
    check_prior(prior)
    app = build_app(detectors, whole=whole, prior=prior)
    files.keep_all()
    app.queue(max_size=MAX_WAITING, default_concurrency_limit=NUM_AT_ONCE, api_open=False)
    settings = launch_settings(guards(files=files, calls_per_minute=calls_per_minute, auth=auth))
    routes = [erasing_route(detectors)]
    if mcp:
        from virtus.app.api import tool_server

        tools = tool_server(detectors)
        routes += tools["routes"]
        settings["app_kwargs"] |= tools
    settings["app_kwargs"]["routes"] = routes
    return app, settings


def launch_settings(middleware: Sequence[Middleware] = ()) -> dict:
    """For `Blocks.launch`: look, privacy, and the guards; those without limits on how much, if none are given."""
    return {
        "theme": build_theme(),
        "css": style_sheet(),
        "head": "".join(map(_script, SCRIPTS)),
        "i18n": gr.I18n(en=SPOKEN),
        "max_file_size": MAX_CLIP_BYTES,  # the largest of what is taken; each taker refuses what is too large for it
        "state_session_capacity": MAX_SESSIONS,
        "run_history": False,  # on by default, it keeps visitors' faces in the browser
        "enable_monitoring": False,
        "footer_links": ["api", "gradio"],
        "app_kwargs": {"middleware": list(middleware or guards()), "exception_handlers": IN_WORDS},
        "ssr_mode": False,
        "pwa": False,
        "mcp_server": False,
    }


def _script(name: str) -> str:
    return f"<script>{(ASSETS / 'scripts' / f'{name}.js').read_text(encoding='utf-8')}</script>"


def _listen(app: gr.Blocks, host: str | None, port: int | None, **settings) -> None:
    """Let it answer, in a thread of its own."""
    try:
        app.launch(server_name=host, server_port=port, prevent_thread_lock=True, **UNASKED, **settings)
    except OSError as exc:
        tried = f"port {port}" if port else "any port that it tried"
        where, why = (f" of {host}", f", or {host} is no address of this machine") if host else ("", "")
        said = f"The app cannot listen on {tried}{where}: another program does{why}."
        raise InputError(f"{said} Choose another port{' or host' if host else ''}.") from exc


@contextlib.contextmanager
def ending_here() -> Iterator[None]:
    """For a program that does nothing but serve: the process ends with the block, unless by an error of its own.

    Something may still be computed for visitors. Python's own end would stop those threads wherever they are, and one
    that is in torch then aborts the process: for who supervises it, a crash. Here they just cease, with all of it.
    """
    with contextlib.suppress(KeyboardInterrupt):  # before the server waits for its end, or a second one
        yield
    with contextlib.suppress(BrokenPipeError):  # `virtus serve | head`
        sys.stdout.flush()
    os._exit(0)


@contextlib.contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM, as `docker stop` sends it, ends the server as Ctrl-C does: with visitors' files deleted."""
    if threading.current_thread() is not threading.main_thread():  # signals come to the main thread alone
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def load_behind(detectors: Detectors) -> None:
    """Load them while the app answers already. A process that ends meanwhile waits, for torch would abort it."""
    threading.Thread(target=_load, args=(detectors,)).start()


def _load(detectors: Detectors) -> None:
    """Load what the first visitor would wait for: the face finder, checkpoints, and the library behind Grad-CAM.

    Each place has its share of the cores: when several threads compute with all of them, OpenMP puts its threads to
    sleep between any two layers, and one visitor alone waits twice as long.
    """
    _share_cores()
    find_faces(Image.new("RGB", (64, 64)))
    for said in detectors.load_all():
        print(f"* {said}", flush=True)
    importlib.import_module("pytorch_grad_cam")


@functools.cache
def _share_cores() -> None:
    """Once in a process, however many apps it has."""
    share_cores(NUM_SLOTS)


def _bound_memory() -> None:
    """Let glibc hold little of what was freed: no block of more than 4 MiB, up to 64 MiB of others, in one arena.

    By itself it raises its limit with every large block that is freed, and keeps what later ones held: after photos of
    48 million pixels the process stayed 600 MB larger. And it keeps a store for each of a server's many threads: 500 MB
    after a minute with 16 visitors. What lies between two layers is less than 4 MiB: to fetch that anew each time took
    nearly as long as the verdict. A photo that is kept is more, and would break up the memory around it.
    """
    if sys.platform != "linux":
        return
    malloc = ctypes.CDLL(None)
    if hasattr(malloc, "mallopt"):  # other C libraries have neither
        malloc.mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        malloc.mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
        malloc.mallopt(M_ARENA_MAX, 1)
        threading.Thread(target=_give_back, args=[malloc.malloc_trim], daemon=True).start()


def _give_back(trim: Callable[[int], object]) -> None:
    """Every minute, what lies free between blocks: it grows with the hours, and malloc keeps it by itself."""
    while True:
        time.sleep(CLEAN_EVERY_S)
        trim(0)
