"""Checkpoints from the Hub, by the real client against a server on loopback."""

import ast
import hashlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from virtus.checkpoints import load as checkpoints
from virtus.checkpoints.bundled import BASE, FAST
from virtus.checkpoints.hub import bounded_client, is_repo_id
from virtus.checkpoints.load import load_checkpoint, locate
from virtus.checkpoints.novelty import Novelty, store_novelty
from virtus.errors import CheckpointError

REPO = "someone/detector"
REGISTERED = "agasta/virtus"


def sha256(folder):
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def refusal(name):
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(name)
    return str(caught.value)


@pytest.mark.parametrize("name", [REPO, REGISTERED])
def test_a_repository_is_fetched_judged_and_loaded(hub, make_checkpoint, name):
    folder = make_checkpoint(kind="deit")
    commit = hub.add(name, folder)
    found = load_checkpoint(name)
    assert (found.info.name, found.info.revision, found.info.sha256) == (name, commit, sha256(folder))
    assert found.architecture == "DeiTForImageClassification"
    assert found.margin == (1.8 if name == REGISTERED else 1.3)


def test_every_registered_name_is_a_repository_or_bundled():
    assert [name for name in checkpoints.CHECKPOINTS if not is_repo_id(name)] == [BASE, FAST]


def test_a_revision_can_be_named_by_branch_tag_and_commit(hub, make_checkpoint):
    old = hub.add(REPO, make_checkpoint(seed=1), revision="refs/pr/1")
    new = hub.add(REPO, make_checkpoint(seed=2))
    assert old != new
    names = [f"{REPO}@refs/pr/1", f"{REPO}@{old}", REPO]
    found = [load_checkpoint(name).info for name in names]
    assert [info.revision for info in found] == [old, old, new]
    assert [info.name for info in found] == names
    assert found[2].sha256 == sha256(make_checkpoint(seed=2)) != found[0].sha256


def test_only_what_is_loaded_is_fetched(hub, copy_checkpoint):
    folder = copy_checkpoint(own={"margin": 1.5})
    (folder / "checkpoint-500").mkdir()
    others = ["pytorch_model.bin", "optimizer.pt", "notes.md", "model.fp16.safetensors", "tf_model.h5"]
    for name in [*others, "checkpoint-500/model.safetensors", "checkpoint-500/config.json"]:
        (folder / name).write_bytes(b"a gigabyte")
    (folder / "README.md").write_text("## Limits")
    hub.add(REPO, folder)
    assert load_checkpoint(REPO).margin == 1.5
    fetched = ["config.json", "preprocessor_config.json", "virtus.json", "README.md", "model.safetensors"]
    assert hub.fetched() == fetched


def test_what_is_unfamiliar_comes_along(hub, copy_checkpoint):
    folder = copy_checkpoint()
    store_novelty(folder, Novelty(1, torch.zeros(32), torch.eye(32), 2.5), sha256=sha256(folder))
    hub.add(REPO, folder)
    assert load_checkpoint(REPO).novelty.threshold == 2.5
    assert "novelty.safetensors" in hub.fetched()


def test_shards_are_fetched_and_count_as_whole_only_together(hub, make_checkpoint):
    folder = make_checkpoint(shard_size="50KB")
    shards = sorted(path.name for path in folder.glob("*.safetensors"))
    hub.add(REPO, folder)
    first = load_checkpoint(REPO)
    assert len(shards) > 1
    assert hub.fetched()[2:] == ["model.safetensors.index.json", *shards]
    hub.go_down()
    assert load_checkpoint(REPO).info == first.info
    (locate(REPO)[1] / shards[0]).unlink()
    assert "cannot be reached" in refusal(REPO)


def test_nothing_is_fetched_twice_and_news_are(hub, make_checkpoint):
    old = hub.add(REPO, make_checkpoint(seed=1))
    locate(REPO)
    assert locate(REPO)[2] == old
    assert hub.fetched().count("model.safetensors") == 1
    new = hub.add(REPO, make_checkpoint(seed=2))
    assert locate(REPO)[2] == new
    hub.go_down()
    assert locate(REPO)[2] == new


