"""What the app keeps of a face draws the maps that a new pass would."""

import numpy as np
import pytest

from virtus.app.visitors.kept_face import keep_face
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.explain.registry import EXPLAINERS, explain
from virtus.faces.find import whole_image
from virtus.judging.photo import analyze_photo


@pytest.fixture
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))


@pytest.mark.parametrize("method", EXPLAINERS)
def test_maps_from_what_is_kept_are_those_of_a_new_pass(detector, make_image, method):
    photo = make_image(2000, 1500)
    face = analyze_photo(detector, photo, whole=True).faces[0]
    kept = keep_face(detector, photo, face, ("a",))
    (own,), (new,) = (explain(state, method=method) for state in (kept.state(detector), detector.encode([face.crop])))
    np.testing.assert_array_equal(own.heatmap, new.heatmap)


def test_only_small_pictures_are_kept(detector, make_image):
    photo = make_image(2000, 1500)
    kept = keep_face(detector, photo, analyze_photo(detector, photo, whole=True).faces[0], ("a",))
    assert kept.photo.size == (1280, 960)
    assert kept.photo_crop.box_xyxy == (0, 0, 1280, 960)
    assert max(kept.crop.image.size) == 640
    assert kept.judged_crop.image.size == (32, 32)


CENTRE = {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}


@pytest.mark.parametrize("processor", [{}, CENTRE], ids=["fixed size", "a centre that is cut out"])
def test_the_kept_crop_is_judged_as_the_whole_one(make_checkpoint, make_image, processor):
    detector = Detector(load_checkpoint(str(make_checkpoint(processor=processor)), precision="float32"))
    photo = make_image(300, 200)
    face = analyze_photo(detector, photo, whole=True).faces[0]
    kept = keep_face(detector, photo, face, ("a",))
    assert detector.predict([kept.judged_crop]) == detector.predict([whole_image(photo)])
