"""Publishing a run: how the real client uploads it to a Hub on loopback that may fail."""

import os
import subprocess
import sys
from pathlib import Path

import huggingface_hub.hf_api  # noqa: F401  its log goes to what stderr is at its first import: not to a test's own
import pytest
from PIL import Image

from tests.train.runs import CALIBRATION, FILES, PLOTS, content, write_run
from train.__main__ import main
from train.publish import hub as publish
from virtus.checkpoints.load import load_checkpoint

REPO = "someone/detector"
TOKEN = "hf_neverToBeSeenInAnyOutput"


@pytest.fixture
def make_run(make_checkpoint, tmp_path):
    """Factory: the options of `write_run`, to the folder of a run of the test's own."""
    return lambda **options: write_run(tmp_path / "run", make_checkpoint(), **options)


@pytest.fixture
def write_hub(hub, monkeypatch, tmp_path):
    """The Hub on loopback, with a token that may write to `someone`, and no other token to be found."""
    from huggingface_hub import constants

    hub.tokens[TOKEN] = {"someone"}
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for name in ("HUGGING_FACE_HUB_TOKEN", "HF_OIDC_RESOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    return hub


@pytest.fixture
def run_publish(capfd):
    """Publishes by the command line; returns status and all that was printed, in which the token is never."""

    def run(folder, *words):
        status = main(["publish", str(folder), "--repo", REPO, *words])
        printed = "".join(capfd.readouterr())
        assert TOKEN not in printed
        assert "Traceback" not in printed
        return status, printed

    return run


def published(hub):
    return hub.repos[REPO]["main"][1]


def test_a_dry_run_says_what_would_be_sent_and_asks_nothing(make_run, run_publish, write_hub):
    run = make_run()
    status, printed = run_publish(run, "--dry-run")
    found = content(run / "hub")
    assert status == 0
    assert set(found) == FILES
    assert all(name in printed and f"{len(data):,} bytes" in printed for name, data in found.items())
    assert "Not sent" in printed
    assert write_hub.requests == []


def test_what_cannot_be_published_asks_nothing(make_run, run_publish, write_hub):
    status, printed = run_publish(make_run(metrics={"checkpoint": {"sha256": "0"}}))
    assert status == 2
    assert "is of other weights" in printed
    assert write_hub.requests == []


@pytest.mark.parametrize("name", ["detector", "a/b/c", "some--one/x", "someone/x.git", "../up", "someone/"])
def test_a_name_that_the_hub_cannot_have(make_run, name, capsys):
    run = make_run()
    assert main(["publish", str(run), "--repo", name]) == 2
    assert "--repo takes owner/name" in capsys.readouterr().err
    assert not (run / "hub").exists()


def test_a_published_run_lies_on_the_hub_byte_for_byte_and_is_fetched_from_there(make_run, run_publish, write_hub):
    run = make_run(own={"calibration": CALIBRATION, "margin": 1.2})
    status, printed = run_publish(run)
    assert status == 0
    assert published(write_hub) == content(run / "hub")
    commit = write_hub.repos[REPO]["main"][0]
    assert f"published: {write_hub.url}/{REPO}/commit/{commit}" in printed
    assert write_hub.messages == ["Publish a run of virtus-tiny"]  # one commit: whole or not at all
    found = load_checkpoint(REPO)
    assert (found.info.revision, found.margin) == (commit, 1.2)
    assert found.info.sha256 == load_checkpoint(str(run / "checkpoint")).info.sha256
    assert found.info.calibration.temperature == 1.7


def test_the_message_is_that_of_the_commit(make_run, run_publish, write_hub):
    assert run_publish(make_run(), "--message", "With more data")[0] == 0
    assert write_hub.messages == ["With more data"]


def test_publishing_again_sends_only_what_changed(make_run, run_publish, write_hub):
    run = make_run()
    run_publish(run)
    assert run_publish(run)[0] == 0
    assert len(write_hub.messages) == 1  # nothing changed
    (run / "report" / "roc.png").write_bytes(b"\x89PNG\r\n\x1a\n\0 another curve")
    write_hub.requests.clear()
    assert run_publish(run)[0] == 0
    assert published(write_hub) == content(run / "hub")
    assert write_hub.steps().count("store") == 1


def test_files_of_others_in_the_repository_stay(make_run, run_publish, write_hub):
    write_hub.keep(REPO, "main", {".gitattributes": b"*.safetensors filter=lfs", "notes.txt": b"mine"})
    run = make_run()
    assert run_publish(run)[0] == 0
    assert published(write_hub) == content(run / "hub") | {
        ".gitattributes": b"*.safetensors filter=lfs",
        "notes.txt": b"mine",
    }


def test_private_is_private_or_nothing_is_sent(make_run, run_publish, write_hub):
    run = make_run()
    assert run_publish(run, "--private")[0] == 0
    assert write_hub.private == {REPO}
    write_hub.private.clear()  # its owner made it public
    write_hub.requests.clear()
    status, printed = run_publish(run, "--private", "--message", "secret")
    assert status == 2
    assert f"{REPO} exists and is public: nothing was sent" in printed
    assert write_hub.steps() == ["create"]


def test_without_a_token_nothing_is_asked_and_the_folder_is_there(make_run, run_publish, write_hub, monkeypatch):
    monkeypatch.delenv("HF_TOKEN")
    run = make_run()
    status, printed = run_publish(run)
    assert status == 2
    assert "There is no token for the Hugging Face Hub. Log in by `hf auth login`, or set HF_TOKEN" in printed
    assert f"python -m train publish {run} --repo {REPO}" in printed
    assert set(content(run / "hub")) == FILES
    assert write_hub.requests == []


def test_the_token_of_hf_auth_login_is_found(make_run, run_publish, write_hub, monkeypatch, tmp_path):
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "no-token").write_text(TOKEN + "\n")
    assert run_publish(make_run())[0] == 0
    assert REPO in write_hub.repos