def test_without_the_hub_what_was_fetched_is_taken(hub, make_checkpoint):
    commit = hub.add(REPO, make_checkpoint())
    hub.add(REPO, make_checkpoint(), revision="v1")
    online = [load_checkpoint(name).info for name in (REPO, f"{REPO}@v1")]
    hub.go_down()
    names = (REPO, f"{REPO}@v1", f"{REPO}@{commit}")
    assert [load_checkpoint(name).info for name in names[:2]] == online
    assert load_checkpoint(names[2]).info.revision == commit


def test_auto_never_uses_the_network(hub, make_checkpoint, monkeypatch):
    commit = hub.add(REPO, make_checkpoint())
    monkeypatch.setenv("VIRTUS_CHECKPOINT", REPO)
    assert f"python -m virtus doctor {REPO}" in refusal("auto")
    assert hub.requests == []
    locate(REPO)
    hub.requests.clear()
    info = load_checkpoint("auto").info
    assert (info.name, info.revision) == (REPO, commit)
    assert hub.requests == []


def test_a_commit_that_is_there_is_not_asked_for_again(hub, make_checkpoint):
    commit = hub.add(REPO, make_checkpoint())
    locate(REPO)
    hub.requests.clear()
    assert locate(f"{REPO}@{commit}")[2] == commit
    assert hub.requests == []


@pytest.mark.usefixtures("impatient")
def test_a_slow_hub_is_waited_for(hub, make_checkpoint):
    commit = hub.add(REPO, make_checkpoint())
    hub.mode = "slow"
    assert load_checkpoint(REPO).info.revision == commit


def start_doctor(name, **environment):
    """The command as users run it, with the client's settings where they belong: in the environment."""
    return subprocess.Popen(
        [sys.executable, "-m", "virtus", "doctor", name],
        env=os.environ | {"OMP_NUM_THREADS": "1"} | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_line_with_the_hub_up_and_down(hub, make_checkpoint, tmp_path):
    commit = hub.add(REPO, make_checkpoint())
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}"
    # TQDM_POSITION=-1 is how the client is told to show its bars though stderr is no terminal.
    up = start_doctor(REPO, HF_ENDPOINT=hub.url, HF_HOME=str(tmp_path / "up"), TQDM_POSITION="-1")
    down = start_doctor(REPO, HF_ENDPOINT=nobody, HF_HOME=str(tmp_path / "down"))
    said, progress = up.communicate()
    assert (up.returncode, commit in said, "Traceback" in progress) == (0, True, False)
    assert "model.safetensors: 100%" in progress
    said, errors = down.communicate()
    assert (down.returncode, errors) == (1, "")
    assert "which cannot be reached ([Errno" in said


def test_its_private_names_stand_in_one_file_and_are_still_there():
    from huggingface_hub import constants, set_client_factory
    from huggingface_hub.utils import _http

    factory = _http._GLOBAL_CLIENT_FACTORY
    with bounded_client(7.0, 3.0):
        client = _http._GLOBAL_CLIENT_FACTORY()
        assert (client.timeout.read, client.timeout.connect, constants.HF_HUB_DISABLE_XET) == (7.0, 3.0, True)
        client.close()
    assert _http._GLOBAL_CLIENT_FACTORY is factory
    assert callable(set_client_factory)
    root = Path(__file__).parents[2]
    files = {path for room in ("virtus", "train", "benchmarks") for path in (root / room).rglob("*.py")}
    private = [path.relative_to(root).as_posix() for path in files if imports_private_names(path)]
    assert private == ["virtus/checkpoints/hub.py"]


def imports_private_names(file):
    imports = [node for node in ast.walk(ast.parse(file.read_bytes())) if isinstance(node, ast.ImportFrom)]
    names = [f"{node.module}.{alias.name}" for node in imports for alias in node.names]
    return any(name.startswith("huggingface_hub.") and "._" in name for name in names)
