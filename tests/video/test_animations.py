"""Pictures that move are judged as clips are: a few frames spread over them, each face followed."""

import io
import json
import struct
import zlib
from fractions import Fraction

import numpy as np
import pytest
from PIL import Image
from PIL.GifImagePlugin import GifImageFile

from tests.support.clips import numbered, scene
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.judging.photo import analyze_photo
from virtus.media.animations import MAX_FRAMES, Animation
from virtus.media.containers import count_gif_pictures
from virtus.media.images import load_image, open_animation
from virtus.results import Outcome
from virtus.scans.rows import ROWS
from virtus.video.analysis import analyze_files, analyze_video
from virtus.video.reading import read_frames, shown_size

FORMS = ["GIF", "WEBP", "PNG", "AVIF"]
MORE = {"WEBP": {"lossless": True}, "AVIF": {"quality": 100}}


def animated(form, pictures, duration=100, **options):
    first, *others = [Image.fromarray(picture) for picture in pictures]
    stream = io.BytesIO()
    more = MORE.get(form, {}) | options
    first.save(stream, form, save_all=True, append_images=others, duration=duration, loop=0, **more)
    return stream.getvalue()


def read(data, num_frames):
    with read_frames(data, num_frames=num_frames) as reader:
        frames = [(round(np.asarray(frame.image).mean() / 10), frame.time_s) for frame in reader.frames()]
    return frames, reader


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.mark.parametrize("form", FORMS)
def test_frames_come_from_the_middles_of_equal_slices(form):
    frames, reader = read(animated(form, numbered(12)), 4)
    assert [number for number, _ in frames] == [1, 4, 7, 10]
    assert [time_s for _, time_s in frames] == pytest.approx([0.1, 0.4, 0.7, 1.0])
    assert reader.duration_s == pytest.approx(1.2)
    assert reader.whole


@pytest.mark.parametrize("form", FORMS)
def test_one_with_fewer_frames_gives_each_once(form):
    frames, _ = read(animated(form, numbered(3)), 32)
    assert [number for number, _ in frames] == [0, 1, 2]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("duration", [0, [50, 1000, 200]], ids=["none", "varying"])
def test_a_frame_that_says_nothing_is_shown_as_long_as_browsers_show_it(form, duration):
    frames, reader = read(animated(form, numbered(3), duration), 3)
    expected = [0.0, 0.05, 1.05, 1.25] if duration else [0.0, 0.1, 0.2, 0.3]
    assert [*(time_s for _, time_s in frames), reader.duration_s] == pytest.approx(expected)


def test_the_picture_for_those_who_show_no_animation_is_none_of_its_frames():
    frames, _ = read(animated("PNG", numbered(4), default_image=True), 32)
    assert [number for number, _ in frames] == [1, 2, 3]


@pytest.mark.parametrize("form", FORMS)
def test_one_frame_and_frames_that_are_all_the_same_are_a_photo(form):
    """Pillow itself leaves out a frame like the one before, but for some transparent pixel."""
    same = [np.full((48, 64, 3), 90, np.uint8)] * 3
    for data in (animated(form, same[:1]), animated(form, same), _with_same_frames() if form == "GIF" else b""):
        if data:
            assert open_animation(data) is None
            assert "num_frames" not in load_image(data).info
    assert load_image(animated(form, numbered(5))).info["num_frames"] == 5


@pytest.mark.parametrize("form", FORMS)
def test_frames_that_alternate_move_though_a_few_of_them_are_alike(form):
    """Every fourth frame, from the third on, is like the first."""
    data = animated(form, [np.full((48, 64, 3), level, np.uint8) for level in [90, 160] * 16])
    assert open_animation(data).num_frames == load_image(data).info["num_frames"] == 32
    assert [number for number, _ in read(data, 32)[0]] == [9, 16] * 16


def test_frames_are_compared_up_to_the_first_that_differs_or_the_limit(monkeypatch):
    seen, seek = [], GifImageFile.seek
    monkeypatch.setattr(GifImageFile, "seek", lambda image, index: (seen.append(index), seek(image, index)))
    monkeypatch.setattr("virtus.media.animations.MAX_DECODED_PIXELS", 5 * 64 * 48)
    assert open_animation(_with_same_frames(9)) is None
    assert seen == [0, 1, 2, 3, 4]
    seen.clear()
    assert open_animation(animated("GIF", numbered(9))).num_frames == 9
    assert seen == [0, 1]


def _with_same_frames(count=3):
    data = animated("GIF", [np.full((48, 64, 3), 90, np.uint8)])
    begin = data.index(b",", 13 + (6 << (data[10] & 7)))
    return data[:-1] + data[begin:-1] * (count - 1) + b";"


def test_pages_and_pictures_of_one_moment_are_no_frames():
    for form in ("TIFF", "MPO"):
        stream = io.BytesIO()
        first, *others = map(Image.fromarray, numbered(3))
        first.save(stream, form, save_all=True, append_images=others)
        assert open_animation(stream.getvalue()) is None
        assert "num_frames" not in load_image(stream.getvalue()).info


