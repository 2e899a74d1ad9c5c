"""A photo is worked on once: all that a visitor and a program can ask of one upload, counted by what it costs."""

import hashlib
import threading
from collections import Counter

import pytest
from gradio_client import handle_file

from tests.support.pages import Page, upload
from virtus.app.visitors import photos as kept_photos
from virtus.app.visitors.sessions import KeptPhotos
from virtus.explain import faithfulness
from virtus.faces import find
from virtus.media import images
from virtus.models.trunk import Trunk

COSTS = ("decoded", "searched")
METHODS = ("rollout", "gradcam")


class Costs:
    """What was decoded and searched, and how often each crop went through a trunk; the test against chance apart."""

    def __init__(self, monkeypatch):
        self.count, self.passes, self._apart = Counter(), Counter(), threading.local()
        self._wrap(monkeypatch, images, "_decode", lambda *_: self.count.update(decoded=1))
        self._wrap(monkeypatch, find, "_faces_of_best_turn", lambda *_: self.count.update(searched=1))
        self._wrap(monkeypatch, Trunk, "embed", self._note)
        judge = faithfulness.erasing_judge

        def judge_apart(*args):
            self._apart.is_so = True
            try:
                return judge(*args)
            finally:
                self._apart.is_so = False

        monkeypatch.setattr(faithfulness, "erasing_judge", judge_apart)

    def _wrap(self, monkeypatch, home, name, note):
        original = getattr(home, name)

        def counting(*args, **kwargs):
            note(*args)
            return original(*args, **kwargs)

        monkeypatch.setattr(home, name, counting)

    def _note(self, trunk, pixel_values):
        if not getattr(self._apart, "is_so", False):
            crops = [hashlib.sha256(crop.cpu().numpy().tobytes()).hexdigest() for crop in pixel_values]
            self.passes.update((id(trunk), crop) for crop in crops)


@pytest.fixture(scope="module")
def client(make_checkpoint, serve_here):
    return serve_here(str(make_checkpoint()), str(make_checkpoint(own={"margin": 2.0})))


@pytest.fixture
def costs(monkeypatch):
    monkeypatch.setattr(kept_photos, "PHOTOS", KeptPhotos())
    return Costs(monkeypatch)


def ask_all(client, file):
    """Everything that can be asked of one upload: the tabs Analyze and Compare, then the endpoints."""
    page = Page(client)
    for elem_id in ("photo", "compare-photo"):
        page.set(elem_id, file)
    page.set("layer", 2)  # as many as these checkpoints have, which the first map tells a page
    answers = [page.fire("show_verdict")[0]]
    for face in (0, 1):
        page.set("face", face)
        answers += [page.fire("choose_face"), page.draw("draw_other")]
    answers.append(page.fire("test_map"))
    for method in METHODS:
        page.set("map-frame", method)
        for target in ("real", "fake"):
            page.set("target", target)
            answers.append(page.draw("draw_changed"))
    page.set("layer", 1)
    answers.append(page.draw("draw_changed"))
    page.set("prior", 0.2)
    answers.append(page.fire("show_verdict")[0])
    answers += page.fire("show_comparison")[:1]
    page.set("compare-face", 1)
    answers += [page.fire("choose_compared"), page.fire("map_chosen")]
    for method in METHODS:
        answers.append(client.predict(file, method=method, face=1, api_name="/explain")[0])
    answers += [client.predict(file, prior=0.3, api_name="/analyze"), client.predict(file, api_name="/compare")]
    client.predict(file, methods="gradcam", api_name="/report")
    return answers


def test_one_upload_is_decoded_and_searched_once_and_each_face_encoded_once_a_checkpoint(client, photos, costs):
    file = upload(client, photos["two.png"])
    judged = client.predict(file, api_name="/analyze")
    assert len(judged["faces"]) == 2
    assert len(costs.passes) == 2
    ask_all(client, file)
    assert [costs.count[name] for name in COSTS] == [1, 1]
    assert set(costs.passes.values()) == {1}


def test_without_room_all_answers_are_the_same(client, photos, costs):
    file = upload(client, photos["two.png"])
    answers = ask_all(client, file)
    assert costs.count["decoded"] == 1
    kept_photos.PHOTOS.max_bytes = 0
    assert ask_all(client, file) == answers
    assert costs.count["decoded"] > 15
    assert len(kept_photos.PHOTOS) == 0


def test_two_uploads_never_mix(client, photos, costs):
    files = {name: upload(client, photos[name]) for name in ("one.jpg", "two.png")}
    for _ in range(2):
        counts = {name: len(client.predict(file, api_name="/analyze")["faces"]) for name, file in files.items()}
        assert counts == {"one.jpg": 1, "two.png": 2}
    assert [costs.count[name] for name in COSTS] == [2, 2]
    again = client.predict(handle_file(str(photos["one.jpg"])), face=0, api_name="/explain")[0]
    assert again["image_size"] == client.predict(files["one.jpg"], api_name="/analyze")["image_size"]
