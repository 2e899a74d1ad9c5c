"""The API of a running app, by `gradio_client`."""

import json
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image, ImageSequence

from virtus.app.api.endpoints import ENDPOINTS
from virtus.bundled import ASSETS

HOPPER = ASSETS / "examples" / "grace-hopper.jpg"
JUDGED = ("real", "fake", "inconclusive")


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


def analyze(client, path, **options):
    return client.predict(handle_file(str(path)), api_name="/analyze", **options)


def test_only_the_documented_endpoints_are_offered(client):
    offered = client.view_api(return_format="dict", print_info=False)["named_endpoints"]
    assert set(offered) == {f"/{name}" for name in ENDPOINTS}


def test_every_event_has_a_name(server):
    config = json.load(urllib.request.urlopen(f"{server.url}/config"))
    names = [event["api_name"] for event in config["dependencies"]]
    assert names
    assert all(names)


def test_analyze_one_face(client, photos):
    report = analyze(client, photos["one.jpg"])
    assert report["path"] is None
    assert report["outcome"] in JUDGED
    assert report["image_size"] == [512, 600]
    assert set(report["checkpoint"]) == {"name", "revision", "sha256", "calibration"}
    (face,) = report["faces"]
    assert 0 <= face["p_fake"] <= 1
    assert face["outcome"] == report["outcome"]
    assert "reason" not in report


def test_an_animation_is_answered_as_a_clip_is(client, tmp_path):
    """Its first frame alone was looked at, a title without a face, and nothing said."""
    face = Image.open(HOPPER).convert("RGB")
    title, frames = Image.new("RGB", face.size), [face.rotate(turn) for turn in (1, 2, 3)]
    title.save(tmp_path / "title.webp", save_all=True, append_images=frames, duration=200)
    report = analyze(client, tmp_path / "title.webp")
    assert report["kind"] == "video"
    assert report["times_s"] == [0.0, 0.2, 0.4, 0.6]
    assert report["persons"][0]["num_frames"] == 3
    asked = client.predict(handle_file(tmp_path / "title.webp"), api_name="/compare")
    assert "only the first of its 4 frames" in asked["reports"][0]["note"]


def test_analyze_under_small_changes_and_at_another_prior(client, photos):
    plain = analyze(client, photos["one.jpg"])["faces"][0]
    report = analyze(client, photos["one.jpg"], stability=True, prior=0.9)
    (face,) = report["faces"]
    assert report["prior"] == 0.9
    assert face["p_fake"] > plain["p_fake"]
    assert plain["stability"] is None
    assert face["stability"]["low"] <= face["p_fake"] <= face["stability"]["high"]
    assert len(face["stability"]["p_fake"]) >= 6


def test_explain_says_whether_the_map_is_better_than_chance(client, photos, opposites):
    given, model = handle_file(str(photos["one.jpg"])), opposites[0]
    answer, *_ = client.predict(given, model=model, method="evidence", faithfulness=True, api_name="/explain")
    assert answer["signed"] is True
    assert 0.01 <= answer["faithfulness"]["p_value"] <= 1
    plain, *_ = client.predict(given, model=model, method="evidence", api_name="/explain")
    assert plain["faithfulness"] is None
    assert plain["heatmap"] == answer["heatmap"]


def test_another_layer_and_another_head_give_another_map(client, photos):
    given = handle_file(str(photos["one.jpg"]))
    for method, option in (("gradcam", {"layer": 6}), ("rollout", {"head": 1})):
        usual, *_ = client.predict(given, method=method, api_name="/explain")
        other, *_ = client.predict(given, method=method, api_name="/explain", **option)
        assert usual["heatmap"] != other["heatmap"]


def test_analyze_two_faces(client, photos):
    report = analyze(client, photos["two.png"])
    assert len(report["faces"]) == 2
    assert report["outcome"] in {face["outcome"] for face in report["faces"]}


def test_analyze_no_face(client, photos):
    report = analyze(client, photos["none.png"])
    assert report["outcome"] == "no_face"
    assert report["faces"] == []
    assert report["reason"].startswith("No face was found")


def test_analyze_a_whole_image(client, photos):
    (face,) = analyze(client, photos["none.png"], whole_image=True)["faces"]
    assert face["box_xyxy"] == [0, 0, 300, 200]
    assert 0 <= face["p_fake"] <= 1


@pytest.mark.parametrize("name", ["cut.jpg", "text.jpg", "empty.jpg"])
def test_a_file_that_is_no_picture_is_unreadable(client, photos, name):
    report = analyze(client, photos[name])
    assert report["outcome"] == "unreadable"
    assert report["reason"]
    assert report["checkpoint"]["sha256"]
    assert "/" not in report["reason"].replace("download or upload", "")


def test_heic_is_read(client, photos):
    assert len(analyze(client, photos["one.heic"])["faces"]) == 1