@pytest.mark.parametrize("form", ["GIF", "PNG"])
def test_of_one_that_is_cut_off_what_is_there_is_judged(form, detector):
    data = animated(form, numbered(12))
    report = analyze_video(detector, data[: len(data) * 6 // 10], num_frames=12, whole=True)
    assert 3 <= len(report.times_s) < 12
    assert not report.complete
    assert "cut off" in report.note


def test_frames_that_a_file_only_claims_are_not_waited_for():
    data = animated("PNG", numbered(4))
    at = data.index(b"acTL")
    claims = b"acTL" + struct.pack(">II", 2**31 - 1, 0)
    data = data[:at] + claims + struct.pack(">I", zlib.crc32(claims)) + data[at + 16 :]
    frames, _ = read(data, 32)
    assert len(frames) == 4


def test_no_more_is_counted_and_decoded_than_the_limits_allow():
    data = animated("GIF", numbered(2))
    begin = data.index(b",", 13 + (6 << (data[10] & 7)))
    assert count_gif_pictures(data, MAX_FRAMES) == 2
    assert count_gif_pictures(data[:-1] + data[begin:-1] * 20, 7) == 7
    large = Animation(Image.new("L", (10_000, 5_000)), 400)
    assert large.num_readable == 20
    assert large.evenly_spaced(4) == [2, 7, 12, 17]


def test_a_title_does_not_hide_the_face_behind_it(detector, tmp_path):
    """The first frame alone was looked at: no face."""
    blank = np.zeros_like(scene())
    for form in FORMS:
        file = tmp_path / f"title.{form.lower()}"
        faces = [scene(("hopper", 4 * at, 200)) for at in range(3)]
        file.write_bytes(animated(form, [blank, *faces]))
        (report,) = analyze_files(detector, [str(file)], num_frames=8)
        assert report.outcome.judged
        (person,) = report.persons
        assert [sight.frame for sight in person.sights] == [1, 2, 3]


def test_where_nobody_is_in_three_frames_each_of_all_counts_as_a_photo(detector):
    """Of a title and a face there are no more frames to read, and a face in one is what a photo is."""
    blank, face = np.zeros_like(scene()), scene(("hopper", 0, 200))
    report = analyze_video(detector, animated("PNG", [blank, face]))
    alone = analyze_photo(detector, Image.fromarray(face)).faces[0]
    (person,) = report.persons
    assert (person.num_counted, person.reason, report.complete) == (1, None, True)
    assert (report.outcome, person.p_fake) == (alone.outcome, pytest.approx(alone.p_fake))
    stream = io.StringIO()
    ROWS["table"](stream).write(report)
    assert "(by 1 frame)" in stream.getvalue()


def test_a_face_in_few_frames_proves_nothing_where_there_are_more_of_them(detector):
    blank, face = np.zeros_like(scene()), scene(("hopper", 0, 200))
    numbers = [np.full_like(blank, 10 * number) for number in range(1, 6)]
    partly = analyze_video(detector, animated("PNG", [blank, face, *numbers]), num_frames=6)
    assert "fewer than the 3" in partly.persons[0].reason
    both = scene(("hopper", 0, 200), ("collins", 240, 200))
    beside = analyze_video(detector, animated("PNG", [both, *(scene(("hopper", at, 200)) for at in (4, 8))]))
    assert [person.num_counted for person in beside.persons] == [3, 1]
    assert "fewer than the 3" in beside.persons[1].reason


def test_a_scan_takes_photos_and_animations_in_their_order(detector, tmp_path, astronaut):
    moving = tmp_path / "moving.gif"
    moving.write_bytes(animated("GIF", numbered(4)))
    reports = list(analyze_files(detector, [astronaut, moving, str(astronaut)], num_frames=4, jobs=2))
    stream = io.StringIO()
    rows = ROWS["json"](stream)
    for report in reports:
        rows.write(report)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [line["path"] for line in lines] == [str(astronaut), str(moving), str(astronaut)]
    assert [line.get("kind") for line in lines] == [None, "video", None]
    assert lines[1]["times_s"] == pytest.approx([0, 0.1, 0.2, 0.3])
    assert reports[1].outcome is Outcome.NO_FACE


@pytest.mark.parametrize(
    ("size", "shape", "shown"),
    [
        ((1440, 1080), Fraction(4, 3), (1920, 1080)),  # HDV
        ((720, 576), Fraction(64, 45), (1024, 576)),  # PAL, wide
        ((720, 480), Fraction(8, 9), (720, 540)),  # NTSC
        ((640, 480), Fraction(1), (640, 480)),
        ((640, 480), None, (640, 480)),
        ((640, 480), Fraction(1000, 1), (640, 480)),
        ((8000, 6000), Fraction(2, 1), (8000, 6000)),  # it would pass the limit
    ],
)
def test_frames_have_the_shape_in_which_they_are_shown(size, shape, shown):
    assert shown_size(size, shape) == shown
