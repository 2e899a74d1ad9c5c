"""The guards before the app, each on a small app of its own."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from virtus.app.server.guards.body_limits import MIB, MOST_BYTES, UPLOAD
from virtus.app.server.guards.client_limits import FAILURES_PER_MINUTE, Buckets, address_of
from virtus.app.server.guards.stack import guards
from virtus.app.visitors.files import VisitorFiles


async def echo(request):
    """How many bytes came."""
    return PlainTextResponse(str(len(await request.body())))


async def login(request):
    answer = Response(status_code=200 if await request.body() == b"right" else 400)
    answer.set_cookie("open", "1", httponly=True)
    answer.set_cookie("closed", "1", httponly=True, secure=True, samesite="none")
    return answer


async def full(_):
    return PlainTextResponse("Queue is full. Max size is 1 and size is 1.", 503)


def client(base_url="http://app.example", **settings):
    routes = [Route("/login", login, methods=["POST"]), Route("/gradio_api/queue/join", full, methods=["POST"])]
    routes += [Route("/{path:path}", echo, methods=["GET", "POST"])]
    return TestClient(Starlette(routes=routes, middleware=guards(**settings)), base_url=base_url)


def test_a_bucket_fills_evenly_and_never_beyond_its_size():
    now = 0.0
    buckets = Buckets(2, clock=lambda: now)  # one more each 30 s
    for _ in range(2):
        assert buckets.wait_s("a") == 0
        buckets.take("a")
    assert buckets.wait_s("a") == pytest.approx(30)
    assert buckets.wait_s("b") == 0
    now = 15.0
    assert buckets.wait_s("a") == pytest.approx(15)
    now = 1000.0
    buckets.take("a")
    buckets.take("a")
    assert buckets.wait_s("a") == pytest.approx(30)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
    ],
)
def test_an_address_is_one_machines_or_one_network(host, address):
    assert address_of({"client": (host, 5)}) == address


@pytest.fixture
def quickly(monkeypatch):
    """No time passes for those who count, however slow the machine is."""
    monkeypatch.setattr(Buckets.__init__, "__defaults__", (lambda: 0.0,))


@pytest.mark.usefixtures("quickly")
def test_who_asks_too_often_is_told_when_to_come_back():
    asking = client(calls_per_minute=3)
    assert [asking.post("/a").status_code for _ in range(4)] == [200, 200, 200, 429]
    refused = asking.post("/a", headers={"X-Forwarded-For": "192.0.2.9"})  # anyone can write that
    assert refused.status_code == 429
    assert "at most 3 calls and uploads a minute" in refused.json()["detail"]
    assert 0 < int(refused.headers["retry-after"]) <= 20
    assert asking.get("/a").status_code == 200


@pytest.mark.usefixtures("quickly")
def test_passwords_are_guessed_slowly():
    asking = client()
    assert asking.post("/login", content=b"right").status_code == 200
    for _ in range(FAILURES_PER_MINUTE):
        assert asking.post("/login", content=b"wrong").status_code == 400
    assert asking.post("/login", content=b"right").status_code == 429
    assert asking.get("/a", headers={"Authorization": "Basic abc"}).status_code == 429  # the tools' login
    assert asking.get("/a").status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://app.example:81", "http://app.example.evil"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_of_other_sites_are_refused(origin, method):
    refused = client().request(method, "/a", headers={"Origin": origin, "Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert "other sites" in refused.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "http://app.example"},
        {"Origin": "https://app.example"},  # a proxy speaks https for it
        {"Origin": "https://outside.example", "X-Forwarded-Host": "outside.example"},
        {"Origin": "https://outside.example", "Sec-Fetch-Site": "same-origin"},
    ],
)
def test_its_own_pages_and_programs_are_not(headers):
    assert client().post("/a", headers=headers).status_code == 200


def test_bodies_have_a_size():
    asking = client()
    assert asking.post("/a", content=bytes(MIB)).text == str(MIB)
    refused = asking.post("/a", content=bytes(MIB + 1))
    assert refused.status_code == 413
    assert "more than the 1 MiB" in refused.json()["detail"]
    assert asking.post(UPLOAD, content=bytes(2 * MIB)).status_code == 200


def test_bodies_without_a_length_are_counted():
    assert client().post("/a", content=iter([bytes(MIB), b"1"])).status_code == 413


def test_uploads_have_room_together(tmp_path):
    files = VisitorFiles(tmp_path, max_bytes=3 * MIB)
    asking = client(files=files)
    assert asking.post(UPLOAD, content=bytes(2 * MIB)).status_code == 200
    refused = asking.post(UPLOAD, content=bytes(2 * MIB))
    assert refused.status_code == 503
    assert "keeps as many uploads as it can" in refused.text
    assert "retry-after" in refused.headers
    assert asking.post("/a", content=bytes(MIB)).status_code == 200
    files.sweep()  # nothing of it was written, so all is free again
    assert asking.post(UPLOAD, content=bytes(2 * MIB)).status_code == 200


def test_the_largest_batch_fits_into_one_upload():
    from virtus.app.visitors.batches import MAX_BATCH_BYTES

    assert MOST_BYTES[UPLOAD] > MAX_BATCH_BYTES


async def never():
    await asyncio.Event().wait()


def posted(receive, **headers):
    """The status that is answered to a body that comes so."""
    scope = {"type": "http", "method": "POST", "path": "/a", "scheme": "http", "query_string": b""}
    scope["headers"] = [(name.encode(), value.encode()) for name, value in headers.items()]
    app, sent = client().app, []

    async def send(message):
        sent.append(message)

    # Playwright's event loop, where a browser test came before, is this thread's.
    with ThreadPoolExecutor() as pool:
        pool.submit(lambda: asyncio.run(app(scope, receive, send))).result()
    return sent[0]["status"]


def test_who_stalls_is_sent_away(monkeypatch):
    monkeypatch.setattr("virtus.app.server.guards.body_limits.STALLED_S", 0.01)
    assert posted(never) == 408


@pytest.mark.parametrize(
    ("headers", "num_read"),
    [({"connection": "close"}, 3), ({}, 0), ({"connection": "close", "expect": "100-continue"}, 0)],
)
def test_a_refusal_comes_after_what_is_posted_where_the_connection_ends_with_it(headers, num_read):
    """Who was still sending 5 MiB was reset in place of the refusal. What stays open is read afterwards."""
    parts = [b"a", b"b", b"c"]

    async def receive():
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    assert posted(receive, origin="https://evil.example", **headers) == 403
    assert 3 - len(parts) == num_read


def test_who_stalls_is_refused_all_the_same(monkeypatch):
    monkeypatch.setattr("virtus.app.server.guards.body_limits.LINGER_S", 0.01)
    assert posted(never, origin="https://evil.example", connection="close") == 403


def test_a_full_queue_is_said_in_a_sentence():
    refused = client().post("/gradio_api/queue/join")
    assert refused.status_code == 503
    assert refused.json() == {"detail": "The app is busy: too many visitors are waiting. Try again in a moment."}
    assert refused.headers["retry-after"] == "10"


def test_every_answer_says_what_browsers_may_do():
    for path, status in {"/a": 200, "/gradio_api/deep_link": 404}.items():
        answer = client().get(path)
        assert answer.status_code == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "camera=(self)" in answer.headers["permissions-policy"]
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'; " in policy
        assert "frame-ancestors 'self' https://huggingface.co " in policy


def test_visitors_files_and_answers_stay_out_of_caches():
    assert client().get("/gradio_api/file=/a.jpg").headers["cache-control"] == "no-store"
    assert "cache-control" not in client().get("/assets/index.js").headers


@pytest.mark.parametrize(("scheme", "secured"), [("http", 1), ("https", 2)])
def test_cookies_stay_behind_https(scheme, secured):
    cookies = client(f"{scheme}://app.example").post("/login", content=b"right").headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert all("HttpOnly" in cookie for cookie in cookies)
    assert sum("; secure" in cookie.lower() for cookie in cookies) == secured


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/deep_link", "/gradio_api/proxy=https://a.hf.space/b", "/gradio_api/file/https://a.example/b",
        "/gradio_api/component_server", "/gradio_api/vibe-edit/", "/gradio_api/dev/reload", "/monitoring/key",
        "/below/gradio_api/run-history/records", "/gradio_api/stream/a/0/1/playlist-file",
    ],
)  # fmt: skip
def test_what_the_app_does_not_need_is_closed(path):
    assert client().get(path).status_code == 404


@pytest.mark.parametrize("path", ["/gradio_api/file=http://a.example/b", "/gradio_api/file=https%3A//a.example/b"])
def test_no_address_is_fetched(path):
    assert client().get(path).status_code == 403
