"""The app within somebody else's FastAPI app: guarded as by itself, and nothing else of that app is touched."""

import json
import urllib.error
import urllib.request

import pytest
from fastapi import FastAPI
from gradio_client import Client, handle_file
from starlette.applications import Starlette

from tests.app.conftest import HOPPER, Server, free_port
from virtus import mount
from virtus.errors import CheckpointError, InputError

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
VERDICT = "#verdict .verdict h2"
HOST = """
import contextlib, os, sys
import gradio as gr, uvicorn
from fastapi import FastAPI, Request
from starlette.testclient import TestClient
from virtus import mount

@contextlib.asynccontextmanager
async def lifespan(app):
    print("the host starts", flush=True)
    yield
    print("the host ends", flush=True)

host = FastAPI(lifespan=lifespan)

@host.post("/own/size")
async def size(request: Request) -> int:
    return len(await request.body())

@host.get("/monitoring/deep_link")
def own_page() -> dict:
    return {"folder": os.environ["GRADIO_TEMP_DIR"]}

given = {"device": "cpu", "precision": "float32"}
mount(host, **given)
mount(host, "/monitoring/strict/", auth=("user", "password"), mcp=True, calls_per_minute=3, **given)
with gr.Blocks() as blocks:
    file, path = gr.File(), gr.Textbox()
    file.upload(lambda path: path, file, path, api_name="keep")
    with gr.Tab("Deepfakes"):
        gr.HTML('<iframe src="/virtus/" title="Virtus" style="width: 100%; height: 900px; border: 0"></iframe>')
gr.mount_gradio_app(host, blocks, path="/blocks")
# As `uvicorn --root-path /outside` asks it.
inside = TestClient(host, root_path="/outside").get("/outside/virtus/config")
print(inside.json()["root"], flush=True)
uvicorn.run(host, port=int(sys.argv[1]), log_level="warning", timeout_graceful_shutdown=2)
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    port = free_port()
    running = Server(["-c", HOST, str(port)], port, tmp_path_factory.mktemp("host") / "own")
    running.url += "/virtus"
    yield running.wait()
    if running.process.poll() is None:
        stop(running)


def stop(host):
    host.process.terminate()
    host.process.wait(60)


def address(host, path):
    return host.url.removesuffix("/virtus") + path


def ask(host, path, body=None, **headers):
    request = urllib.request.Request(address(host, path), body, headers)
    try:
        return urllib.request.urlopen(request)
    except urllib.error.HTTPError as refused:
        return refused


def test_programs_ask_it_below_its_path(host):
    client = Client(host.url, verbose=False)
    assert client.predict(handle_file(HOPPER), api_name="/analyze")["outcome"] == "real"
    assert list(host.uploads.rglob(HOPPER.name)), "uploads lie elsewhere: nobody sweeps them"
    answer, crop, _ = client.predict(handle_file(HOPPER), method="evidence", api_name="/explain")
    assert answer["signed"]
    assert crop


def test_it_has_its_guards_and_answers(host):
    assert ask(host, "/virtus/config", Origin="https://evil.example").status == 403
    assert ask(host, "/virtus/gradio_api/deep_link").status == 404
    assert "There are /analyze" in ask(host, "/virtus/gradio_api/call/v2/nothing", b"{}").read().decode()
    assert ask(host, "/virtus/gradio_api/queue/join", bytes(2**20 + 1)).status == 413
    page = ask(host, "/virtus/")
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert json.load(ask(host, "/virtus/config"))["run_history"] is False


def test_an_address_is_refused_before_it_is_fetched(host, outside):
    url, counting = outside
    file = {"file": {"path": url, "url": url, "meta": {"_type": "gradio.FileData"}}}
    asked = ask(
        host, "/virtus/gradio_api/call/v2/analyze", json.dumps(file).encode(), **{"Content-Type": "application/json"}
    )
    event = json.load(asked)["event_id"]
    assert "Addresses are not fetched" in ask(host, f"/virtus/gradio_api/call/v2/analyze/{event}").read().decode()
    assert counting.hits == 0


def test_the_hosts_own_routes_are_as_they_were(host):
    asked = ask(host, "/own/size", bytes(2**21), Origin="https://elsewhere.example")
    assert json.load(asked) == 2**21
    assert "Content-Security-Policy" not in asked.headers
    assert json.load(ask(host, "/monitoring/deep_link")) == {"folder": str(host.folder / "gradio")}
    kept = Client(address(host, "/blocks"), verbose=False).predict(handle_file(HOPPER), api_name="/keep")
    assert "virtus-visitors" not in kept, "another app's uploads would be swept"


def test_each_of_several_has_settings_of_its_own(host):
    assert ask(host, "/monitoring/strict/config").status == 401
    assert ask(host, "/monitoring/strict/gradio_api/mcp", b"{}").status == 401
    assert [ask(host, "/monitoring/strict/login", b"").status for _ in range(4)][-1] == 429
    assert ask(host, "/virtus/gradio_api/reset", b"{}").status == 422


def test_behind_a_proxy_pages_ask_where_the_proxy_shows_it(host):
    told = {"X-Forwarded-Host": "app.example", "X-Forwarded-Proto": "https"}
    assert json.load(ask(host, "/virtus/config", **told))["root"] == "https://app.example/virtus"
    assert "http://testserver/outside/virtus\n" in host.log.read_text()


def test_a_browser_uses_it_and_so_does_a_frame_in_a_tab_of_other_blocks(host, visit, give):
    page = visit(url=host.url)
    playwright.expect(page.get_by_role("heading", name="Virtus")).to_be_visible()
    give(page, HOPPER)
    playwright.expect(page.locator(VERDICT)).to_contain_text("Real")
    page.goto(address(host, "/blocks/"))
    frame = page.frame_locator("iframe[title=Virtus]")
    frame.locator(".drop-zone:visible input[type=file]").set_input_files(str(HOPPER))
    playwright.expect(frame.locator(VERDICT)).to_contain_text("Real")


def test_it_ends_with_its_host_and_leaves_no_files(host):
    """Runs last: the host is stopped in it, while a page is open."""
    with urllib.request.urlopen(address(host, "/virtus/gradio_api/heartbeat/open")):
        stop(host)
    log = host.log.read_text()
    assert log.count("the host starts") == log.count("the host ends") == 1
    assert "terminate called" not in log
    assert not list((host.folder / "gradio").glob("virtus-visitors-*"))


@pytest.mark.parametrize(
    ("app", "path", "said"),
    [
        (Starlette(), "/virtus", "not on Starlette"),
        (FastAPI(), "virtus", "begins with a slash"),
        (None, "/", "NoneType"),
    ],
)
def test_what_it_cannot_be_mounted_on_is_said(app, path, said):
    with pytest.raises(InputError, match=said):
        mount(app, path)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"prior": 1.0}, "The prior is a share of fakes"),
        ({"calls_per_minute": -1}, "Calls per minute"),
        ({"max_disk_gib": 0}, "from 1 on"),
    ],
)
def test_settings_that_are_out_of_range_are_said_at_once(settings, said):
    app = FastAPI()
    with pytest.raises(InputError, match=said):
        mount(app, **settings)
    assert "/virtus" not in [getattr(route, "path", None) for route in app.routes]


def test_a_checkpoint_that_there_is_not_is_said_at_once():
    app = FastAPI()
    with pytest.raises(CheckpointError, match="no-such-folder"):
        mount(app, model="./no-such-folder")
    assert "/virtus" not in [getattr(route, "path", None) for route in app.routes]
