"""The tools of `serve --mcp`, by the protocol's own client; the app is behind a login."""

import asyncio
import base64
import http.client
import io
import os
import subprocess
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

import virtus
from virtus.app.api.endpoints import ENDPOINTS

mcp = pytest.importorskip("mcp", reason="the package mcp is not installed")
LOGIN = ("user", "password")


@pytest.fixture
def use(guarded):
    """Calls a method of the protocol's client session, and returns what it returns."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    async def ask(method, *given):
        async with (
            httpx.AsyncClient(auth=LOGIN, timeout=300) as http,
            streamable_http_client(f"{guarded.url}/gradio_api/mcp", http_client=http) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            started = await session.initialize()
            return started if method == "initialize" else await getattr(session, method)(*given)

    def run(method, *given):
        """In a thread of its own: in this one runs the loop of a browser, where its tests came before."""
        with ThreadPoolExecutor(max_workers=1) as thread:
            return thread.submit(lambda: asyncio.run(ask(method, *given))).result()

    return run


@pytest.fixture
def upload(guarded):
    """Uploads a file and returns what the upload answers."""

    def post(path):
        with httpx.Client(base_url=guarded.url) as http:
            http.post("/login", data={"username": LOGIN[0], "password": LOGIN[1]}).raise_for_status()
            answer = http.post("/gradio_api/upload", files={"files": path.read_bytes()})
        return answer.raise_for_status().json()[0]

    return post


def said(answer):
    assert answer.isError
    return answer.content[0].text


def test_the_tools_are_the_documented_endpoints(use):
    tools = use("list_tools").tools
    assert {tool.name for tool in tools} == set(ENDPOINTS)
    for tool in tools:
        assert tool.description
        if tool.name != "report":
            assert tool.outputSchema["type"] == "object"
            assert tool.outputSchema.get("properties") or len(tool.outputSchema["anyOf"]) == 2  # a photo's, a clip's
        assert all(one["description"] for one in tool.inputSchema["properties"].values())
        files = [one for one in tool.inputSchema["properties"].values() if "/gradio_api/upload" in one["description"]]
        assert files
    started = use("initialize")
    assert "Addresses are not fetched" in started.instructions
    assert started.serverInfo.version == virtus.__version__  # by a private name of the SDK


def test_an_upload_is_answered_as_by_the_endpoint(guarded, use, upload, photos):
    answer = use("call_tool", "analyze", {"file": upload(photos["two.png"]), "prior": 0.3})
    client = Client(guarded.url, auth=LOGIN, verbose=False)
    expected = client.predict(handle_file(str(photos["two.png"])), prior=0.3, api_name="/analyze")
    assert not answer.isError
    assert answer.structuredContent == expected


def test_explain_hands_over_its_pictures(use, upload, photos):
    answer = use("call_tool", "explain", {"file": upload(photos["one.jpg"]), "method": "gradcam"})
    text, *pictures = answer.content
    assert (text.type, answer.structuredContent["method"]) == ("text", "gradcam")
    assert [one.mimeType for one in pictures] == ["image/png"] * 2
    with Image.open(io.BytesIO(base64.b64decode(pictures[1].data))) as photo:
        assert photo.size == (512, 600)
    none = use("call_tool", "explain", {"file": upload(photos["none.png"])})
    assert none.structuredContent["outcome"] == "no_face"
    assert len(none.content) == 1


def test_a_report_is_handed_over_as_links(guarded, use, upload, photos):
    page, record = use("call_tool", "report", {"file": upload(photos["one.jpg"]), "methods": ""}).content
    assert [one.type for one in (page, record)] == ["resource_link"] * 2
    assert str(page.uri).startswith(f"{guarded.url}/gradio_api/file=")
    with httpx.Client() as http:
        assert http.get(str(page.uri)).status_code == 401
        http.post(f"{guarded.url}/login", data={"username": LOGIN[0], "password": LOGIN[1]})
        assert "<html" in http.get(str(page.uri)).text
        assert http.get(str(record.uri)).json()["report"]["faces"]


def test_a_batch_is_handed_over_when_all_of_it_is_judged(use, upload, photos):
    given = [upload(photos[name]) for name in ("one.jpg", "none.png")]
    reports, counts = use("call_tool", "batch", {"files": given}).structuredContent["answers"]
    assert [report["image_size"] for report in reports] == [[512, 600], [300, 200]]
    assert counts == {reports[0]["outcome"]: 1, "no_face": 1}


def test_a_file_can_be_handed_over_in_the_call(use, photos):
    data = base64.b64encode(photos["one.jpg"].read_bytes()).decode()
    answer = use("call_tool", "analyze", {"file": f"data:image/jpeg;base64,{data}"})
    assert len(answer.structuredContent["faces"]) == 1


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("data:image/jpeg;base64,@@@@", "no valid base64"),
        ("data:image/jpeg;base64,", "The file is empty"),
        ("data:,text", "The file is empty"),
        ("data:", "The file is empty"),
    ],
)
def test_a_data_uri_that_is_none_is_refused(use, uri, why):
    assert why in said(use("call_tool", "analyze", {"file": uri}))


def test_the_address_of_an_own_upload_is_read_as_its_path(guarded, use, upload, photos):
    path = upload(photos["one.jpg"])
    answer = use("call_tool", "analyze", {"file": f"{guarded.url}/gradio_api/file={path}"})
    assert len(answer.structuredContent["faces"]) == 1


@pytest.mark.parametrize("tool", ENDPOINTS)
@pytest.mark.parametrize("form", ["{url}", "{url}/gradio_api/file={path}", "{own}/gradio_api/file={url}"])
def test_other_addresses_are_refused_before_they_are_fetched(guarded, use, upload, photos, outside, tool, form):
    url, counting = outside
    given = form.format(url=url, path=upload(photos["one.jpg"]), own=guarded.url)
    described = next(one for one in use("list_tools").tools if one.name == tool)
    (name,) = described.inputSchema["required"]
    several = described.inputSchema["properties"][name]["type"] == "array"
    assert "Addresses are not fetched" in said(use("call_tool", tool, {name: [given] if several else given}))
    assert counting.hits == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "file:///etc/passwd", ""])
def test_other_files_are_refused(use, path):
    words = said(use("call_tool", "analyze", {"file": path}))
    assert "passwd" not in words
    assert "pload" in words


@pytest.mark.parametrize(
    ("tool", "given", "why"),
    [
        ("analyze", {"prior": 2}, "prior"),
        ("analyze", {"model": "/etc"}, "is not the name of a checkpoint"),
        ("analyze", {"guess": 1}, "guess"),
        ("explain", {"method": "guess"}, "Input should be 'rollout'"),
        ("explain", {"face": 7}, "There is no face 7"),
        ("show_verdict", {}, "Unknown tool: show_verdict"),
    ],
)
def test_a_wrong_value_is_answered_with_a_sentence(use, upload, photos, tool, given, why):
    words = said(use("call_tool", tool, {"file": upload(photos["one.jpg"])} | given))
    assert why in words
    assert "Traceback" not in words


def post(url, body=b"{}", **headers):
    """The status of a raw call."""
    usual = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        return urllib.request.urlopen(urllib.request.Request(url, body, usual | headers)).status
    except urllib.error.HTTPError as error:
        return error.code


def test_without_the_login_there_are_no_tools(guarded):
    wrong = "Basic " + base64.b64encode(b"user:guess").decode()
    for path in ("/gradio_api/mcp", "/gradio_api/mcp/"):
        assert post(f"{guarded.url}{path}") == 401
        assert post(f"{guarded.url}{path}", Authorization=wrong) == 401


def test_too_large_a_call_is_refused_by_its_head(guarded):
    connection = http.client.HTTPConnection(guarded.url.removeprefix("http://"))
    connection.putrequest("POST", "/gradio_api/mcp")
    right = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
    for name, value in (("Authorization", right), ("Content-Length", 16 * 2**20 + 1)):
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.getresponse().status == 413


def test_there_are_no_tools_unless_asked_for(server):
    assert post(f"{server.url}/gradio_api/mcp") in (404, 405)


def test_without_the_package_a_sentence_says_what_to_install():
    start = "from virtus.cli.commands import main; sys.exit(main(['serve', '--mcp']))"
    code = f"import sys; sys.modules['mcp'] = None; {start}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 2
    assert done.stderr == "virtus: --mcp needs the package mcp. Install it: pip install -e '.[mcp]'.\n"
