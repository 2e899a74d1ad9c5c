"""The checkpoints that come with Virtus: what `auto` is where both are here, or one, and what became of older ones."""

import hashlib
import json
import os
import subprocess
import sys

import pytest

from virtus.checkpoints.bundled import (
    BASE,
    FAST,
    RETIRED,
    WORDS,
    bundled_folder,
    bundled_names,
    bundled_words,
    default_words,
    duration_words,
    resolve_name,
    retired_words,
)
from virtus.checkpoints.load import fast_words, load_checkpoint, locate
from virtus.cli.commands import main
from virtus.errors import CheckpointError


@pytest.fixture
def both(bundle, make_checkpoint):
    bundle(BASE, FAST, folder=make_checkpoint())


@pytest.fixture
def fast_alone(bundle, make_checkpoint):
    bundle(FAST, folder=make_checkpoint())


@pytest.mark.usefixtures("both")
def test_auto_is_the_better_one_unless_the_environment_names_another(make_checkpoint, monkeypatch, caplog):
    assert (resolve_name(), resolve_name("a/b"), resolve_name(FAST)) == (BASE, "a/b", FAST)
    assert locate() == (BASE, bundled_folder(BASE), "bundled")
    assert load_checkpoint().info.name == BASE
    assert (bundled_names(), default_words(), caplog.text) == ([BASE, FAST], "", "")
    monkeypatch.setenv("VIRTUS_CHECKPOINT", FAST)
    assert locate()[0] == FAST
    monkeypatch.setenv("VIRTUS_CHECKPOINT", str(make_checkpoint()))
    assert locate() == (str(make_checkpoint()), make_checkpoint(), "local")
    assert locate(BASE)[0] == BASE


@pytest.mark.usefixtures("fast_alone")
def test_auto_is_the_fast_one_where_the_better_one_is_not_here_and_says_so_once(caplog):
    assert [load_checkpoint().info.name for _ in range(2)] == [FAST, FAST]
    assert bundled_names() == [FAST]
    said = "virtus-base does not come with this installation, so that auto is virtus-fast."
    assert default_words() == said
    assert caplog.messages == [f"virtus: {said}"]


@pytest.mark.usefixtures("fast_alone")
def test_nothing_is_said_of_it_to_who_names_another(caplog, monkeypatch):
    load_checkpoint(FAST)
    monkeypatch.setenv("VIRTUS_CHECKPOINT", FAST)
    load_checkpoint()
    assert caplog.text == ""


@pytest.mark.usefixtures("fast_alone")
def test_the_better_one_is_refused_where_it_is_not_here():
    with pytest.raises(CheckpointError, match="virtus-base does not come with this installation"):
        load_checkpoint(BASE)


def test_the_fast_one_is_sound():
    found = load_checkpoint(FAST, device="cpu", precision="float32")
    assert (found.info.name, found.info.revision, found.margin) == (FAST, "bundled", 1.3)


@pytest.mark.skipif(bundled_folder(BASE) is None, reason="virtus-base does not lie in this clone")
def test_a_scan_by_auto_is_by_the_better_one_and_needs_none_of_the_libraries_of_its_format(astronaut):
    code = """
import sys
sys.modules |= {"timm": None, "compressed_tensors": None, "transformers": None}  # imports of them fail
from virtus.cli import main
sys.exit(main(["scan", sys.argv[1], "--format", "json"]))
"""
    environment = os.environ | {"VIRTUS_CHECKPOINT": ""}
    command = [sys.executable, "-c", code, str(astronaut)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    row = json.loads(done.stdout)
    weights = (bundled_folder(BASE) / "model.safetensors").read_bytes()
    found = [row["checkpoint"][key] for key in ("name", "revision", "sha256")]
    assert found == [BASE, "bundled", hashlib.sha256(weights).hexdigest()]
    (face,) = row["faces"]
    assert face["outcome"] in ("real", "inconclusive")
    assert 0 < face["p_fake"] < 1


def test_what_comes_with_virtus_is_small_enough():
    sizes = {name: sum(file.stat().st_size for file in bundled_folder(name).rglob("*")) for name in bundled_names()}
    assert sizes.pop(FAST) < 15e6
    assert sizes.pop(BASE, 0) <= 90e6
    assert not sizes
    assert WORDS.keys() == {BASE, FAST}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        ((40,), "40 s"),
        ((89,), "89 s"),
        ((100,), "2 min"),
        ((5400,), "1.5 h"),
        ((50_000,), "14 h"),
        ((20, 50), "20 to 50 s"),
        ((80, 200), "1 to 3 min"),
        ((100, 110), "2 min"),
        ((10_800, 25_200), "3.0 to 7.0 h"),
    ],
)
def test_times_are_rough(seconds, said):
    assert duration_words(*seconds) == said


@pytest.mark.usefixtures("both")
def test_the_fast_one_is_a_choice_beside_the_better_one_on_a_cpu_alone():
    detectors = {name: load_checkpoint(name, device="cpu", precision="float32") for name in (BASE, FAST)}
    assert fast_words(detectors[BASE], 11 * 3600) == "about 11 h with virtus-base, 1.0 to 3.1 h with virtus-fast"
    assert fast_words(detectors[FAST], 11 * 3600) == ""
    halved = load_checkpoint(BASE, device="cpu", precision="bfloat16")
    assert fast_words(halved, 13 * 3600) == "about 13 h with virtus-base, 5 to 10 h with virtus-fast"


@pytest.mark.usefixtures("fast_alone")
@pytest.mark.parametrize("command", ["scan", "serve"])
def test_the_help_says_what_each_knows_and_costs_and_what_is_not_here(command, capsys):
    with pytest.raises(SystemExit):
        main([command, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert f"{' '.join(bundled_words())} --model" in said
    assert len(bundled_words()) == 3
    assert "auto (virtus-fast, or what VIRTUS_CHECKPOINT names)" in said


def test_names_and_hashes_of_what_came_before_are_known(request):
    """All weights that the history of this repository has had where bundled checkpoints lie."""
    root = request.config.rootpath
    command = ["git", "log", "--format=", "--raw", "--no-abbrev", "--", "*/virtus-tiny/model.safetensors"]
    log = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False).stdout.split()
    if not log:
        pytest.skip("there is no git history")
    blobs = {word for word in log if len(word) == 40 and set(word) != {"0"}}
    contents = (subprocess.run(["git", "cat-file", "blob", blob], cwd=root, capture_output=True) for blob in blobs)
    assert {hashlib.sha256(done.stdout).hexdigest() for done in contents} == set(RETIRED["virtus-tiny"].sha256s)


def test_a_name_of_before_is_refused_and_the_release_said():
    said = retired_words("virtus-tiny")
    assert "came with Virtus up to release 0.1.0; virtus-base and virtus-fast took its place" in said
    assert {retired_words(sha256=sha256) for sha256 in RETIRED["virtus-tiny"].sha256s} == {said}
    assert retired_words(FAST, "ab" * 32) == retired_words() == ""
    for name in ("virtus-tiny", "virtus-tiny#1"):
        with pytest.raises(CheckpointError) as caught:
            load_checkpoint(name)
        assert str(caught.value) == said


def test_a_copy_of_its_folder_is_loaded_by_that_name_too(copy_checkpoint, monkeypatch):
    folder = copy_checkpoint()
    folder.rename(folder.parent / "virtus-tiny")
    monkeypatch.chdir(folder.parent)
    assert load_checkpoint("virtus-tiny").info.revision == "local"
