"""One running app for all tests of this folder, started as users start it, and the photos that they give it."""

import contextlib
import http.server
import itertools
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client
from PIL import Image

from virtus.app import build_app
from virtus.app.server.serving import launch_settings
from virtus.app.visitors.detectors import Detectors
from virtus.bundled import ASSETS

ROOT = Path(__file__).parents[2]
EXAMPLES = ASSETS / "examples"
HOPPER, COLLINS = EXAMPLES / "grace-hopper.jpg", EXAMPLES / "eileen-collins.jpg"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
CHROMIUM_ARGUMENTS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --use-fake-device-for-media-stream --use-fake-ui-for-media-stream"
).split()
PORTS = itertools.count(11_000 + os.getpid() % 1000 * 20)  # below those that the system gives to anybody
START_UP_S = 240  # a limit for broken starts, not a claim about speed


def free_port() -> int:
    """One that nobody takes before it is listened at, which may be seconds later; another test process has others."""
    while True:
        port = next(PORTS)
        with contextlib.suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """A process that serves the app at `url`; its temporary files lie in `folder`."""

    def __init__(self, command: list[str], port: int, folder: Path, **environment: str):
        folder.mkdir()
        self.url, self.folder = f"http://127.0.0.1:{port}", folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GRADIO_", "HF_", "VIRTUS_"))}
        closed = f"http://127.0.0.1:{free_port()}"  # nobody listens: the Hub is out of reach
        own = {"HF_ENDPOINT": closed, "HF_HOME": str(folder / "hub"), "GRADIO_TEMP_DIR": str(folder / "gradio")}
        own |= {"VIRTUS_CHECKPOINT": "virtus-fast"}
        quiet = {"OMP_NUM_THREADS": "1", "no_proxy": "127.0.0.1"}
        self.log = folder / "log.txt"
        self.process = subprocess.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=kept | own | quiet | environment,
            stdout=self.log.open("w"),
            stderr=subprocess.STDOUT,
        )

    def wait(self) -> "Server":
        limit = time.monotonic() + START_UP_S
        while time.monotonic() < limit and self.process.poll() is None:
            try:
                urllib.request.urlopen(self.url).close()
                return self
            except OSError:
                time.sleep(0.1)
        self.process.kill()
        raise RuntimeError(f"the app did not start:\n{self.log.read_text()}")

    @property
    def uploads(self) -> Path:
        """Its own folder for visitors' files."""
        (own,) = (self.folder / "gradio").glob("virtus-visitors-*")
        return own

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
        assert self.process.wait(30) == 0, self.log.read_text()  # nor did it end by itself


@pytest.fixture
def start(tmp_path):
    """Starts a command on a free port, and stops it after the test."""
    started = []

    def start_command(*command: str, **environment: str) -> Server:
        port = free_port()
        environment |= {"GRADIO_SERVER_PORT": str(port)}
        started.append(Server(list(command), port, tmp_path / f"server-{port}", **environment))
        return started[-1].wait()

    yield start_command
    for running in started:
        running.stop()


@pytest.fixture(scope="module")
def serve_here():
    """Starts the app in this process, by the names of checkpoints: a client of it."""
    started = []

    def launch(default: str, *others: str) -> Client:
        started.append(build_app(Detectors(default, others, device="cpu", precision="float32")))
        started[-1].launch(prevent_thread_lock=True, quiet=True, **launch_settings())
        return Client(started[-1].local_url, verbose=False)

    yield launch
    for app in started:
        app.close()


@pytest.fixture(scope="session")
def opposites(make_checkpoint):
    """Names of two local checkpoints: the first calls every face real, the second every face fake."""
    thresholds = {"temperature": 1.0, "real_below": 0.25, "fake_above": 0.75}
    biases = {-20.0: 1.3, 20.0: 1.0}  # logits; and each has its own crop
    own = [{"calibration": thresholds | {"bias": bias}, "margin": margin} for bias, margin in biases.items()]
    return [str(make_checkpoint(own=one)) for one in own]


@pytest.fixture(scope="session")
def server(tmp_path_factory, opposites):
    port, folder = free_port(), tmp_path_factory.mktemp("server") / "own"
    command = ["-m", "virtus", "serve", "--port", str(port), "--device", "cpu", "--precision", "float32"]
    command += [word for name in ("auto", *opposites) for word in ("--model", name)]
    running = Server(command, port, folder)
    yield running.wait()
    running.stop()


@pytest.fixture(scope="session")
def guarded(tmp_path_factory):
    """Another app, behind a login, with the tools for assistants."""
    port, folder = free_port(), tmp_path_factory.mktemp("server") / "guarded"
    settings = ["--device", "cpu", "--precision", "float32", "--mcp", "--auth", "user:password"]
    running = Server(["-m", "virtus", "serve", "--port", str(port), *settings], port, folder)
    yield running.wait()
    running.stop()


@pytest.fixture
def outside():
    """A web server that counts who asks it."""

    class Counting(http.server.BaseHTTPRequestHandler):
        hits = 0

        def do_GET(self):
            type(self).hits += 1
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/face.jpg", Counting
    running.shutdown()
    running.server_close()


@pytest.fixture(scope="session")
def photos(tmp_path_factory):
    """Name to path: one face, two faces, none, and files that are no pictures."""
    folder = tmp_path_factory.mktemp("photos")
    found = {name: folder / name for name in ("two.png", "none.png", "cut.jpg", "text.jpg", "empty.jpg", "one.heic")}
    collins = Image.open(COLLINS).convert("RGB").resize((512, 512))
    hopper = Image.open(HOPPER).convert("RGB").resize((437, 512))
    both = Image.new("RGB", (949, 512))
    both.paste(collins, (0, 0))
    both.paste(hopper, (512, 0))
    both.save(found["two.png"])
    Image.linear_gradient("L").resize((300, 200)).convert("RGB").save(found["none.png"])
    found["cut.jpg"].write_bytes(HOPPER.read_bytes()[:9000])
    found["text.jpg"].write_text("not a picture")
    found["empty.jpg"].write_bytes(b"")
    _save_heic(hopper, found["one.heic"])
    return found | {"one.jpg": HOPPER}


def _save_heic(image: Image.Image, path: Path) -> None:
    import pillow_heif

    pillow_heif.from_pillow(image).save(path)


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    playwright.expect.set_options(timeout=120_000)  # a map is being tested meanwhile
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield running
        running.close()


@pytest.fixture
def visit(browser, server):
    """Open the app, at a tab; it must ask no other host, throw no error and keep to the policy of its headers."""
    contexts, requests, errors = [], [], []

    def listen(message):
        if "Content Security Policy" in message.text:
            errors.append(message.text)

    def open_page(theme="light", width=1280, height=900, tab="Analyze", url=server.url, streams=None):
        context = browser.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", listen)
        if streams is not None:
            streams.follow(page)
        page.goto(f"{url}/?__theme={theme}")
        page.get_by_role("tab", name=tab, exact=True).click()
        page.locator("[role=tabpanel]:visible").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith(("http://127.0.0.1:", "blob:", "data:"))] == []
    assert errors == []


@pytest.fixture
def give():
    """Give files to the drop zone of the tab that is seen."""

    def give_files(page, *paths):
        page.locator(".drop-zone:visible input[type=file]").set_input_files([str(path) for path in paths])

    return give_files


@pytest.fixture
def fits():
    """Whether a page needs no sideways scrolling, once it has found its form: Gradio folds its row of tabs late."""

    def fits_width(page):
        try:
            page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth", timeout=10_000)
        except Exception:  # Playwright's own: it never does
            return False
        return True

    return fits_width