@pytest.mark.parametrize(("target", "said"), [("fake", "fake"), ("real", "real")])
def test_explain_by_gradcam(client, photos, target, said):
    answer, crop, photo = client.predict(
        handle_file(str(photos["one.jpg"])), method="gradcam", target=target, api_name="/explain"
    )
    assert (answer["method"], answer["target"], answer["face"]) == ("gradcam", said, 0)
    assert len(answer["heatmap"]) == len(answer["heatmap"][0]) > 1
    assert answer["box_xyxy"] == answer["faces"][0]["box_xyxy"]
    with Image.open(crop) as picture:
        assert picture.format == "PNG"
    with Image.open(photo) as picture:
        assert picture.size == (512, 600)


def test_pictures_come_back_without_metadata(client, tmp_path):
    with Image.open(HOPPER) as photo:
        exif = photo.getexif()
        exif[0x010E] = "taken at home"
        photo.save(tmp_path / "private.jpg", exif=exif, comment="taken at home")
    _, crop, overlay = client.predict(handle_file(str(tmp_path / "private.jpg")), method="rollout", api_name="/explain")
    for path in (crop, overlay):
        assert b"taken at home" not in Path(path).read_bytes()


def test_explain_by_rollout_knows_no_class(client, photos):
    given = handle_file(str(photos["two.png"]))
    answer, crop, _ = client.predict(
        given, method="rollout", face=1, target="fake", head_fusion="max", discard_ratio=0.5, api_name="/explain"
    )
    assert answer["target"] is None
    assert answer["box_xyxy"] == answer["faces"][1]["box_xyxy"]
    assert crop


@pytest.mark.parametrize(("name", "outcome"), [("none.png", "no_face"), ("cut.jpg", "unreadable")])
def test_explain_where_nothing_was_judged(client, photos, name, outcome):
    answer, crop, photo = client.predict(handle_file(str(photos[name])), api_name="/explain")
    assert answer["outcome"] == outcome
    assert answer["reason"]
    assert crop is photo is None


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"method": "guess"}, "There is no method 'guess'"),
        ({"target": "perhaps"}, "There is no target 'perhaps'"),
        ({"face": 1}, "There is no face 1"),
        ({"face": -1}, "There is no face -1"),
        ({"opacity": 2}, "opacity is a number from 0 to 1"),
        ({"opacity": "much"}, "opacity is a number from 0 to 1"),
        ({"discard_ratio": 1, "method": "rollout"}, "discard_ratio"),
        ({"method": "gradcam", "layer": 99}, "layer"),
        ({"method": "rollout", "head": 99}, "head"),
        ({"head_fusion": "sum", "method": "rollout"}, "There is no head_fusion 'sum'"),
        ({"model": "/etc"}, "is not the name of a checkpoint"),
        ({"model": "../assets"}, "is not the name of a checkpoint"),
        ({"model": "virtus/app"}, "is not the name of a checkpoint"),
        ({"model": 7}, "is not the name of a checkpoint"),
    ],
)
def test_a_wrong_value_is_answered_with_our_sentence(client, photos, wrong, said):
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(str(photos["one.jpg"])), api_name="/explain", **wrong)
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


@pytest.mark.parametrize("prior", [0, 1, -1, "half"])
def test_a_prior_that_is_none_is_refused(client, photos, prior):
    with pytest.raises(AppError, match="prior"):
        analyze(client, photos["one.jpg"], prior=prior)


def test_a_checkpoint_of_the_hub_out_of_reach(client, photos):
    with pytest.raises(AppError, match="cannot be reached"):
        analyze(client, photos["one.jpg"], model="agasta/virtus")
    assert analyze(client, photos["one.jpg"])["outcome"] in JUDGED


def test_explore_answers_what_one_pass_says_of_the_face_that_decided(client, photos):
    answer, arrays, film = client.predict(handle_file(str(photos["two.png"])), prior=0.9, api_name="/explore")
    face = answer["faces"][answer["face"]]
    assert answer["p_fake_by_block"][-1] == pytest.approx(face["p_fake"], abs=1e-3)
    assert (len(answer["p_fake_by_block"]), answer["grid_size"], len(answer["patch_names"])) == (13, [14, 14], 196)
    assert set(answer["looked_most_at"]) <= set(answer["patch_names"])
    with np.load(arrays) as kept:
        assert kept["attention_codes"].shape[:2] == (12, 3)
        assert len(kept["patch_names"]) == 196
    with Image.open(film) as growing:
        assert growing.format == "WEBP"
        shown_ms = sum(frame.info["duration"] for frame in ImageSequence.Iterator(growing) if frame.load())
        assert shown_ms == 11 * 250 + 1500  # twelve blocks; two that look alike are one frame, shown for twice as long
    answer, arrays, film = client.predict(handle_file(str(photos["none.png"])), api_name="/explore")
    assert (answer["outcome"], arrays, film) == ("no_face", None, None)
    with pytest.raises(AppError, match="There is no face 5"):
        client.predict(handle_file(str(photos["two.png"])), face=5, api_name="/explore")
