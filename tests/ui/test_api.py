"""The API of a running app, by `gradio_client` and by raw requests."""

import http.server
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

HOPPER = Path(__file__).parents[2] / "virtus" / "assets" / "examples" / "grace-hopper.jpg"
META = {"_type": "gradio.FileData"}
JUDGED = ("real", "fake", "inconclusive")


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


@pytest.fixture
def outside():
    """A web server that counts who asks it."""

    class Counting(http.server.BaseHTTPRequestHandler):
        hits = 0

        def do_GET(self):
            type(self).hits += 1
            self.send_response(200)
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *args):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Counting)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/face.jpg", Counting
    running.shutdown()
    running.server_close()


def analyze(client, path, **options):
    return client.predict(handle_file(str(path)), api_name="/analyze", **options)


def call(server, api_name, **data):
    """A request without Gradio's client: the last event's name and its data."""
    route, headers = f"{server.url}/gradio_api/call/v2/{api_name}", {"Content-Type": "application/json"}
    request = urllib.request.Request(route, json.dumps(data).encode(), headers)
    event = json.load(urllib.request.urlopen(request))["event_id"]
    lines = urllib.request.urlopen(f"{route}/{event}").read().decode().strip()
    *_, name, data = lines.splitlines()
    return name.removeprefix("event: "), data.removeprefix("data: ")


def test_only_the_documented_endpoints_are_offered(client):
    assert set(client.view_api(return_format="dict", print_info=False)["named_endpoints"]) == {"/analyze", "/explain"}


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
    assert set(report["checkpoint"]) == {"name", "revision", "sha256"}
    (face,) = report["faces"]
    assert 0 <= face["p_fake"] <= 1
    assert face["outcome"] == report["outcome"]
    assert "reason" not in report


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
    _, crop, overlay = client.predict(handle_file(str(tmp_path / "private.jpg")), api_name="/explain")
    for path in (crop, overlay):
        assert b"taken at home" not in Path(path).read_bytes()


def test_explain_by_rollout_knows_no_class(client, photos):
    given = handle_file(str(photos["two.png"]))
    answer, crop, _ = client.predict(
        given, face=1, target="fake", head_fusion="max", discard_ratio=0.5, api_name="/explain"
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
        ({"discard_ratio": 1}, "discard_ratio"),
        ({"head_fusion": "sum"}, "There is no head_fusion 'sum'"),
        ({"model": "/etc"}, "is not the name of a checkpoint"),
        ({"model": "../assets"}, "is not the name of a checkpoint"),
        ({"model": "virtus/assets"}, "is not the name of a checkpoint"),
        ({"model": 7}, "is not the name of a checkpoint"),
    ],
)
def test_a_wrong_value_is_answered_with_our_sentence(client, photos, wrong, said):
    with pytest.raises(AppError) as caught:
        client.predict(handle_file(str(photos["one.jpg"])), api_name="/explain", **wrong)
    assert said in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_a_checkpoint_of_the_hub_out_of_reach(client, photos):
    with pytest.raises(AppError, match="cannot be reached"):
        analyze(client, photos["one.jpg"], model="agasta/virtus")
    assert analyze(client, photos["one.jpg"])["outcome"] in JUDGED


@pytest.mark.parametrize("api_name", ["analyze", "explain"])
@pytest.mark.parametrize("within", ["{}", '[{{"a": {}}}]', '{{"path": "{folder}/a.jpg", "a": {}}}'])
def test_an_address_is_refused_before_it_is_fetched(server, outside, api_name, within):
    url, counting = outside
    file = json.dumps({"path": url, "url": url, "meta": META})
    event, said = call(server, api_name, file=json.loads(within.format(file, folder=server.folder / "gradio")))
    assert event == "error"
    assert "Addresses are not fetched" in said
    assert counting.hits == 0


def test_an_address_is_refused_for_every_input_of_every_event(server, outside):
    url, counting = outside
    config = json.load(urllib.request.urlopen(f"{server.url}/config"))
    for event in config["dependencies"]:
        assert event["inputs"]
        data = [{"path": url, "meta": META} for _ in event["inputs"]]
        body = json.dumps({"data": data, "fn_index": event["id"], "session_hash": "test"}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{server.url}/gradio_api/run/predict", body, headers)
        with pytest.raises(urllib.error.HTTPError):
            urllib.request.urlopen(request)
    assert counting.hits == 0


@pytest.mark.parametrize("file", [{"url": "{url}"}, {"url": "{url}", "meta": META}, "{url}", None, {}, []])
def test_without_an_upload_there_is_our_sentence(server, outside, file):
    url, counting = outside
    event, said = call(server, "analyze", file=json.loads(json.dumps(file).replace("{url}", url)))
    assert event == "error"
    assert "Upload the file" in said
    assert counting.hits == 0


@pytest.mark.parametrize("path", ["/etc/passwd", "app.py", "../../etc/passwd", "/etc/\0passwd", "x" * 5000])
@pytest.mark.parametrize("meta", [{}, {"meta": META}])
def test_other_files_of_the_server_are_refused(server, path, meta):
    event, said = call(server, "analyze", file={"path": path} | meta)
    assert event == "error"
    assert "Only uploaded files are read" in said


def test_an_upload_that_was_deleted_is_asked_for_again(server):
    gone = server.folder / "gradio" / "gone.jpg"
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


def test_too_large_an_upload_is_refused(server, tmp_path):
    large = tmp_path / "large.jpg"
    with large.open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="large.jpg"\r\n\r\n'
    body = head + large.read_bytes() + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    request = urllib.request.Request(f"{server.url}/gradio_api/upload", body, headers)
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)
    assert caught.value.code == 413


def test_nothing_is_kept_or_reported(server):
    config = json.load(urllib.request.urlopen(f"{server.url}/config"))
    assert config["analytics_enabled"] is False
    assert config["run_history"] is False
