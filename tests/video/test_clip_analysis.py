import json

import pytest

from tests.support.clips import numbered, scene, write_clip
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import VideoError
from virtus.results import Outcome
from virtus.video.analysis import (
    MAX_FRAMES,
    SHOWN_SIDE,
    JudgedClip,
    Progress,
    analyze_files,
    analyze_video,
    watch_video,
)
from virtus.video.report import VideoReport


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


def clip_of(tmp_path, scenes, name="clip.mp4", **options):
    return write_clip(tmp_path / name, scenes, codec="libx264", **options)


def lefts(person):
    """Where the person was in each frame."""
    return [round(sight.face.box_xyxy[0]) for sight in person.sights]


@pytest.fixture(scope="module")
def crossing(tmp_path_factory, detector):
    """Two who change places, seen small enough to pass by each other; one is hidden in one frame."""
    scenes = [scene(("hopper", left, 200), ("collins", 270 - left, 200)) for left in (0, 30, 240, 270)]
    scenes.insert(2, scene(("hopper", 140, 200)))
    return list(watch_video(detector, clip_of(tmp_path_factory.mktemp("clips"), scenes), methods=["rollout"]))


def test_each_frame_is_told_as_it_is_judged(crossing):
    *steps, last = crossing
    assert steps == [Progress(done, 5) for done in range(1, 6)]
    assert isinstance(last, JudgedClip)


def test_persons_are_followed_through_the_clip(crossing):
    report = crossing[-1].report
    hopper, collins = report.persons
    assert [sight.frame for sight in hopper.sights] == [0, 1, 2, 3, 4]
    assert [sight.frame for sight in collins.sights] == [0, 1, 3, 4]
    assert [sight.time_s for sight in collins.sights] == pytest.approx([0, 0.1, 0.3, 0.4])
    assert lefts(hopper) == pytest.approx([67, 97, 207, 307, 337], abs=8)
    assert lefts(collins) == pytest.approx([324, 294, 84, 54], abs=8)


def test_a_report_says_all_of_the_clip(crossing, detector):
    report = crossing[-1].report
    assert (report.duration_s, report.complete, report.note) == (pytest.approx(0.5), True, None)
    assert report.times_s == pytest.approx((0, 0.1, 0.2, 0.3, 0.4))
    assert report.frame_size == (480, 240)
    assert report.checkpoint is detector.checkpoint.info
    assert report.outcome is report.decisive_person.outcome
    for person in report.persons:
        p_fakes = sorted(sight.face.p_fake for sight in person.sights)
        assert p_fakes[0] <= person.p_low <= person.p_fake <= person.p_high <= p_fakes[-1]


def test_the_most_telling_frame_is_explained(crossing):
    for person in crossing[-1].report.persons:
        (explanation,) = person.explanations
        assert explanation.method == "rollout"
        assert sum(bool(sight.face.explanations) for sight in person.sights) == 1
        assert person.sights[person.telling].face.crop.image.size[0] <= SHOWN_SIDE


def test_frames_are_kept_small(crossing, tmp_path, detector):
    assert [frame.time_s for frame in crossing[-1].frames] == list(crossing[-1].report.times_s)
    assert all(frame.scale == 1 for frame in crossing[-1].frames)
    large = clip_of(tmp_path, [scene(("hopper", 100, 900), size=(1280, 960))])
    *_, judged = watch_video(detector, large)
    (frame,), (person,) = judged.frames, judged.report.persons
    assert (frame.image.size, frame.scale) == ((640, 480), 0.5)
    assert judged.report.frame_size == (1280, 960)
    assert person.sights[0].face.box_xyxy[2] > 640


def test_the_json_is_typed_and_complete(crossing):
    row = json.loads(json.dumps(crossing[-1].report.to_json()))
    assert (row["kind"], row["complete"], row["duration_s"]) == ("video", True, 0.5)
    assert row["times_s"] == [0, 0.1, 0.2, 0.3, 0.4]
    assert [person["num_frames"] for person in row["persons"]] == [5, 4]
    assert "stability" not in row["persons"][0]["sights"][0]
    assert {"reason", "note"}.isdisjoint(row)


def test_a_clip_says_what_photos_of_its_frames_say(detector, tmp_path):
    """The median of one picture shown again and again is the picture's own p."""
    from virtus.judging.photo import analyze_photo
    from virtus.video.reading import sample_frames

    path = clip_of(tmp_path, [scene(("collins", 0, 200))] * 4)
    (person,) = analyze_video(detector, path, num_frames=3).persons
    frames = sample_frames(path, num_frames=3).frames
    p_fakes = sorted(analyze_photo(detector, frame.image).p_fake for frame in frames)
    assert person.p_fake == pytest.approx(p_fakes[1])


