"""Who asks for what there is not, or in another way, gets a status and a sentence; the log gets no stack."""

import json
import urllib.error
import urllib.request

import pytest

from virtus.app.api.endpoints import ENDPOINTS

JSON = {"Content-Type": "application/json"}
CALL = "call/v2/analyze"


def refusal(server, method, route, body=None, headers=JSON):
    """Status, type and text of a refused request; nothing of it may be in the log."""
    before = server.log.read_text()
    request = urllib.request.Request(f"{server.url}/gradio_api/{route}", body, headers, method=method)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    logged = server.log.read_text().removeprefix(before)
    assert "Traceback" not in logged
    assert "Error" not in logged
    return caught.value.code, caught.value.headers["Content-Type"], caught.value.read().decode()


def sentence(server, status, *asked, **more):
    code, _, text = refusal(server, *asked, **more)
    assert code == status
    return json.loads(text)["detail"]


@pytest.mark.parametrize("name", ["nothing", "loading", "v2/nothing", "v2/", "", "%E2%82%AC", "v2/a%0Ab"])
@pytest.mark.parametrize(("method", "body"), [("POST", b'{"data": []}'), ("GET", None)])
def test_an_endpoint_that_there_is_not_is_404_with_those_that_there_are(server, method, body, name):
    told = sentence(server, 404, method, f"call/{name}", body)
    assert told.startswith("There is no endpoint '/")
    assert all(f"/{one}" in told for one in ENDPOINTS)


@pytest.mark.parametrize("route", ["call/v2/analyze/", "call/analyze/", "call/compare/"])
def test_a_call_that_nobody_made_is_404(server, route):
    assert sentence(server, 404, "GET", f"{route}0123456789abcdef").startswith("There is no such call")


def test_an_answer_is_fetched_once(server):
    """A second time, nobody ever answered."""
    asking = urllib.request.Request(f"{server.url}/gradio_api/{CALL}", b'{"file": {}}', JSON)
    event = json.load(urllib.request.urlopen(asking))["event_id"]
    fetched = urllib.request.urlopen(f"{server.url}/gradio_api/{CALL}/{event}").read().decode()
    assert "Upload the file" in fetched
    assert "answered before" in sentence(server, 404, "GET", f"{CALL}/{event}")


def test_a_session_that_there_is_not_is_said_to_the_page_in_its_own_form(server):
    status, kind, text = refusal(server, "GET", "queue/data?session_hash=nothing")
    assert (status, kind.partition(";")[0]) == (404, "text/event-stream")
    told = json.loads(text.removeprefix("data: "))
    assert told["msg"] == "unexpected_error"
    assert told["session_not_found"] is True
    assert "Reload the page" in told["message"]


@pytest.mark.parametrize("number", [-1, 99_999])
def test_an_event_that_there_is_not_is_404(server, number):
    body = json.dumps({"session_hash": "test", "data": [1], "fn_index": number}).encode()
    assert sentence(server, 404, "POST", "queue/join", body).startswith("There is no such event")
    assert sentence(server, 404, "POST", "run/nothing", b'{"data": []}').startswith("There is no such event")


@pytest.mark.parametrize(
    ("method", "route"),
    [("GET", CALL), ("PUT", CALL), ("POST", f"{CALL}/1"), ("DELETE", f"{CALL}/1"), ("GET", "upload")],
)
def test_another_method_is_405_and_says_which_is_right(server, method, route):
    assert "by POST" in sentence(server, 405, method, route)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("route", [CALL, "call/analyze", "queue/join"])
def test_json_that_is_not_said_to_be_json_is_told_how_to_say_so(server, route, kind):
    told = sentence(server, 422, "POST", route, b'{"file": {}, "data": []}', headers={"Content-Type": kind})
    assert "Content-Type: application/json" in told


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"file":', "no valid JSON (Expecting value, character 8)"),
        (b"\xff\xfe{}", "no valid JSON"),
        (b"", "no JSON object"),
        (b"[1]", "no JSON object"),
        (b"null", "no JSON object"),
    ],
)
def test_what_is_no_json_object_is_said_in_a_sentence(server, body, said):
    assert said in sentence(server, 422, "POST", CALL, body)


@pytest.mark.parametrize(
    ("route", "body", "said"),
    [
        ("call/analyze", b'{"data": 5}', "'data' cannot be read: Input should be a valid list."),
        ("call/analyze", b'{"date": []}', "'data' is missing."),
        ("queue/join", b'{"data": [], "fn_index": "x"}', "'fn_index' cannot be read"),
        ("cancel", b"{}", "'session_hash' is missing."),
    ],
)
def test_a_part_of_another_kind_is_named(server, route, body, said):
    assert said in sentence(server, 422, "POST", route, body)
