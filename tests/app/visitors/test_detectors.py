"""Which checkpoints visitors may ask for, and how many are kept."""

import threading

import pytest

from virtus.app.visitors import detectors as module
from virtus.app.visitors.detectors import NUM_KEPT, Detectors
from virtus.app.widgets.verdict_settings import _ask_label, _say_label
from virtus.checkpoints.bundled import BASE, FAST
from virtus.checkpoints.known import CHECKPOINTS
from virtus.errors import CheckpointError
from virtus.judging.comparison import MAX_COMPARED


@pytest.fixture
def loaded(monkeypatch):
    """Names in the order in which they were loaded; nothing is really loaded."""
    names = []
    monkeypatch.setattr(module, "load_checkpoint", lambda name, **_: names.append(name) or name)
    monkeypatch.setattr("virtus.checkpoints.detector.Detector", lambda checkpoint: f"detector of {checkpoint}")
    return names


@pytest.fixture
def both(bundle, make_checkpoint):
    bundle(BASE, FAST, folder=make_checkpoint())


@pytest.mark.usefixtures("both")
def test_the_default_comes_first_and_once():
    names = Detectors("agasta/virtus").names
    assert names[:3] == ["agasta/virtus", BASE, FAST]
    assert sorted(names) == sorted(CHECKPOINTS)


def test_what_does_not_come_with_this_installation_is_not_offered(bundle, make_checkpoint):
    bundle(FAST, folder=make_checkpoint())
    some = Detectors()
    assert (some.default, some.preselected, some.get().checkpoint.info.name) == (FAST, [FAST], FAST)
    assert sorted([*some.names, BASE]) == sorted(CHECKPOINTS)


@pytest.mark.usefixtures("both")
def test_the_fast_one_is_chosen_beside_the_default_to_compare():
    assert Detectors().preselected == [BASE, FAST]
    assert Detectors("a/b", ["a/c"]).preselected == ["a/b", "a/c", FAST]


def test_a_checkpoint_of_an_earlier_release_is_refused_with_the_release(loaded):
    with pytest.raises(CheckpointError, match=r"virtus-tiny came with Virtus up to release 0\.1\.0"):
        Detectors("virtus-fast").get("virtus-tiny")
    assert loaded == []


def test_auto_is_what_the_server_was_started_with(loaded):
    assert Detectors("owner/name").get("auto") == "detector of owner/name"
    assert loaded == ["owner/name"]


def test_the_least_recently_used_is_let_go(loaded):
    some = Detectors("a/1")
    for name in ("a/1", "a/2", "a/3", "a/4", "a/1", "a/5", "a/1", "a/2"):
        some.get(name)
    assert NUM_KEPT == MAX_COMPARED == 4
    assert loaded == ["a/1", "a/2", "a/3", "a/4", "a/5", "a/2"]


def test_as_many_as_are_compared_are_loaded_once(loaded):
    some, names = Detectors("a/1"), [f"a/{number}" for number in range(MAX_COMPARED)]
    for name in names * 2:
        some.get(name)
    assert loaded == names


@pytest.mark.parametrize(
    "name", ["/etc", "..", "../assets", "./assets", "a/..", "a/.b", "~/x", "virtus/app", "a", "a/b/c", "a/b@../c"]
)
def test_visitors_read_no_folders(loaded, name, monkeypatch, request):
    monkeypatch.chdir(request.config.rootpath)
    with pytest.raises(CheckpointError, match="is not the name of a checkpoint"):
        Detectors("virtus-fast").get(name)
    assert loaded == []


def test_unclear_labels_are_asked_for_and_said_behind_the_name(make_checkpoint, hub):
    hub.add("owner/unclear", make_checkpoint(labels=("LABEL_0", "LABEL_1")))
    some = Detectors("virtus-fast")
    assert some.unclear_labels("virtus-fast") == some.unclear_labels("/etc") == ()
    assert some.unclear_labels("owner/unclear") == ("LABEL_0", "LABEL_1")
    shown = _ask_label(some, "owner/unclear")
    assert (shown.visible, shown.choices) == (True, [("LABEL_0", "0"), ("LABEL_1", "1")])
    assert not _ask_label(some, "virtus-fast").visible
    for label in ("1", "0"):  # chosen again after it was said
        name, _ = _say_label("owner/unclear#1", label)
        assert name == f"owner/unclear#{label}"
        assert some.unclear_labels(name) == ()
        assert some.get(name).checkpoint.outputs.fake == (int(label),)


def test_the_folder_that_the_server_was_started_with_is_no_secret(loaded):
    Detectors("/srv/own").get("/srv/own")
    assert loaded == ["/srv/own"]


@pytest.mark.usefixtures("both")
def test_others_that_the_server_was_started_with_stand_after_the_default(loaded):
    some = Detectors("agasta/virtus", ["/srv/own", "auto", "agasta/virtus", "/srv/own"])
    assert some.names[:3] == ["agasta/virtus", "/srv/own", BASE]
    assert sorted(some.names) == sorted([*CHECKPOINTS, "/srv/own"])
    some.get("/srv/own")
    assert loaded == ["/srv/own"]
    with pytest.raises(CheckpointError, match="is not the name of a checkpoint"):
        some.get("/srv/other")


@pytest.mark.usefixtures("loaded")
def test_a_slow_load_holds_up_nobody_else(monkeypatch):
    some, started, go_on = Detectors("a/1"), threading.Event(), threading.Event()
    some.get()
    monkeypatch.setattr(module, "load_checkpoint", lambda name, **_: started.set() or (go_on.wait(30) and name))
    slow = threading.Thread(target=some.get, args=("a/2",))
    slow.start()
    assert started.wait(30)
    assert some.get("a/1") == "detector of a/1"
    go_on.set()
    slow.join(30)
    assert some.get("a/2") == "detector of a/2"
