import math
import random

import numpy as np
import pytest
from PIL import Image

from train.config.augmentation import Augmentation, augment
from virtus.errors import DataError

CHANCES = [name for name in vars(Augmentation()) if name.endswith("_chance")]
NEVER = Augmentation(**dict.fromkeys(CHANCES, 0.0))


@pytest.fixture
def picture():
    return Image.fromarray(np.random.default_rng(1).integers(0, 256, (40, 40, 3), dtype=np.uint8))


def changed(picture, **settings):
    return augment(picture, Augmentation(**(vars(NEVER) | settings)), random.Random(0))


def test_chances_of_zero_change_nothing(picture):
    assert augment(picture, NEVER, random.Random(0)).tobytes() == picture.tobytes()


@pytest.mark.parametrize("name", CHANCES)
def test_each_chance_of_one_changes_the_picture(name, picture):
    found = changed(picture, **{name: 1.0})
    assert found.size == picture.size
    assert found.tobytes() != picture.tobytes()


@pytest.mark.parametrize("name", CHANCES)
def test_a_chance_above_one_is_refused(name):
    with pytest.raises(DataError, match=f"{name} is a chance"):
        Augmentation(**{name: 1.5})


RANGES = [name for name, value in vars(Augmentation()).items() if isinstance(value, tuple)]


@pytest.mark.parametrize("name", RANGES)
@pytest.mark.parametrize("ends", [(95, 40), (-1, 40), (40, math.nan), (40, math.inf), ("1", "2"), (True, 40)])
def test_what_is_no_range_is_refused(name, ends):
    with pytest.raises(DataError, match=f"{name} is a range of numbers from 0 on, the smaller first, not"):
        Augmentation(**{name: ends})


@pytest.mark.parametrize("ends", [(40.5, 95), (40, 95.0), (0, 95), (40, 101)])
def test_a_quality_that_a_jpeg_cannot_have_is_refused(ends):
    with pytest.raises(DataError, match="jpeg_quality is a range of whole numbers from 1 to 100"):
        Augmentation(jpeg_quality=ends)


def test_ends_may_be_the_same_and_the_outermost():
    assert Augmentation(jpeg_quality=(1, 100), blur=(0.0, 0.0)).jpeg_quality == (1, 100)


def test_a_rotation_leaves_black_beside_the_picture():
    turned = np.asarray(changed(Image.new("RGB", (40, 40), "white"), rotation=90.0))
    assert turned[0, 0].tolist() == [0, 0, 0]
    assert turned[20, 20].tolist() == [255, 255, 255]


def test_a_part_has_the_share_that_was_asked_for(picture):
    draw = random.Random(0)
    sizes = [augment(picture, Augmentation(**(vars(NEVER) | {"area": (0.25, 0.25)})), draw).size for _ in range(50)]
    areas = [width * height / 1600 for width, height in sizes]
    assert min(areas) > 0.22
    assert max(areas) < 0.28
    assert all(0.7 < width / height < 1.45 for width, height in sizes)
