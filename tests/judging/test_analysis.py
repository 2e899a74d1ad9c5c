import itertools

import numpy as np
import pytest
import torch
from PIL import Image

from virtus.checkpoints import load
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.examine import load_model
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import ImageError
from virtus.judging import photo as judging
from virtus.judging.paths import READ_AHEAD, analyze_paths
from virtus.judging.photo import (
    analyze_image,
    analyze_photo,
    detect_faces,
    explain_faces,
    judge_faces,
)
from virtus.media.images import load_image
from virtus.parallel import AHEAD, in_order, on_one_core, with_own_cores


@pytest.fixture
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


def test_a_photo_with_one_face(detector, astronaut):
    report = analyze_image(detector, astronaut, methods=["rollout", "gradcam"], target="fake")
    (face,) = report.faces
    assert report.outcome is face.outcome
    assert report.p_fake == face.p_fake
    assert face.crop.margin == pytest.approx(1.3, abs=0.02)
    assert [(one.method, one.target) for one in face.explanations] == [("rollout", None), ("gradcam", "fake")]
    assert report.path == str(astronaut)
    assert report.checkpoint == detector.checkpoint.info


def test_two_faces_are_two_results(detector, astronaut):
    one = load_image(astronaut).crop((100, 0, 400, 300))
    photo = Image.new("RGB", (520, 300))
    photo.paste(one, (0, 0))
    photo.paste(one.resize((200, 200)), (310, 50))
    report = analyze_image(detector, photo, methods=["rollout"])
    assert [len(face.explanations) for face in report.faces] == [1, 1]
    assert report.p_fake == report.faces[0].p_fake
    assert report.path is None


def test_what_was_found_and_encoded_before_is_judged_without_another_search_or_pass(detector, astronaut, monkeypatch):
    photo = load_image(astronaut)
    twice = Image.new("RGB", (photo.width * 2, photo.height))
    for left in (0, photo.width):
        twice.paste(photo, (left, 0))
    expected = analyze_photo(detector, twice, methods=["rollout"])
    detected = detect_faces(twice, detector.checkpoint)
    state = detector.state_of([tokens.cpu() for tokens in detector.encode(detected.crops).block_inputs])
    monkeypatch.setattr(judging, "find_faces", None)
    monkeypatch.setattr(detector.checkpoint.trunk, "embed", None)
    report = explain_faces(judge_faces(detector, detected, state), state, methods=["rollout"])
    assert [face.to_json() for face in report.faces] == [face.to_json() for face in expected.faces]
    assert report.to_json() == expected.to_json()
    for face, other in zip(report.faces, expected.faces, strict=True):
        np.testing.assert_array_equal(face.explanations[0].heatmap, other.explanations[0].heatmap)
    odds = judge_faces(detector.at_prior(0.01), detected, state)
    assert odds.p_fake < report.p_fake
    (second,) = detector.predict_state(state.select(1))
    assert second.p_fake == pytest.approx(report.faces[1].p_fake, abs=1e-5)
    with pytest.raises(ValueError, match="1 predictions for 2 faces"):
        judge_faces(detector, detected, state.select(1))


def test_no_face_has_no_number(detector):
    report = analyze_image(detector, Image.new("RGB", (200, 200)), methods=["rollout"])
    assert (report.outcome, report.p_fake, report.faces) == ("no_face", None, ())
    assert "No face" in report.reason


def test_a_small_face_has_no_number_and_no_map(detector, astronaut):
    report = analyze_image(detector, load_image(astronaut).resize((200, 200)), methods=["gradcam"])
    (face,) = report.faces
    assert (report.outcome, face.p_fake, face.crop, face.explanations) == ("face_too_small", None, None, ())
    assert "48 pixels" in report.reason


def test_a_small_face_beside_a_large_one_is_said_and_not_judged(detector, astronaut):
    one = load_image(astronaut).crop((100, 0, 400, 300))
    photo = Image.new("RGB", (460, 300))
    photo.paste(one, (0, 0))
    photo.paste(one.resize((120, 120)), (320, 90))
    report = analyze_image(detector, photo, methods=["rollout"])
    assert [face.outcome.judged for face in report.faces] == [True, False]
    assert [len(face.explanations) for face in report.faces] == [1, 0]
    assert report.outcome.judged
    assert report.reason is None


def test_the_whole_image_needs_no_face(detector):
    report = analyze_image(detector, np.zeros((50, 60, 3), np.uint8), whole=True)
    assert report.outcome.judged
    assert report.to_json()["faces"][0]["box_xyxy"] == [0.0, 0.0, 60.0, 50.0]


def test_a_broken_file_is_an_error_here_and_a_row_in_a_scan(detector, tmp_path):
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"not a picture")
    with pytest.raises(ImageError):
        analyze_image(detector, broken)
    (report,) = analyze_paths(detector, [broken])
    assert (report.outcome, report.path, report.faces) == ("unreadable", str(broken), ())
    assert report.reason


