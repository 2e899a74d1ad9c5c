"""What an open face answers when some of its patches are rubbed out; and what the page may ask."""

import json

import pytest

from virtus.app.explore.callbacks import ExploreCallbacks
from virtus.app.explore.erasing import NOT_READ, ErasedFace, Question, read_question
from virtus.app.visitors.detectors import Detectors
from virtus.app.visitors.photos import JudgedPhoto
from virtus.app.visitors.sessions import KeptFaces
from virtus.errors import InputError

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
    return Question("key", 1, gone, fill)


@pytest.mark.parametrize("fill", ["blur", "grey", "drop"])
def test_an_empty_brush_changes_nothing(face, fill):
    verdict = face.judged.report.faces[0]
    answer = face.judge_without(asked("0" * NUM_PATCHES, fill))
    assert answer["p_fake"] == pytest.approx(verdict.p_fake, abs=1e-5)
    assert answer["outcome"] == verdict.outcome


def test_the_search_ends_with_a_set_that_gives_its_p(face):
    *_, last = face.steps_to_turn(asked(""))
    assert last["done"]
    assert face.judge_without(asked(last["gone"]))["p_fake"] == pytest.approx(last["p_fake"], abs=1e-5)


@pytest.mark.parametrize(
    "wrong",
    ["", "[]", "no json", json.dumps({"key": "a"}), json.dumps({"key": 1, "number": 1, "gone": [], "fill": ""})],
)
def test_what_is_no_question_is_refused(wrong):
    with pytest.raises(InputError, match="Reload"):
        read_question(wrong)


@pytest.mark.parametrize("question", [asked("0" * 15), asked("2" * NUM_PATCHES), asked("0" * NUM_PATCHES, "paint")])
def test_a_question_that_does_not_fit_the_face_is_refused(face, question):
    with pytest.raises(InputError, match=NOT_READ):
        face.judge_without(question)


def test_without_an_open_face_a_sentence_is_answered():
    question = json.dumps({"key": "a", "number": 1, "gone": "0", "fill": "blur"})
    callbacks = ExploreCallbacks(Detectors())
    assert "no longer open" in callbacks.erase(None, question).props["erased"]["error"]
    (step,) = callbacks.flip(None, question)
    assert step.props["flipping"]["done"]
