"""What an open face answers when some of its patches are rubbed out; and what the page may ask."""

import json
import shutil
from dataclasses import replace

import gradio as gr
import numpy as np
import pytest
from gradio.routes import App
from starlette.testclient import TestClient

from virtus.app.explore import erasing
from virtus.app.explore.callbacks import ExploreCallbacks, ExploreOutputs
from virtus.app.explore.erasing import ERASE_PATH, NOT_READ, ErasedFace, Question, erasing_route, read_question
from virtus.app.explore.opened import OPENED, ExploreInputs, OpenedFace, OpenedFaces
from virtus.app.visitors import sessions
from virtus.app.visitors.detectors import Detectors
from virtus.app.visitors.photos import JudgedPhoto
from virtus.app.visitors.sessions import KeptFaces
from virtus.errors import InputError
from virtus.explain import FlippingStep
from virtus.judging.deciding import decide_picture
from virtus.results import Calibration, Caution

NUM_PATCHES = 16


@pytest.fixture(scope="module")
def face(make_checkpoint, astronaut):
    from virtus.checkpoints import Detector, load_checkpoint
    from virtus.judging import detect_faces
    from virtus.media import load_image

    detector = Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))
    photo = load_image(astronaut)
    kept = KeptFaces(detect_faces(photo, detector.checkpoint, whole=True))
    return ErasedFace(detector, JudgedPhoto(photo, kept.judge(detector, photo, False), kept), 0)


def asked(gone, fill="blur"):
    return Question("key", gone, fill)


@pytest.mark.parametrize("fill", ["blur", "grey", "drop"])
def test_an_empty_brush_changes_nothing(face, fill):
    verdict = face.judged.report.faces[0]
    answer = face.judge_without(asked("0" * NUM_PATCHES, fill))
    assert answer["p_fake"] == pytest.approx(verdict.p_fake, abs=1e-5)
    assert answer["outcome"] == verdict.outcome


def test_among_several_faces_a_stroke_goes_by_what_the_verdict_goes_by(face):
    """One whose p made it fake alone was called fake when nothing was rubbed out, and inconclusive above it."""
    (alone,) = face.judged.report.faces
    sure, low = max(alone.p_fake, 1 - alone.p_fake), (0.0, 0.0, 9.0, 9.0)
    calibration = Calibration(1.0, 0.0, 0.5, fake_above_among=((1 + sure) / 2,))
    other = replace(alone, box_xyxy=low, cautions=(Caution("blurred", "blurred"),))
    for count, faces in enumerate([(alone, other), (alone, alone)], 1):
        info = replace(face.judged.report.checkpoint, calibration=calibration)
        report = decide_picture(replace(face.judged.report, checkpoint=info, faces=faces))
        of_several = replace(face, judged=replace(face.judged, report=report))
        verdict = of_several.verdict(sure)
        assert verdict["outcome"] == ("fake" if count == 1 else "inconclusive")


def test_a_search_says_from_the_start_how_far_it_is(face):
    """The first step came after some fifty looks at the face: a minute under one sentence, with a large model."""
    steps = list(face.steps_to_turn(asked("")))
    assert "1" not in steps[0]["gone"]
    assert "each small square left out by itself" in steps[0]["said"]
    shares = [step["progress"] for step in steps]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_the_search_ends_with_a_set_that_gives_its_p(face):
    *_, last = face.steps_to_turn(asked(""))
    assert last["done"]
    assert face.judge_without(asked(last["gone"]))["p_fake"] == pytest.approx(last["p_fake"], abs=1e-5)


@pytest.mark.parametrize(
    ("fill", "p_otherwise", "words"),
    [
        ("blur", 0.9, ["a blur", "Replaced by grey it is “fake” too (p of fake = 0.900)."]),
        ("grey", 0.1, ["grey", "But replaced by a blur it is “real” (p of fake = 0.100): "]),
        ("drop", 0.5, ["nothing", "But replaced by a blur it is “inconclusive” (p of fake = 0.500): "]),
    ],
)
def test_what_was_found_names_its_filling_and_what_another_one_says(face, fill, p_otherwise, words):
    info = replace(face.judged.report.checkpoint, calibration=Calibration(1.0, 0.3, 0.7))
    decided = replace(face, judged=replace(face.judged, report=replace(face.judged.report, checkpoint=info)))
    found = FlippingStep(np.arange(NUM_PATCHES) < 2, 0.8, True, 1.0, p_otherwise)
    said = decided.in_words(found, fill)
    own, other = words
    assert said.startswith(f"Fake without 2 of 16 patches, replaced by {own}: none of these can be spared. {other}")
    assert said.endswith("it may come from the replacement, not from the face.") == (p_otherwise < 0.7)


