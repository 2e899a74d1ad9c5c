"""A Hub that is out of reach, breaks off, or holds what cannot judge: what is said, and what still works."""

import json

import pytest

from tests.checkpoints.test_hub import REPO, refusal, sha256
from virtus.checkpoints.load import load_checkpoint, locate
from virtus.cli.commands import main


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("mode", "cause"),
    [("down", "refused"), ("hung", "no answer in time"), ("error", "status 500"), ("portal", "not the Hub's")],
)
def test_a_hub_out_of_reach_is_said_with_what_works_without(hub, capsys, mode, cause):
    hub.go_down() if mode == "down" else setattr(hub, "mode", mode)
    assert main(["doctor", REPO]) == 1
    said = capsys.readouterr().out
    assert said.startswith(f"refused: {REPO} is fetched from the Hugging Face Hub, which cannot be reached (")
    assert cause in said
    assert "the bundled checkpoints (auto) and local folders work" in said
    assert len(hub.requests) == (
        0 if mode == "down" else 1
    )  # it is asked once: who waits for a verdict is told at once


@pytest.mark.parametrize("mode", ["hung", "error", "portal"])
def test_a_hub_that_fails_does_not_hide_what_was_fetched(hub, make_checkpoint, request, mode):
    commit = hub.add(REPO, make_checkpoint())
    locate(REPO)
    request.getfixturevalue("impatient")
    hub.mode = mode
    assert locate(REPO)[2] == commit


def test_a_file_that_is_cut_off_is_continued_where_it_broke(hub, make_checkpoint):
    folder = make_checkpoint()
    hub.add(REPO, folder)
    hub.cut_at, hub.cuts_left = 20_000, 1
    assert load_checkpoint(REPO).info.sha256 == sha256(folder)
    first, second = hub.ranges()
    assert first is None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= 20_000


def test_a_connection_that_stays_broken_is_said_and_the_next_try_succeeds(hub, make_checkpoint):
    folder = make_checkpoint()
    commit = hub.add(REPO, folder)
    hub.cut_at, hub.cuts_left = 20_000, -1
    said = refusal(REPO)
    assert f"Fetching {REPO} from the Hugging Face Hub broke off (the connection was cut). Try again." in said
    hub.mode = "error"
    for name in (REPO, f"{REPO}@{commit}"):
        assert "cannot be reached" in refusal(name)  # half a checkpoint is not taken for one
    hub.mode, hub.cuts_left = "up", 0
    hub.requests.clear()
    assert load_checkpoint(REPO).info.sha256 == sha256(folder)
    assert hub.fetched() == ["model.safetensors"]  # the others were whole and are kept


def test_an_update_that_breaks_off_leaves_the_old_commit_usable(hub, make_checkpoint):
    old = hub.add(REPO, make_checkpoint(seed=1))
    locate(REPO)
    hub.add(REPO, make_checkpoint(seed=2))
    hub.cut_at, hub.cuts_left = 20_000, -1
    assert "broke off" in refusal(REPO)
    hub.go_down()
    assert locate(REPO)[2] == old


def remove(*names):
    return lambda folder: [(folder / name).unlink() for name in names]


def pickle_only(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def another_model(folder):
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", "architectures": ["LlamaForCausalLM"]}))


@pytest.mark.parametrize(
    ("damage", "cause", "fetched"),
    [
        (pickle_only, "only pickled weights (pytorch_model.bin), which can run code", []),
        (remove("model.safetensors"), "has no weights: no model.safetensors among its 2 files", []),
        (remove("config.json"), "has no config.json", []),
        (remove("preprocessor_config.json"), "preprocessor_config.json is missing", ["config.json"]),
        (another_model, "It is a LlamaForCausalLM", ["config.json", "preprocessor_config.json"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_cannot_judge_is_refused_before_its_weights_are_fetched(hub, copy_checkpoint, damage, cause, fetched):
    folder = copy_checkpoint()
    damage(folder)
    hub.add(REPO, folder)
    said = refusal(REPO)
    assert said.startswith(REPO)
    assert cause in said
    assert hub.fetched() == fetched


def test_gated_missing_and_misspelt(hub, make_checkpoint):
    hub.add(REPO, make_checkpoint())
    hub.gated.add(REPO)
    assert "is gated: ask for access" in refusal(REPO)
    assert "there is no such revision" in refusal(f"{REPO}@nowhere")
    assert "There is no repository no/body" in refusal("no/body")
    assert "There is no repository some--one/x" in refusal("some--one/x")
    hub.requests.clear()
    for name in ("./nowhere", "../a", "nobody", "", "~nobody/a", "a/b/c", "/a/b"):
        assert f"There is no checkpoint {name!r}" in refusal(name)
    assert hub.requests == []


def test_a_file_instead_of_its_folder(make_checkpoint):
    assert "is a file. Give the folder" in refusal(str(make_checkpoint() / "model.safetensors"))
