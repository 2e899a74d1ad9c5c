"""What a running app refuses, by raw requests: addresses, foreign paths, uploads that are gone or too large."""

import inspect
import json
import urllib.error
import urllib.parse
import urllib.request
from itertools import chain, repeat

import pytest
from gradio import FileData

from tests.corpus.parameters import META
from virtus.app.api.endpoints import ENDPOINTS, endpoint_functions
from virtus.app.visitors.detectors import Detectors
from virtus.bundled import ASSETS
from virtus.video.analysis import MAX_CLIP_BYTES

HOPPER = ASSETS / "examples" / "grace-hopper.jpg"


def post(server, route, data):
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{server.url}/gradio_api/{route}", json.dumps(data).encode(), headers)
    return urllib.request.urlopen(request)


def call(server, api_name, **data):
    """A request without Gradio's client: the last event's name and its data."""
    event = json.load(post(server, f"call/v2/{api_name}", data))["event_id"]
    answer = urllib.request.urlopen(f"{server.url}/gradio_api/call/v2/{api_name}/{event}")
    lines = answer.read().decode().strip()
    *_, name, data = lines.splitlines()
    return name.removeprefix("event: "), data.removeprefix("data: ")


def file_parameter(api_name):
    """Name of an endpoint's parameter for files, and whether it takes several."""
    parameters = inspect.signature(endpoint_functions(Detectors())[api_name]).parameters.values()
    (found,) = [one for one in parameters if one.annotation in (FileData, list[FileData])]
    return found.name, found.annotation is not FileData


@pytest.mark.parametrize("api_name", ENDPOINTS)
@pytest.mark.parametrize("within", ["{}", '[{{"a": {}}}]', '{{"path": "{folder}/a.jpg", "a": {}}}'])
def test_an_address_is_refused_before_it_is_fetched(server, outside, api_name, within):
    url, counting = outside
    file = json.dumps({"path": url, "url": url, "meta": META})
    given = json.loads(within.format(file, folder=server.uploads))
    name, several = file_parameter(api_name)
    event, said = call(server, api_name, **{name: [given] if several else given})
    assert event == "error"
    assert "Addresses are not fetched" in said
    assert counting.hits == 0


@pytest.mark.parametrize(
    "files", ["[{}]", '[{{"path": "{folder}/a.jpg"}}, {}]', '[{{"path": "{folder}/a.jpg", "a": {}}}]']
)
def test_an_address_among_many_files_is_refused_before_it_is_fetched(server, outside, files):
    url, counting = outside
    file = json.dumps({"path": url, "url": url, "orig_name": "a.jpg", "meta": META})
    event, said = call(server, "batch", files=json.loads(files.format(file, folder=server.uploads)))
    assert event == "error"
    assert "Addresses are not fetched" in said
    assert counting.hits == 0


def test_an_address_is_refused_for_every_input_of_every_event(server, outside):
    url, counting = outside
    config = json.load(urllib.request.urlopen(f"{server.url}/config"))
    for event in config["dependencies"]:
        if not event["backend_fn"]:  # what cancels another, and what the page does by itself
            continue
        if event["api_name"] == "loading":
            assert not event["inputs"]
            continue
        assert event["inputs"]
        data = [{"path": url, "meta": META} for _ in event["inputs"]]
        session = f"test-{event['id']}"
        joining = {"data": data, "fn_index": event["id"], "session_hash": session}
        post(server, "queue/join", joining).close()
        with urllib.request.urlopen(f"{server.url}/gradio_api/queue/data?session_hash={session}") as messages:
            said = messages.read().decode()
        assert "Addresses are not fetched" in said, event["api_name"]
    assert counting.hits == 0


@pytest.mark.parametrize("value", [{"a": 1}, [[]], "x", 2**63], ids=str)
def test_a_page_that_sends_what_it_does_not_offer_is_told(server, value):
    """Components of Gradio's that were sent something else ended in tracebacks."""
    before = server.log.read_text()
    for event in json.load(urllib.request.urlopen(f"{server.url}/config"))["dependencies"]:
        if not event["backend_fn"] or not event["inputs"]:
            continue
        session = f"wrong-{event['id']}-{value}"
        data = {"data": [value for _ in event["inputs"]], "fn_index": event["id"], "session_hash": session}
        post(server, "queue/join", data).close()
        address = f"{server.url}/gradio_api/queue/data?session_hash={urllib.parse.quote(session)}"
        with urllib.request.urlopen(address) as messages:
            said = [json.loads(line.decode().removeprefix("data: ")) for line in messages if line.startswith(b"data: ")]
        ended = next(one for one in said if one["msg"] == "process_completed")
        assert ended["success"] or ended["output"]["error"], event["api_name"]
    assert "Traceback" not in server.log.read_text().removeprefix(before)