@pytest.mark.parametrize("token", [f"{TOKEN}\x01", f"{TOKEN} {TOKEN}", f"{TOKEN}é"])
def test_a_token_that_can_be_none_is_refused_without_being_shown(make_run, run_publish, write_hub, monkeypatch, token):
    """The client's own error would print it: Illegal header value b'Bearer ...'."""
    monkeypatch.setenv("HF_TOKEN", token)
    status, printed = run_publish(make_run())
    assert status == 2
    assert "holds characters that none can have" in printed
    assert write_hub.requests == []


@pytest.mark.parametrize(
    ("trouble", "cause", "remedy"),
    [
        ({"tokens": {}}, "status 401", "mistyped, expired or revoked"),
        ({"tokens": {TOKEN: {"somebody-else"}}}, "status 403", "may not write to someone"),
        ({"mode": "error"}, "status 500", "try again later"),
        ({"mode": "hung"}, "no answer in 0.3 s", "Try again later"),
        ({"mode": "portal"}, "the answer was not the Hub's", "a login page?"),
        ({"broken": {"create": "cut"}}, "the connection was cut", "Try again"),
        ({"broken": {"create": 404}}, "status 404", "spelt right"),
        ({"broken": {"create": 429}}, "status 429", "Wait some minutes"),
        ({"broken": {"validate": "hung"}}, "no answer in 0.3 s", "Try again later"),
        ({"broken": {"preupload": 401}}, "status 401", "mistyped, expired or revoked"),
        ({"broken": {"preupload": 403}}, "status 403", "may not write to someone"),
        ({"broken": {"batch": 500}}, "status 500", "try again later"),
        ({"broken": {"store": "cut"}}, "the connection was cut", "Try again"),
        ({"broken": {"store": "hung"}}, "no answer in 0.3 s", "Try again later"),
        ({"broken": {"store": 403}}, "status 403", "may not write to someone"),
        ({"broken": {"commit": 500}}, "status 500", "try again later"),
        ({"broken": {"commit": "hung"}}, "no answer in 0.3 s", "Try again later"),
        ({"broken": {"commit": "cut"}}, "the connection was cut", "Try again"),
        ("down", "the Hub cannot be reached", "HF_ENDPOINT"),
    ],
    ids=str,
)
def test_a_failed_upload_says_what_to_do_and_loses_nothing(
    make_run, run_publish, write_hub, monkeypatch, trouble, cause, remedy
):
    if "hung" in str(trouble):  # the others have all the time that a busy machine takes
        monkeypatch.setattr(publish, "ANSWER_TIMEOUT_S", 0.3)
    run = make_run()
    run_publish(run, "--dry-run")
    before = content(run / "hub")
    write_hub.go_down() if trouble == "down" else vars(write_hub).update(trouble)
    status, printed = run_publish(run, "--private")
    assert status == 2
    said = printed.splitlines()[-1]
    assert said.startswith(f"train: {REPO} was not published: ")
    assert cause in said
    assert remedy in said
    assert f"Nothing is lost: {run / 'hub'} is whole" in said
    assert f"Repeat it by: python -m train publish {run} --repo {REPO} --private" in said
    assert f"hf upload {REPO} {run / 'hub'} . --private" in said
    assert content(run / "hub") == before
    assert write_hub.messages == []