def test_a_search_without_an_answer_says_which_side_it_sought(face):
    whole = face.judged.report.faces[0].p_fake
    said = face.in_words(FlippingStep(np.ones(NUM_PATCHES, bool), 0.512, False, 1.0), "blur")
    side = "real" if whole >= 0.5 else "fake"
    assert said.startswith(
        f"No set was found that, replaced by a blur, turns it to “{side}”; another replacement may. "
    )
    assert said.endswith("p of fake = 0.512.")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "[]",
        "no json",
        b"\xff",
        "[" * 10**5,
        json.dumps({"key": "a"}),
        json.dumps({"key": 1, "gone": [], "fill": ""}),
    ],
)
def test_what_is_no_question_is_refused(wrong):
    with pytest.raises(InputError, match="Reload"):
        read_question(wrong)


@pytest.mark.parametrize("question", [asked("0" * 15), asked("2" * NUM_PATCHES), asked("0" * NUM_PATCHES, "paint")])
def test_a_question_that_does_not_fit_the_face_is_refused(face, question):
    with pytest.raises(InputError, match=NOT_READ):
        face.judge_without(question)


def test_without_an_open_face_a_sentence_is_answered():
    (step,) = ExploreCallbacks(Detectors()).flip(None, json.dumps({"key": "a", "gone": "0", "fill": "blur"}))
    assert step.props["flipping"]["done"]
    assert "no longer open" in step.props["flipping"]["error"]


# The route, in Gradio's own app.


@pytest.fixture(scope="module")
def detectors(make_checkpoint):
    return Detectors(str(make_checkpoint()), precision="float32")


