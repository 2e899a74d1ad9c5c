import random

import numpy as np
import pytest

from train.pictures.forgery import self_blend
from virtus.faces.find import find_faces
from virtus.media.images import load_image


@pytest.fixture(scope="module")
def photo(astronaut):
    image = load_image(astronaut)
    return image, find_faces(image)[0]


def difference(first, second):
    return np.abs(np.asarray(first, int) - np.asarray(second, int)).max(axis=2)


def test_the_same_chances_make_the_same_fake(photo):
    fakes = [self_blend(*photo, random.Random(seed)).image.tobytes() for seed in (1, 1, 2)]
    assert fakes[0] == fakes[1]
    assert fakes[0] != fakes[2]


@pytest.mark.parametrize("seed", range(6))
def test_the_region_is_the_face(photo, seed):
    image, face = photo
    region = self_blend(image, face, random.Random(seed)).region
    x, y = face.landmarks[2]
    assert region.shape == (image.height, image.width)
    assert region[round(y), round(x)]
    assert 0.2 < region.sum() / (face.width * face.height) < 2
    assert not region[:10].any()


def test_one_side_of_the_seam_is_left_as_it_was(photo):
    image, face = photo
    for seed in range(8):
        fake = self_blend(image, face, random.Random(seed))
        changed = difference(fake.image, image)
        inside, outside = changed[fake.region].mean(), changed[~fake.region].mean()
        assert max(inside, outside) > 1
        assert min(inside, outside) < max(inside, outside)


def test_either_side_may_be_the_changed_one(photo):
    image, face = photo
    corners = {difference(self_blend(image, face, random.Random(seed)).image, image)[0, 0] > 0 for seed in range(12)}
    assert corners == {True, False}