@pytest.mark.parametrize("route", ["run/analyze", "run/predict", "api/analyze"])
def test_nothing_is_asked_beside_the_queue(server, route):
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(server, route, {"data": [], "fn_index": 0})
    assert caught.value.code == 404


@pytest.mark.parametrize("file", [{"url": "{url}"}, {"url": "{url}", "meta": META}, "{url}", None, {}, []])
def test_without_an_upload_there_is_our_sentence(server, outside, file):
    url, counting = outside
    event, said = call(server, "analyze", file=json.loads(json.dumps(file).replace("{url}", url)))
    assert event == "error"
    assert "Upload the file" in said
    assert counting.hits == 0


@pytest.mark.parametrize("api_name", ENDPOINTS)
@pytest.mark.parametrize("route", ["call", "call/v2"])
def test_parameters_that_there_are_not_are_said(server, api_name, route):
    """A missing or unknown one was an error of the server, with a traceback in its log."""
    before = server.log.read_text()
    name, _ = file_parameter(api_name)
    if route == "call":
        event = json.load(post(server, f"call/{api_name}", {"data": []}))["event_id"]
        answer = urllib.request.urlopen(f"{server.url}/gradio_api/call/{api_name}/{event}").read().decode()
        assert f"/{api_name} takes " in answer
        assert "and got 0. The parameters are listed" in answer
    else:
        for given, said in (({}, f"The parameter {name} is missing."), ({"size": 1}, "There is no parameter 'size'.")):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(server, f"call/v2/{api_name}", given)
            assert caught.value.code == 422
            assert json.load(caught.value)["detail"].startswith(said)
    assert "Traceback" not in server.log.read_text().removeprefix(before)


@pytest.mark.parametrize("value", ["false", 0, [], {}, 0.5])
def test_a_switch_is_on_or_off(server, value):
    """ "false" switched it on."""
    for api_name, switch in (("analyze", "whole_image"), ("video", "explain")):
        name, _ = file_parameter(api_name)
        event, said = call(server, api_name, **{name: {"path": str(server.uploads / "a.jpg")}, switch: value})
        assert event == "error"
        assert json.loads(said)["error"].startswith(f"{switch} must be true or false, not ")


@pytest.mark.parametrize("api_name", ENDPOINTS)
@pytest.mark.parametrize("change", [{"orig_name": 5}, {"size": "x"}, {"url": {}}, {"meta": 5}, {"meta": None}], ids=str)
def test_a_file_described_otherwise_than_its_upload_did_is_refused(server, api_name, change):
    """Gradio ended in a traceback, and an error without words."""
    before = server.log.read_text()
    name, several = file_parameter(api_name)
    given = {"path": str(server.uploads / "a.jpg"), "meta": META} | change
    event, said = call(server, api_name, **{name: [given] if several else given})
    assert event == "error"
    assert "not described as its upload returned it" in json.loads(said)["error"]
    assert "Traceback" not in server.log.read_text().removeprefix(before)


@pytest.mark.parametrize("method", [["rollout"], {"rollout": 1}, 5])
def test_a_method_that_is_no_name_is_refused(server, method):
    """A list ended in a traceback."""
    for api_name in ("explain", "compare"):
        event, said = call(server, api_name, file={"path": str(server.uploads / "a.jpg"), "meta": META}, method=method)
        assert event == "error"
        assert json.loads(said)["error"].startswith("There is no method ")


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../../etc/passwd", "/etc/\0passwd", "x" * 5000])
@pytest.mark.parametrize("meta", [{}, {"meta": META}])
def test_other_files_of_the_server_are_refused(server, path, meta):
    event, said = call(server, "analyze", file={"path": path} | meta)
    assert event == "error"
    assert "Only uploaded files are read" in said


def test_an_upload_that_was_deleted_is_asked_for_again(server):
    gone = server.uploads / "gone.jpg"
    event, said = call(server, "analyze", file={"path": str(gone), "meta": META})
    assert event == "error"
    assert "no longer kept" in said


def test_the_file_route_fetches_nothing(server, outside):
    url, counting = outside
    for route in ("/gradio_api/file=", "/file="):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}{route}{url}")
        assert caught.value.code in (403, 404)
    assert counting.hits == 0


def test_gradios_own_deep_links_are_closed(server):
    for slash in ("", "/"):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{server.url}/gradio_api/deep_link{slash}?session_hash=test")
        assert caught.value.code == 404


def test_too_large_an_upload_is_refused(server):
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="large.mp4"\r\n\r\n'
    block, blocks = bytes(2**20), MAX_CLIP_BYTES // 2**20 + 1
    length = str(len(head) + blocks * len(block))
    headers = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": length}
    body = chain([head], repeat(block, blocks))
    request = urllib.request.Request(f"{server.url}/gradio_api/upload", body, headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 413


def test_nothing_is_kept_or_reported(server):
    config = json.load(urllib.request.urlopen(f"{server.url}/config"))
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