def test_many_files_keep_their_order_and_their_own_numbers(detector, tmp_path):
    draw, files = np.random.default_rng(2), []
    for index in range(READ_AHEAD + 3):
        files.append(tmp_path / f"{index}.png")
        Image.fromarray(draw.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(files[-1])
    files[5].write_bytes(b"")
    reports = list(analyze_paths(detector, files, whole=True))
    assert [report.path for report in reports] == [str(file) for file in files]
    assert [report.outcome for report in reports].count("unreadable") == 1
    alone = analyze_image(detector, files[READ_AHEAD + 1], whole=True)
    assert reports[READ_AHEAD + 1].p_fake == pytest.approx(alone.p_fake, abs=1e-4)


def test_several_jobs_give_the_same_reports_in_the_same_order(detector, tmp_path, make_image, astronaut):
    files = [tmp_path / f"{index}.png" for index in range(3 * READ_AHEAD + 1)]
    for index, file in enumerate(files):
        make_image(seed=index).save(file)
    files[2] = astronaut
    files[11] = tmp_path / "missing.png"
    for how in ({}, {"whole": True}, {"whole": True, "stability": True}):
        one, three = (list(analyze_paths(detector, files, jobs=jobs, **how)) for jobs in (1, 3))
        assert [report.path for report in three] == [str(file) for file in files]
        assert [report.outcome for report in three] == [report.outcome for report in one]
        assert [report.p_fake for report in three] == pytest.approx([report.p_fake for report in one], abs=1e-5)


class Elsewhere:
    """A picture that is no file of its own: what `read` gives, or raises."""

    def __init__(self, name, content):
        self.name, self.content = name, content

    def __str__(self):
        return self.name

    def read(self):
        if isinstance(self.content, Exception):
            raise self.content
        return self.content


def test_items_of_a_scan_may_lie_elsewhere_and_raise_anything(detector, astronaut):
    items = [
        Elsewhere("photos.zip/a.jpg", astronaut.read_bytes()),
        Elsewhere("photos.zip/b.jpg", RuntimeError("bad CRC")),
        Elsewhere("photos.zip/c.jpg", MemoryError()),
        Elsewhere("photos.zip/d.jpg", ImageError("An archive within an archive is not opened.")),
        "null\0byte.jpg",
    ]
    reports = list(analyze_paths(detector, items))
    assert [report.path for report in reports] == [str(item) for item in items]
    assert reports[0].p_fake == pytest.approx(analyze_image(detector, astronaut).p_fake, abs=1e-5)
    assert [report.outcome for report in reports[1:]] == ["unreadable"] * 4
    assert "(RuntimeError: bad CRC)" in reports[1].reason
    assert "(MemoryError)" in reports[2].reason
    assert reports[3].reason == "An archive within an archive is not opened."


@pytest.mark.parametrize("jobs", [1, 3])
def test_an_endless_list_is_taken_as_it_is_needed(detector, jobs):
    taken = itertools.count()
    reports = analyze_paths(detector, (f"missing-{number}.jpg" for number in taken), jobs=jobs)
    assert [next(reports).path for _ in range(3)] == ["missing-0.jpg", "missing-1.jpg", "missing-2.jpg"]
    reports.close()
    assert next(taken) <= READ_AHEAD * AHEAD * jobs


def test_reports_of_many_hold_no_pictures(detector, astronaut):
    (report,) = analyze_paths(detector, [astronaut])
    assert report.outcome.judged
    assert [face.crop for face in report.faces] == [None]


def test_work_in_order_raises_what_it_meets():
    done = in_order(lambda number: 6 // number, [3, 2, 0, 1], jobs=2)
    assert [next(done), next(done)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(done)


def test_threads_share_the_cores_and_give_them_back():
    """All of them on each picture waited for one another at every layer."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        assert set(in_order(lambda _: torch.get_num_threads(), range(8), jobs=2)) == {2}
        assert set(in_order(lambda _: torch.get_num_threads(), range(8), jobs=8)) == {1}
        nested = in_order(lambda _: list(with_own_cores(lambda _: torch.get_num_threads(), [0, 1])), [0, 1], jobs=4)
        assert list(nested) == [[1, 1], [1, 1]]
        assert set(with_own_cores(lambda _: torch.get_num_threads(), range(8))) == {1}
        with on_one_core():
            assert torch.get_num_threads() == 1
            assert set(in_order(lambda _: _threads_on_one_core(), range(2), jobs=2)) == {1}
        assert torch.get_num_threads() == 4
        (of_another,) = in_order(lambda _: _threads_on_one_core(), [0], jobs=2)
        assert of_another == 2  # what it set would hold for all threads that are started later
    finally:
        torch.set_num_threads(before)


def _threads_on_one_core():
    with on_one_core():
        return torch.get_num_threads()


def test_a_checkpoint_is_loaded_on_one_core(make_checkpoint, monkeypatch):
    """Its copies, hundreds of them, waited for one another: beside a busy program that took longer than judging."""
    used = []
    monkeypatch.setattr(
        load, "load_model", lambda examined: used.append(torch.get_num_threads()) or load_model(examined)
    )
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        load_checkpoint(str(make_checkpoint()))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert used == [1]