def test_after_a_failure_the_same_command_goes_on_where_it_stopped(make_run, run_publish, write_hub):
    run = make_run()
    write_hub.broken = {"commit": 500}
    assert run_publish(run)[0] == 2
    assert write_hub.steps().count("store") == 1 + len(PLOTS)
    write_hub.broken = {}
    write_hub.requests.clear()
    assert run_publish(run)[0] == 0
    assert "store" not in write_hub.steps()
    assert published(write_hub) == content(run / "hub")


def test_a_server_that_repeats_the_token_is_not_repeated(make_run, run_publish, write_hub, monkeypatch):
    from tests.support import hub_server

    refuse = hub_server._Handler._refuse
    monkeypatch.setattr(
        hub_server._Handler, "_refuse", lambda self, status, code, _=None: refuse(self, status, code, f"{TOKEN} is bad")
    )
    write_hub.tokens = {}
    status, printed = run_publish(make_run())
    assert status == 2
    assert "[the token] is bad" in printed


def test_offline_mode_is_named(make_run, run_publish, write_hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    status, printed = run_publish(make_run())
    assert status == 2
    assert "HF_HUB_OFFLINE is set. Unset it." in printed
    assert write_hub.requests == []


@pytest.mark.parametrize("broken", [{}, {"commit": 500}])
def test_the_client_is_given_back_as_it_was(make_run, run_publish, write_hub, broken):
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import _http

    before = _http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET, get_session().timeout
    write_hub.broken = broken
    run_publish(make_run())
    assert (_http._GLOBAL_CLIENT_FACTORY, constants.HF_HUB_DISABLE_XET, get_session().timeout) == before


def test_the_command_as_users_run_it_shows_no_token_even_when_it_is_asked_to_tell_all(make_run, write_hub, tmp_path):
    run = make_run()
    environment = {"HF_ENDPOINT": write_hub.url, "HF_TOKEN": TOKEN, "HF_HOME": str(tmp_path / "home"), "HF_DEBUG": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "train", "publish", str(run), "--repo", REPO],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
        env=os.environ | environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "curl" in done.stderr  # the client tells all
    assert TOKEN not in done.stdout + done.stderr
    assert published(write_hub) == content(run / "hub")


def test_a_picture_is_uploaded_as_it_is(make_run, run_publish, write_hub):
    run = make_run()
    Image.new("RGB", (40, 30), "red").save(run / "report" / "roc.png")
    run_publish(run)
    assert published(write_hub)["report/roc.png"] == (run / "report" / "roc.png").read_bytes()
