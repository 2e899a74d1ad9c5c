"""What is kept of photos: work is done once, answers are those of a new pass, and nothing stays or is mixed up."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.app.conftest import COLLINS, HOPPER
from virtus.app.visitors import photos as module
from virtus.app.visitors import sessions
from virtus.app.visitors.photos import compare_checkpoints, judge_photo
from virtus.app.visitors.sessions import KeptPhotos
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import InputError
from virtus.explain.registry import EXPLAINERS, explain
from virtus.faces.find import whole_image
from virtus.judging.photo import analyze_photo
from virtus.media.images import load_image


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.fixture(autouse=True)
def kept(monkeypatch):
    """The photos of this test alone."""
    monkeypatch.setattr(module, "PHOTOS", KeptPhotos())
    return module.PHOTOS


@pytest.fixture
def upload(tmp_path, make_image):
    def write(name="photo.png", **options):
        make_image(**options).save(tmp_path / name)
        return tmp_path / name

    return write


@pytest.mark.parametrize("method", EXPLAINERS)
def test_maps_from_what_is_kept_are_those_of_a_new_pass(detector, upload, method):
    path = upload(width=300, height=200)
    judge_photo(detector, path, whole=True)
    judged = judge_photo(detector, path, whole=True)
    (own,) = explain(judged.state_of(detector, 0), method=method)
    (new,) = explain(detector.encode([whole_image(load_image(path))]), method=method)
    np.testing.assert_array_equal(own.heatmap, new.heatmap)
    (shown,) = judged.explained(detector, [method]).report.faces[0].explanations
    np.testing.assert_array_equal(shown.heatmap, new.heatmap)


@pytest.mark.parametrize("max_token_bytes", [sessions.MAX_TOKEN_BYTES, 0], ids=["tokens kept", "too many faces"])
def test_reports_are_those_of_the_engine(detector, photos, monkeypatch, max_token_bytes):
    monkeypatch.setattr(sessions, "MAX_TOKEN_BYTES", max_token_bytes)
    for prior in (0.5, 0.1):
        asked = detector.at_prior(prior)
        for stability in (False, True):
            for _ in range(2):
                judged = judge_photo(asked, photos["two.png"], whole=False, stability=stability)
                expected = analyze_photo(asked, load_image(photos["two.png"]), stability=stability)
                assert judged.report.to_json() == expected.to_json()
    mapped = judged.explained(detector, ["rollout"], num_mapped=1).report
    assert [len(face.explanations) for face in mapped.faces] == [1, 0]
    (second,) = explain(judged.state_of(detector, 1), method="rollout")
    (new,) = explain(detector.encode([expected.faces[1].crop]), method="rollout")
    np.testing.assert_allclose(second.heatmap, new.heatmap, atol=1e-5)
    with pytest.raises(InputError, match="There is no method 'voodoo'"):
        judged.explained(detector, ["voodoo"])


def test_two_who_ask_at_once_do_the_work_once(detector, upload, monkeypatch):
    counted = []

    def load_slowly(source):
        counted.append(source)
        time.sleep(0.2)
        return load_image(source)

    monkeypatch.setattr(sessions, "load_image", load_slowly)
    path, ready = upload(), threading.Barrier(4)

    def judge(_):
        ready.wait()
        return judge_photo(detector, path, whole=True).report.to_json()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(judge, range(4)))
    assert len(counted) == 1
    assert answers == answers[:1] * 4


def test_two_uploads_never_mix(detector):
    expected = {path: analyze_photo(detector, load_image(path)).to_json() for path in (HOPPER, COLLINS)}

    def judge(number):
        path = (HOPPER, COLLINS)[number % 2]
        return path, judge_photo(detector, path, whole=False).report.to_json()

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(judge, range(12)))
    assert all(answer == expected[path] for path, answer in answers)


def test_a_file_in_the_place_of_another_is_another_photo(detector, upload):
    first = judge_photo(detector, upload(seed=1), whole=True).report
    path = upload(seed=2, width=80)
    assert judge_photo(detector, path, whole=True).report.image_size == (80, 48) != first.image_size


def test_each_checkpoint_mode_and_crop_has_its_own(detector, photos, make_checkpoint):
    other = Detector(load_checkpoint(str(make_checkpoint(own={"margin": 2.0})), precision="float32"))
    for asked in (detector, other, detector):
        for whole in (False, True):
            judged = judge_photo(asked, photos["two.png"], whole=whole).report
            assert judged == analyze_photo(asked, load_image(photos["two.png"]), whole=whole)


def test_without_room_answers_are_the_same_and_nothing_stays(detector, kept, photos):
    answers = []
    for kept.max_bytes in (2**30, 0):
        for _ in range(2):
            judged = judge_photo(detector, photos["two.png"], whole=False, stability=True)
            answers.append(judged.explained(detector, ["gradcam"]).report.faces[1].explanations[0].heatmap.tolist())
    assert answers == answers[:1] * 4
    assert len(kept) == 0


def test_the_longest_unused_goes_first(detector, kept, upload):
    first, second, third = (upload(f"{seed}.png", seed=seed, width=400, height=400) for seed in range(3))
    judge_photo(detector, first, whole=True)
    with kept.opened(first) as one:
        kept.max_bytes = 5 * one.measure() // 2
    for path in (second, first, third):
        judge_photo(detector, path, whole=True)
    assert list(kept._photos) == [str(first), str(third)]


def test_what_was_deleted_or_is_too_old_is_forgotten(detector, kept, upload):
    old, deleted = upload("old.png"), upload("deleted.png")
    for path in (old, deleted):
        judge_photo(detector, path, whole=True)
    deleted.unlink()
    kept.sweep()
    assert list(kept._photos) == [str(old)]
    with pytest.raises(InputError, match="no longer kept"):
        judge_photo(detector, deleted, whole=True)
    kept.keep_s = 0
    kept.sweep()
    assert len(kept) == 0


def test_nobody_needs_to_ask_for_it_to_be_forgotten(detector, kept, upload):
    kept.keep_s = 0.1
    judge_photo(detector, upload(), whole=True)
    limit = time.monotonic() + 30
    while len(kept) and time.monotonic() < limit:
        time.sleep(0.05)
    assert len(kept) == 0


def test_what_is_kept_is_counted(detector, kept, upload):
    path = upload(width=200, height=100)
    judge_photo(detector, path, whole=True)
    with kept.opened(path) as photo:
        num_tokens, width, num_blocks = 17, 32, len(detector.checkpoint.trunk.blocks)
        assert photo.measure() == 3 * 200 * 100 + 4 * num_tokens * width * num_blocks


def test_tokens_lie_in_one_piece_apart_from_malloc(detector, upload):
    path = upload(width=200, height=100)
    faces = judge_photo(detector, path, whole=True).faces
    assert faces is not None
    assert faces.block_inputs is not None
    rooms = {tokens.untyped_storage().data_ptr(): tokens.untyped_storage().nbytes() for tokens in faces.block_inputs}
    assert list(rooms.values()) == [faces.num_token_bytes]


def test_comparing_finds_faces_once(detector, photos, make_checkpoint, monkeypatch):
    other = Detector(load_checkpoint(str(make_checkpoint(own={"margin": 2.0})), precision="float32"))
    found, search = [], sessions.find_faces
    monkeypatch.setattr(sessions, "find_faces", lambda *args, **kwargs: found.append(1) or search(*args, **kwargs))

    class Two:
        def get(self, name):
            return {"a": detector, "b": other}[name]

    compared = compare_checkpoints(Two(), ["a", "b"], photos["two.png"], prior=0.5, methods=["rollout"])
    assert found == [1]
    assert len(compared.comparison.by_face) == 2
    assert all(face.explanations for report in compared.comparison.reports for face in report.faces)
