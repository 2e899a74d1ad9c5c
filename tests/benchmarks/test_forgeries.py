from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import virtus
from benchmarks.explanations.forgeries import (
    MAX_ROUNDS,
    SELF_BLENDED,
    THRESHOLD,
    Original,
    _alters_the_face,
    _partners,
    called_real,
    catch_fakes,
)
from train.data.samples import Sample
from train.pictures.forgery import Forgery
from virtus.faces.find import crop_face, find_faces
from virtus.media.images import load_image
from virtus.results import Face, Label


def original(photo=None, *, group, width=100.0, nose=(50, 52), source="source", path="photo.jpg"):
    landmarks = ((40, 40), (60, 40), nose, (42, 60), (58, 60))
    sample = Sample(path, Label.REAL, source, "val", group)
    return Original(sample, photo, Face((0.0, 0.0, width, 100.0), landmarks, 1.0))


@pytest.fixture(scope="module")
def originals(astronaut):
    paths = [astronaut, astronaut.with_name("grace-hopper.jpg")]
    photos = [(path, load_image(path)) for path in paths]
    return [Original(Sample(p, Label.REAL, "nasa", "val", p.stem), photo, find_faces(photo)[0]) for p, photo in photos]


@pytest.fixture(scope="module")
def detector():
    """It calls both photos real, and some self-blended copies fake."""
    return virtus.Detector(virtus.load_checkpoint("virtus-fast"))


def test_partners_are_other_people_of_the_same_source_and_size_the_most_alike_first():
    own = original(group="own")
    near, far = original(group="near", nose=(51, 52)), original(group="far", nose=(58, 52))
    others = [far, near, original(group="own"), original(group="big", width=150.0), original(group="x", source="other")]
    assert _partners(own, others) == [near, far]


def test_a_pose_does_not_depend_on_place_size_or_turn_in_the_picture():
    own = original(group="own")
    turned = tuple((100 - 2 * y, 2 * x) for x, y in own.face.landmarks)  # a quarter, twice as large, elsewhere
    other = Original(own.sample, None, Face((0.0, 0.0, 100.0, 100.0), turned, 1.0))
    np.testing.assert_allclose(other.pose, own.pose)


def test_only_originals_called_real_are_forged(detector, originals, make_image):
    everything = [*originals, *(original(make_image(100, 100, seed), group=str(seed)) for seed in range(4))]
    crops = [crop_face(one.photo, one.face, margin=detector.checkpoint.margin) for one in everything]
    expected = [one for one, said in zip(everything, detector.predict(crops), strict=True) if said.p_fake < THRESHOLD]
    assert called_real(detector, everything) == expected
    assert expected[:2] == originals


def test_what_is_caught_is_called_fake_and_its_unforged_copy_is_not(detector, originals):
    catch = catch_fakes(detector, originals, SELF_BLENDED, count=100)
    assert catch.tried == MAX_ROUNDS * len(originals)
    assert catch.called_fake == len(catch.fakes) + catch.copies_called_fake > 0
    assert all(fake.p_original < THRESHOLD <= fake.p_fake for fake in catch.fakes)
    assert all(fake.crop.image.tobytes() != fake.original.image.tobytes() for fake in catch.fakes)


def test_the_same_seed_catches_the_same_and_no_more_than_wanted(detector, originals):
    one, again = (catch_fakes(detector, originals, SELF_BLENDED, count=1) for _ in range(2))
    assert len(one.fakes) == 1
    assert one.fakes[0].crop.image.tobytes() == again.fakes[0].crop.image.tobytes()


def test_parts_are_tried_with_each_partner(detector, originals):
    """Both photos are the same here: nothing is forged, so nothing may be kept as a fake."""
    one = originals[0]
    double = Original(replace(one.sample, group="double"), one.photo, one.face)
    catch = catch_fakes(detector, [one, double], "mouth", count=5)
    assert catch.tried == MAX_ROUNDS * 2
    assert catch.fakes == []


@pytest.mark.parametrize(("rows", "expected"), [(slice(0, 10), True), (slice(10, 20), False)])
def test_a_self_blend_may_alter_the_surroundings_instead(make_image, rows, expected):
    photo = make_image(20, 20)
    pixels = np.asarray(photo).copy()
    pixels[rows] ^= 255
    region = np.zeros((20, 20), bool)
    region[:10] = True
    assert bool(_alters_the_face(Forgery(Image.fromarray(pixels), region), photo)) is expected
