"""A running app from outside: its files, its login, its network, its end."""

import http.client
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlsplit

import gradio as gr
import pytest
from gradio.routes import App
from gradio_client import Client, handle_file

from tests.support.no_network import without_network
from tests.support.waiting import wait_until
from virtus.app.server.guards.routes import CLOSED
from virtus.bundled import ASSETS

ROOT = Path(__file__).parents[3]
HOPPER = ASSETS / "examples" / "grace-hopper.jpg"
# What visitors need before they have logged in; none of it tells or does anything of the app's own.
BEFORE_LOGIN = {
    "/", "/login", "/login/", "/logout", "/robots.txt", "/favicon.ico", "/manifest.json", "/pwa_icon", "/theme.css",
    "/pwa_icon/{size}", "/assets/{path}", "/static/{path}", "/svelte/{path}",
    *(f"/gradio_api/{name}" for name in ("user", "user/", "token", "token/", "app_id", "app_id/", "theme.css")),
    *(f"/gradio_api/{name}" for name in ("startup-events", "reset", "reset/", "cancel", "heartbeat/{session_hash}")),
}  # fmt: skip


def status_of(url, method="GET", **headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as exc:
        return exc.code


def upload(server, name="photo.jpg"):
    head = f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'.encode()
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    body = head + HOPPER.read_bytes() + b"\r\n--b--\r\n"
    request = urllib.request.Request(f"{server.url}/gradio_api/upload", body, headers)
    return Path(json.load(urllib.request.urlopen(request))[0])


def break_off_an_upload(server):
    """Announce a megabyte, send a tenth, and hang up; returns once the server has begun to write."""
    connection = http.client.HTTPConnection(urlsplit(server.url).netloc)
    connection.putrequest("POST", "/gradio_api/upload")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(2**20))
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    connection.endheaders(head + bytes(100_000))
    wait_until(lambda: list(server.uploads.glob("tmp*")))
    connection.close()


def test_no_file_beside_the_uploads_is_served(server, tmp_path):
    own = upload(server)
    (tmp_path / "secret.txt").write_text("secret")
    link = own.parent / "link.txt"
    link.symlink_to(tmp_path / "secret.txt")
    assert own.is_relative_to(server.uploads)
    assert status_of(f"{server.url}/gradio_api/file={quote(str(own))}") == 200
    outside = [link, own.parent, own.parents[1], own.parent / ".." / ".." / ".." / "log.txt", server.log, "/etc/passwd"]
    outside += ["app.py", "pyproject.toml", "../pyproject.toml", "/proc/self/environ", f"{own}\0.jpg", "x" * 5000]
    for path in map(str, outside):
        for said in (path, quote(path, safe=""), quote(path).replace(".", "%2e"), quote(quote(path, safe=""))):
            request = f"{server.url}/gradio_api/file={said.replace(chr(0), '%00')}"
            assert status_of(request) in (400, 403, 404), request
    for path in ("assets/..%2f..%2froutes.py", "static/..%2f..%2f..%2froutes.py", "svelte/..%2froutes.py"):
        assert status_of(f"{server.url}/{path}") in (403, 404), path


def test_uploads_of_others_are_not_to_be_guessed(server):
    name = upload(server).parent.name
    import hashlib

    assert len(name) == 64
    assert name != hashlib.sha256(HOPPER.read_bytes()).hexdigest()  # else who has a photo could ask who else gave it


def test_everything_asks_for_the_login(guarded):
    with gr.Blocks() as blocks:
        gr.HTML("every route of Gradio's")
    routes = App.create_app(blocks).openapi()["paths"]
    assert "/gradio_api/upload" in routes
    for path, methods in routes.items():
        if path in BEFORE_LOGIN:
            continue
        for method in map(str.upper, methods):
            expected = {404} if CLOSED.search(path) else {401}
            url = guarded.url + path.replace("{", "").replace("}", "")
            assert status_of(url, method) in expected, (method, path)
    example = next(guarded.uploads.rglob("*.jpg"))
    assert status_of(f"{guarded.url}/gradio_api/file={example}") == 401
    for own in ("mcp", "erase"):
        assert status_of(f"{guarded.url}/gradio_api/{own}", "POST") == 401
    with urllib.request.urlopen(guarded.url) as page:
        assert "Drop a photo" not in page.read().decode()


def test_the_tools_ask_for_the_right_password(guarded):
    wrong = "Basic " + b64encode(b"user:wrong").decode()
    assert status_of(f"{guarded.url}/gradio_api/mcp", "POST", Authorization=wrong) == 401


def test_no_version_is_told_by_headers(server):
    with urllib.request.urlopen(server.url) as answer:
        assert not any(character.isdigit() for character in answer.headers.get("server", ""))
        assert "x-powered-by" not in answer.headers


def test_nothing_leaves_the_machine_and_nothing_stays_on_it(start, tmp_path):
    """The Hub off: every endpoint, the page, an upload that breaks off, an unknown model; then SIGTERM."""
    running = start("app.py", VIRTUS_RATE_LIMIT="100", **without_network(tmp_path / "no-network"))
    client = Client(running.url, verbose=False)
    photo = handle_file(HOPPER)
    for api_name in ("analyze", "explain", "provenance", "compare", "report"):
        given = {"methods": ""} if api_name == "report" else {}
        assert client.predict(photo, api_name=f"/{api_name}", **given)
    assert client.predict([photo], api_name="/batch")
    with pytest.raises(Exception, match="somebody/something"):
        client.predict(photo, model="somebody/something", api_name="/analyze")
    break_off_an_upload(running)
    assert any(status_of(f"{running.url}/gradio_api/upload", "POST") == 429 for _ in range(1000))
    uploads = running.uploads
    running.stop()
    assert not uploads.exists()
    assert (tmp_path / "no-network" / "attempts").read_text() == ""
    assert "Traceback" not in running.log.read_text()


def test_the_command_line_asks_nobody(tmp_path):
    environment = without_network(tmp_path / "no-network") | {"HF_HOME": str(tmp_path / "hub")}
    code = f"from virtus.cli.commands import main; main(['scan', {str(HOPPER)!r}]); main(['explain', {str(HOPPER)!r}"
    code += f", '--out', {str(tmp_path / 'maps')!r}]); import socket\ntry: socket.create_connection(('192.0.2.1', 9))"
    code += "\nexcept OSError as exc: print(exc)"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=True
    )
    assert "real" in done.stdout
    attempts = (tmp_path / "no-network" / "attempts").read_text().splitlines()
    assert attempts == ["getaddrinfo '192.0.2.1'"]  # the one that this test made itself: so attempts are seen
