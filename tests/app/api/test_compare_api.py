"""The endpoint `/compare` of a running app, by `gradio_client`."""

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


def compare(client, path, **options):
    return client.predict(handle_file(str(path)), api_name="/compare", **options)


def test_each_checkpoint_answers_for_itself(client, photos, opposites):
    found = compare(client, photos["one.jpg"], models=opposites)
    assert (found["path"], found["agreement"], found["by_face"]) == (None, "disagree", ["disagree"])
    assert [report["outcome"] for report in found["reports"]] == ["real", "fake"]
    assert [report["checkpoint"]["name"] for report in found["reports"]] == opposites
    assert [report["error"] for report in found["reports"]] == [None, None]
    assert "explanations" not in found["reports"][0]["faces"][0]


def test_without_names_those_that_the_server_was_started_with_answer(client, photos, opposites):
    found = compare(client, photos["one.jpg"])
    assert [report["checkpoint"]["name"] for report in found["reports"]] == ["virtus-fast", *opposites]


def test_maps_by_a_method(client, photos, opposites):
    found = compare(client, photos["one.jpg"], models=["virtus-fast", opposites[1]], method="gradcam", target="fake")
    maps = [report["faces"][0]["explanations"][0] for report in found["reports"]]
    assert [(one["method"], one["target"]) for one in maps] == [("gradcam", "fake")] * 2
    assert [np.shape(one["heatmap"]) for one in maps] == [(14, 14), (4, 4)]


def test_one_out_of_reach_does_not_lose_the_others(client, photos, opposites):
    found = compare(client, photos["one.jpg"], models=["agasta/virtus", *opposites])
    lost, *others = found["reports"]
    assert "cannot be reached" in lost["error"]
    assert (lost["checkpoint"]["name"], lost["outcome"], lost["faces"]) == ("agasta/virtus", None, [])
    assert [report["outcome"] for report in others] == ["real", "fake"]
    assert found["agreement"] == "disagree"


def test_all_out_of_reach(client, photos):
    found = compare(client, photos["one.jpg"], models=["agasta/virtus", "/etc"])
    assert (found["agreement"], found["by_face"]) == (None, [])
    assert "is not the name of a checkpoint" in found["reports"][1]["error"]


@pytest.mark.parametrize(("name", "outcome"), [("none.png", "no_face"), ("text.jpg", "unreadable")])
def test_what_cannot_be_judged_is_not_compared(client, photos, opposites, name, outcome):
    found = compare(client, photos[name], models=opposites)
    assert (found["agreement"], {report["outcome"] for report in found["reports"]}) == (None, {outcome})
    assert all(report["reason"] for report in found["reports"])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"models": []}, "0 checkpoints were named"),
        ({"models": ["a/1", "a/2", "a/3", "a/4", "a/5"]}, "Compare 2 to 4"),
        ({"models": ["virtus-fast", "virtus-fast"]}, "was named twice"),
        ({"models": ["virtus-fast", "auto"]}, "was named twice"),
        ({"models": "virtus-fast"}, "models is a list of names"),
        ({"models": [{"path": 1}]}, "models is a list of names"),
        ({"method": "guess"}, "There is no method 'guess'"),
        ({"prior": 1}, "prior"),
    ],
)
def test_a_wrong_value_is_answered_with_our_sentence(client, photos, wrong, said):
    with pytest.raises(AppError) as caught:
        compare(client, photos["one.jpg"], **wrong)
    assert said in str(caught.value)
