"""What the tab `Video` answers, without a browser."""

import gradio as gr
import pytest

from tests.support.clips import scene, write_clip
from virtus.app.video.callbacks import VideoCallbacks, VideoInputs
from virtus.app.video.view import empty_panel
from virtus.app.visitors.clips import judge_clip, keep_clip
from virtus.app.visitors.detectors import Detectors


@pytest.fixture(scope="module")
def model(make_checkpoint):
    return str(make_checkpoint())


@pytest.fixture(scope="module")
def detectors(model):
    return Detectors(model, device="cpu", precision="float32")


@pytest.fixture(scope="module")
def kept(detectors, model, tmp_path_factory):
    """A clip of two persons."""
    picture = scene(("hopper", 0, 200), ("collins", 240, 200))
    path = write_clip(tmp_path_factory.mktemp("clip") / "two.mp4", [picture] * 2, codec="libx264")
    judged = judge_clip(detectors.get(model), path, num_frames=2, methods=["attribution"])
    return keep_clip(judged, model)


@pytest.fixture
def callbacks(detectors):
    return VideoCallbacks(detectors)


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_clip_all_is_as_at_first(callbacks, model, nothing):
    """Gradio makes "" of a value that was taken away: a sentence about a photo stood there."""
    (shown,) = callbacks.show_clip(VideoInputs(nothing, model, 8, 0.5))
    assert shown[0] == empty_panel()


def test_the_test_of_a_map_goes_in_steps_and_names_the_person(callbacks, kept):
    *steps, last = callbacks.test_map(kept, 1)
    assert len(steps) == 11  # none done, then one after the other of ten
    assert all("This map of person 2 is being held against 99 random ones" in step for step in steps)
    assert "This map of person 2 is " in last
    assert "chance" in last


def test_of_a_clip_that_is_no_longer_kept_chooser_and_button_say_so(callbacks):
    """Choosing another person did nothing then, while the list said that it was chosen."""
    said, *nothing, button = callbacks.choose_person(None, 1)
    assert "no longer kept here. Give it again." in said
    assert nothing == ["", "", ""]
    assert not button.visible
    (said,) = callbacks.test_map(None, 1)
    assert "no longer kept here. Give it again." in said


def test_the_person_of_another_clip_changes_nothing(callbacks, kept):
    for clip, index in ((None, None), (kept, None), (kept, 2)):
        assert callbacks.choose_person(clip, index) == (gr.skip(),) * 5
        assert list(callbacks.test_map(clip, index)) == [""]


def test_another_person_comes_with_its_own_map(callbacks, kept):
    verdict, strip, telling, trust, button = callbacks.choose_person(kept, 1)
    assert "Person 2 of 2" in verdict
    assert "shot" in strip
    assert "img" in telling
    assert (trust, button.visible) == ("", True)
