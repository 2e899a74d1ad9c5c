"""What `explore` returns is of the pass that judged, for models with and without tokens before the patches."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import virtus
from tests.support.explaining import load_detector
from virtus.errors import ImageError, InputError
from virtus.explain.erasing import erasing_judge
from virtus.judging.exploration import explore_face, explore_photo, flip_verdict
from virtus.judging.photo import analyze_photo, detect_faces, judge_faces
from virtus.media.images import load_image

PREFIXES = {
    "vit": ("class",),
    "deit-with-teacher": ("class", "distillation"),
    "siglip": (),
    "dinov2-with-registers": ("class", "register 1", "register 2", "register 3", "register 4"),
}


@pytest.mark.parametrize(("kind", "prefix_names"), PREFIXES.items())
def test_arrays_of_one_face_fit_together(make_checkpoint, astronaut, kind, prefix_names):
    detector, photo = load_detector(make_checkpoint(kind=kind)), load_image(astronaut)
    found, count = explore_photo(detector, photo), 16 + len(prefix_names)
    assert found.prefix_names == prefix_names
    assert (found.num_prefix_tokens, found.grid_size, len(found.patch_names)) == (len(prefix_names), (4, 4), 16)
    assert found.attention.codes.shape == (3, 2, count, count)
    assert (found.lens.shape, found.lens_decided.shape) == ((4, count), (4,))
    assert found.pooling.shape[0::2] == (2, count)
    np.testing.assert_allclose(found.pooling.sum(axis=-1), 1, rtol=1e-6)
    report = analyze_photo(detector, photo)
    assert (found.p_fake, found.outcome) == (pytest.approx(report.p_fake, abs=1e-6), report.outcome)
    assert found.lens_decided[-1] == pytest.approx(report.p_fake, abs=1e-6)
    assert found.picture.size == report.faces[0].crop.image.size


def test_python_explores_a_file_in_a_line(astronaut):
    found = virtus.explore(astronaut, model="virtus-fast")
    assert found.checkpoint.name == "virtus-fast"
    assert found.p_fake == pytest.approx(virtus.analyze_image(load_detector("virtus-fast"), astronaut).p_fake, abs=0.02)
    assert {"left eye", "right eye", "nose", "mouth", "background"} < set(found.patch_names)
    calibration = found.checkpoint.calibration
    assert (found.real_below, found.fake_above) == (calibration.real_below, calibration.fake_above)


def test_of_a_centre_that_is_cut_out_the_picture_is_that_centre(make_checkpoint, make_image):
    cutting = {"size": {"height": 64, "width": 64}, "do_center_crop": True, "crop_size": {"height": 32, "width": 32}}
    detector = load_detector(make_checkpoint(processor=cutting))
    photo = make_image(128, 128)
    found = explore_photo(detector, photo, whole=True)
    assert found.picture.tobytes() == photo.crop((32, 32, 96, 96)).tobytes()
    assert found.patch_names[0] == "upper left"


def test_blocks_can_be_left_for_later(make_checkpoint, make_image):
    detector = load_detector(make_checkpoint())
    detected = detect_faces(make_image(), detector.checkpoint, whole=True)
    state = detector.encode(detected.crops)
    report = judge_faces(detector, detected, state)
    found = explore_face(detector, report, 0, state, blocks=[1])
    np.testing.assert_array_equal(found.attention.codes, explore_face(detector, report, 0, state).attention.codes[1:2])


def test_what_was_not_judged_is_not_explored(make_checkpoint, astronaut):
    detector, photo = load_detector(make_checkpoint()), load_image(astronaut)
    with pytest.raises(ImageError, match="No face was found"):
        explore_photo(detector, Image.new("RGB", (200, 200)))
    with pytest.raises(InputError, match="There is no face 1: the photo has 1, counted from 0"):
        explore_photo(detector, photo, face=1)
    small = photo.resize((200, 200))
    with pytest.raises(InputError, match="too small to be judged"):
        explore_photo(detector, small, face=0)
    with pytest.raises(ImageError, match="smaller than 48 pixels"):
        explore_photo(detector, small)


def test_when_it_decided_and_where_it_looked_by_hand(make_checkpoint, make_image):
    detector = load_detector(make_checkpoint())
    found = explore_photo(detector, make_image(), whole=True)
    rows = {(0.4, 0.6, 0.3, 0.2): 2, (0.1, 0.2, 0.3, 0.4): 0, (0.6, 0.4, 0.4, 0.9): 3, (0.2, 0.5, 0.6, 0.7): 1}
    assert [replace(found, lens_decided=np.array(row)).decided_at for row in rows] == list(rows.values())
    named = replace(found, patch_names=("nose", "mouth", "mouth", "chin"))
    assert named.top_parts(np.array([[0.1, 0.4], [0.3, 0.2]])) == ["mouth", "chin", "nose"]


def test_maps_of_heads_are_rows_of_what_the_head_reads(make_checkpoint, make_image):
    for kind, rows in (("vit", slice(0, 1)), ("siglip", slice(0, 16))):
        found = explore_photo(load_detector(make_checkpoint(kind=kind)), make_image(), whole=True)
        expected = found.attention.unpack()[:, :, rows].mean(axis=2)[..., found.num_prefix_tokens :]
        np.testing.assert_allclose(found.head_maps(), expected.reshape(3, 2, 4, 4), rtol=1e-5)
        assert found.rollout().shape == (3, 4, 4)
        assert found.patch_lens()[2, 1, 3] == found.lens[2, found.num_prefix_tokens + 7]


def test_a_verdict_is_flipped_along_its_occlusion_map(make_checkpoint, make_image):
    detector = load_detector(make_checkpoint())
    detected = detect_faces(make_image(), detector.checkpoint, whole=True)
    state = detector.encode(detected.crops)
    (face,) = judge_faces(detector, detected, state).faces
    *_, last = flip_verdict(detector, face, state, (0.5, 0.5), "grey")
    assert last.progress == 1
    judged = erasing_judge(detector, face.crop, "grey")(last.erased[None])[0]
    assert last.p_fake == pytest.approx(judged, abs=1e-6)
    assert last.flipped == ((judged >= 0.5) != (face.p_fake >= 0.5))


@pytest.mark.parametrize(("fill", "other"), [("blur", "grey"), ("grey", "blur"), ("drop", "blur")])
def test_what_flips_a_verdict_is_judged_with_another_filling_too(make_checkpoint, make_image, fill, other):
    """A blur alone may look forged: two blurred patches had made a photo fake that stays real with them grey."""
    detector = load_detector(make_checkpoint())
    detected = detect_faces(make_image(), detector.checkpoint, whole=True)
    state = detector.encode(detected.crops)
    (face,) = judge_faces(detector, detected, state).faces
    gone = np.ones((1, 16), bool)
    gone[0, 0] = False
    between = (face.p_fake + erasing_judge(detector, face.crop, fill)(gone)[0]) / 2  # so it turns on the way there
    *steps, last = flip_verdict(detector, face, state, (between, between), fill)
    assert all(step.p_fake_otherwise is None for step in steps)
    if last.flipped:
        judged = erasing_judge(detector, face.crop, other)(last.erased[None])[0]
        assert last.p_fake_otherwise == pytest.approx(judged, abs=1e-6)
    else:
        assert last.p_fake_otherwise is None