def test_after_a_cut_there_is_somebody_else(detector, tmp_path):
    scenes = [scene(("collins", 0, 200))] * 3 + [scene(("hopper", 0, 200))] * 4
    report = analyze_video(detector, clip_of(tmp_path, scenes))
    assert [[sight.frame for sight in person.sights] for person in report.persons] == [[3, 4, 5, 6], [0, 1, 2]]


def test_who_is_seen_in_passing_does_not_decide(detector, tmp_path):
    scenes = [scene(("collins", 0, 200))] * 4 + [scene(("collins", 0, 200), ("hopper", 240, 200))]
    report = analyze_video(detector, clip_of(tmp_path, scenes))
    collins, hopper = report.persons
    assert hopper.outcome is Outcome.INCONCLUSIVE
    assert "Judged in 1 frame" in hopper.reason
    assert report.outcome is collins.outcome is not Outcome.INCONCLUSIVE


def test_a_clip_without_a_face_has_no_number(detector, tmp_path):
    report = analyze_video(detector, clip_of(tmp_path, numbered(6)), num_frames=4)
    assert (report.outcome, report.persons) == (Outcome.NO_FACE, ())
    assert "No face was found in any of the 4 frames" in report.reason
    assert report.decisive_person is None


@pytest.mark.parametrize(
    ("name", "form", "codec"),
    [
        ("clip.3g2", "3g2", "mpeg4"),
        ("clip.vob", "vob", "mpeg2video"),
        ("clip.asf", "asf", "mpeg4"),
        ("clip", "mp4", "mpeg4"),
    ],
)
def test_a_clip_that_is_named_is_judged_though_its_suffix_says_nothing(
    name, form, codec, detector, tmp_path, astronaut
):
    """It was said to be no picture."""
    path = write_clip(tmp_path / name, numbered(6), format=form, codec=codec)
    photo, clip = analyze_files(detector, [astronaut, str(path)], num_frames=4)
    assert isinstance(clip, VideoReport)
    assert (clip.path, clip.outcome, len(clip.times_s)) == (str(path), Outcome.NO_FACE, 4)
    assert not isinstance(photo, VideoReport)


def test_small_faces_are_said_to_be(detector, tmp_path):
    report = analyze_video(detector, clip_of(tmp_path, [scene(("hopper", 0, 90))] * 3))
    assert report.outcome is Outcome.FACE_TOO_SMALL
    assert "smaller than 48 pixels" in report.reason
    assert report.persons[0].p_fake is None


def test_of_a_clip_that_is_cut_off_the_readable_part_is_judged(detector, tmp_path):
    path = clip_of(tmp_path, [scene(("collins", 4 * at, 200)) for at in range(24)], movflags="faststart")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    report = analyze_video(detector, path, num_frames=6)
    assert not report.complete
    assert 0 < report.duration_s < 2.4
    assert report.persons[0].p_fake is not None
    assert f"only what can be read of its first {report.duration_s:.1f} s was judged" in report.to_json()["note"]


def test_whole_frames_are_judged_without_looking_for_faces(detector, tmp_path):
    (person,) = analyze_video(detector, clip_of(tmp_path, numbered(4)), whole=True).persons
    assert [sight.face.box_xyxy for sight in person.sights] == [(0, 0, 64, 48)] * 4
    assert person.num_counted == 4


def test_the_prior_moves_the_persons_too(detector, tmp_path):
    path = clip_of(tmp_path, [scene(("collins", 0, 200))] * 3)
    (person,), (rare,) = (analyze_video(one, path).persons for one in (detector, detector.at_prior(0.01)))
    odds, at_prior = (one.p_fake / (1 - one.p_fake) for one in (person, rare))
    assert at_prior == pytest.approx(odds / 99, rel=1e-4)


@pytest.mark.parametrize(
    ("limit", "value", "said"),
    [("MAX_CLIP_S", 0.3, "at most 0.3 seconds are judged"), ("MAX_CLIP_BYTES", 100, "MiB; at most")],
)
def test_clips_beyond_the_limits_are_refused(detector, tmp_path, monkeypatch, limit, value, said):
    monkeypatch.setattr(f"virtus.video.analysis.{limit}", value)
    with pytest.raises(VideoError, match=said):
        analyze_video(detector, clip_of(tmp_path, numbered(4)))


def test_too_many_frames_are_refused(detector, tmp_path):
    with pytest.raises(VideoError, match=f"At most {MAX_FRAMES} frames"):
        analyze_video(detector, clip_of(tmp_path, numbered(1)), num_frames=MAX_FRAMES + 1)


def test_an_unreadable_clip_has_no_length(detector):
    report = VideoReport(Outcome.UNREADABLE, detector.checkpoint.info, reason="It is none.")
    row = report.to_json()
    assert (row["outcome"], row["duration_s"], row["persons"], row["reason"]) == ("unreadable", None, [], "It is none.")
    assert "note" not in row
