"""Limits of a server: which ones hold, and that they reach visitors."""

import json
import urllib.error
import urllib.request

import pytest

from tests.app.api.test_refusals import META, post
from tests.app.server.test_security import upload
from virtus.app.server.serving import MAX_WAITING
from virtus.app.visitors.limits import find_limits
from virtus.errors import InputError

VARIABLES = ("GRADIO_SERVER_NAME", "SPACE_ID", "VIRTUS_RATE_LIMIT", "VIRTUS_MAX_DISK_GIB")


@pytest.fixture
def environment(monkeypatch):
    """Without what this machine's may say."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_what_is_asked_for_holds(environment):
    environment.setenv("VIRTUS_RATE_LIMIT", "7")
    environment.setenv("VIRTUS_MAX_DISK_GIB", "8")
    limits = find_limits(5, 2, host="0.0.0.0", share=True)
    assert (limits.calls_per_minute, limits.max_disk_bytes) == (5, 2 * 2**30)


def test_then_the_environment(environment):
    environment.setenv("VIRTUS_RATE_LIMIT", " 0 ")
    environment.setenv("VIRTUS_MAX_DISK_GIB", "8")
    limits = find_limits(None, None, host="0.0.0.0", share=True)
    assert (limits.calls_per_minute, limits.max_disk_gib) == (0, 8)


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("host", "share", "most"),
    [
        (None, False, 0),
        ("127.0.0.1", False, 0),
        ("[::1]", False, 0),
        ("localhost", False, 0),
        ("127.0.0.1", True, 600),
        ("0.0.0.0", False, 600),
        ("faces.example.org", False, 600),
    ],
)
def test_else_who_can_reach_it_decides(host, share, most):
    limits = find_limits(None, None, host=host, share=share)
    assert (limits.calls_per_minute, limits.max_disk_gib) == (most, 4)


def test_the_address_may_come_from_the_environment(environment):
    environment.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    assert find_limits(None, None, host=None, share=False).calls_per_minute == 600
    environment.setenv("SPACE_ID", "somebody/virtus")  # all of its visitors come from one router
    assert find_limits(None, None, host=None, share=False).calls_per_minute == 0


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("VIRTUS_RATE_LIMIT", "many"),
        ("VIRTUS_RATE_LIMIT", "-1"),
        ("VIRTUS_RATE_LIMIT", "1.5"),
        ("VIRTUS_MAX_DISK_GIB", "0"),
    ],
)
def test_no_number_is_said_in_a_sentence(environment, name, text):
    environment.setenv(name, text)
    with pytest.raises(InputError, match=f"{name} must be a whole number from"):
        find_limits(None, None, host=None, share=False)


def refused(server, data, *, within: int) -> urllib.error.HTTPError:
    """The first refusal of so many calls, all made before the first is answered."""
    for _ in range(within):
        try:
            post(server, "call/v2/analyze", data).close()
        except urllib.error.HTTPError as exc:
            return exc
    pytest.fail(f"{within} calls were taken")


def test_a_client_that_asks_too_often_is_told_so(start):
    server = start("-m", "virtus", "serve", "--rate-limit", "5")
    answer = refused(server, {"file": {"path": "a.jpg"}}, within=60)
    assert answer.code == 429
    assert json.load(answer)["detail"].startswith("This address asks too often: at most 5 calls and uploads a minute.")
    urllib.request.urlopen(server.url).close()  # pages are free


def test_a_full_queue_is_said_and_nobody_in_it_is_forgotten(start):
    server = start("-m", "virtus", "serve", "--device", "cpu")
    data = {"file": {"path": str(upload(server)), "meta": META}}
    first = json.load(post(server, "call/v2/analyze", data))["event_id"]
    answer = refused(server, data, within=4 * MAX_WAITING)
    assert answer.code == 503
    assert json.load(answer) == {"detail": "The app is busy: too many visitors are waiting. Try again in a moment."}
    said = urllib.request.urlopen(f"{server.url}/gradio_api/call/v2/analyze/{first}").read().decode()
    assert '"outcome": "real"' in said