@pytest.fixture
def opened(detectors, astronaut, tmp_path, monkeypatch):
    """A face that a page has open, whose photo lies in `tmp_path`."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    photo = {"path": shutil.copy(astronaut, tmp_path)}
    opening = OPENED.noting(ExploreCallbacks(detectors).open_face)
    *_, shown = opening(ExploreInputs(photo, "auto", True, 0.5, None), None)
    return shown.opened


@pytest.fixture
def post(detectors):
    with gr.Blocks() as blocks:
        gr.HTML()
    app = App.create_app(blocks, app_kwargs={"routes": [erasing_route(detectors)]})
    client = TestClient(app)
    return lambda key="key", gone="0" * NUM_PATCHES, fill="blur", **changes: client.post(
        ERASE_PATH, json={"key": key, "gone": gone, "fill": fill} | changes
    )


def test_the_page_is_answered_and_a_face_is_embedded_once_for_all_strokes(opened, detectors, post, monkeypatch):
    embedded = []
    embed = sessions.embed_filled
    monkeypatch.setattr(sessions, "embed_filled", lambda *asked: embedded.append(asked) or embed(*asked))
    answers = [post(opened.key, stroke.ljust(NUM_PATCHES, "0")) for stroke in ("", "1", "11")]
    assert [answer.status_code for answer in answers] == [200] * 3
    _, judged = opened.inputs.judge(detectors)
    assert answers[0].json()["p_fake"] == pytest.approx(judged.report.faces[0].p_fake, abs=1e-5)
    assert answers[0].json()["outcome"] == judged.report.faces[0].outcome
    assert len({answer.json()["p_fake"] for answer in answers}) == 3
    assert len(embedded) == 1
    assert judged.faces.num_token_bytes > sum(tokens.nbytes for tokens in judged.faces.block_inputs)  # they are counted


def test_beside_a_face_that_is_no_longer_open_something_is_said():
    """All controls vanished without a word."""
    callbacks = ExploreCallbacks(Detectors())
    tools, *_, place, _, _, _, _ = callbacks.show_controls("photo", None)
    assert (tools.visible, place.visible) == (True, True)
    (shown,) = callbacks.open_beside("photo", None, None, "auto")
    assert "Open the tab Analyze" in shown.note


def test_beside_the_checkpoint_that_judged_another_one_is_asked_for(opened, detectors):
    *_, shown = ExploreCallbacks(detectors).open_beside("model", opened, None, opened.inputs.model)
    assert shown.opened is None
    assert "Choose another one" in shown.note


def test_files_are_offered_of_the_face_that_is_open_alone(opened, detectors):
    """Those of the face before came back where another one was chosen while they were made, by the same names."""
    callbacks = ExploreCallbacks(detectors)
    made = callbacks.make_files(opened)
    said, arrays, film = callbacks.offer_files(made, opened)
    assert (said, arrays.visible, film.visible) == ("", True, True)
    for other in (opened._replace(key="another"), None):
        assert callbacks.offer_files(made, other) == (gr.skip(),) * 3
    said, arrays, film = callbacks.offer_files(callbacks.make_files(None), None)
    assert "no longer open" in said
    assert (arrays.visible, film.visible) == (False, False)


def test_files_of_the_same_face_are_made_once(opened, detectors):
    callbacks = ExploreCallbacks(detectors)
    made = callbacks.make_files(opened)
    assert callbacks.make_files(opened, made) is made
    assert callbacks.make_files(opened._replace(key="another"), made) is not made
    made.files[0].unlink()  # by age
    assert callbacks.make_files(opened, made).files[0].exists()


def test_a_face_that_is_too_small_is_not_open(opened, detectors):
    small = opened._replace(index=None, key="")
    callbacks = ExploreCallbacks(detectors)
    assert "no longer open" in callbacks.make_files(small).error
    (step,) = callbacks.flip(small, json.dumps({"key": "", "gone": "0" * NUM_PATCHES, "fill": "blur"}))
    assert "no longer open" in step.props["flipping"]["error"]
    (shown,) = callbacks.open_beside("model", small, None, "auto")
    assert (shown.note, shown.opened) == ("", None)
    faces = OpenedFaces()
    list(faces.noting(lambda: iter([ExploreOutputs(None, None, None, small)]))())
    with pytest.raises(InputError, match="no longer open"):
        faces.find("")


def test_who_does_not_know_a_face_or_asks_wrongly_gets_a_sentence(opened, post, tmp_path):
    assert "no longer open" in post().json()["detail"]
    for wrong in ({"gone": "0"}, {"fill": "paint"}, {"more": 1}):
        answer = post(**{"key": opened.key} | wrong)
        assert (answer.status_code, answer.json()) == (422, {"detail": NOT_READ})
    next(tmp_path.glob("*.jpg")).unlink()  # with the photo goes all that came of it
    assert "no longer kept" in post(opened.key).json()["detail"]


def test_a_page_tells_faces_apart_and_photos_by_names_that_show_neither():
    """By these it keeps what was found of a face that is opened again, with a new key."""
    one = ExploreInputs({"path": "/tmp/a.jpg"}, "auto", False, 0.5, None)
    other = replace(one, photo={"path": "/tmp/b.jpg"})
    photo, face = one.names_of(0)
    assert one.names_of(0) == (photo, face) == replace(one, index=0).names_of(0)
    assert {each.names_of(0)[0] for each in (one, replace(one, prior=0.1), replace(one, model="virtus-fast"))} == {
        photo
    }
    faces = {
        one.names_of(1),
        other.names_of(0),
        replace(one, prior=0.1).names_of(0),
        replace(one, whole=True).names_of(0),
    }
    assert face not in {judged for _, judged in faces}
    assert len(faces) == 4
    assert other.names_of(0)[0] != photo
    assert "a.jpg" not in photo + face


def test_too_many_who_wait_are_refused(opened, post, monkeypatch):
    monkeypatch.setattr(erasing, "MAX_WAITING", 0)
    assert post(opened.key).status_code == 503


def test_of_many_open_faces_those_are_forgotten_that_were_asked_for_longest_ago():
    faces = OpenedFaces(max_faces=2)
    opened = {key: OpenedFace(ExploreInputs(None, "auto", False, 0.5, None), 0, key) for key in "abc"}
    opening = faces.noting(lambda face: iter([ExploreOutputs(None, None, None, face)]))
    for key in "ab":
        list(opening(opened[key]))
    assert faces.find("a") == opened["a"]
    list(opening(opened["c"]))
    assert [faces.find(key) for key in "ac"] == [opened["a"], opened["c"]]
    with pytest.raises(InputError, match="no longer open"):
        faces.find("b")
