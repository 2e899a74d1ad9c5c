import numpy as np
import pytest

from train.__main__ import main
from train.pictures.forgery import PARTS, face_region, part_region, swap_part
from virtus.errors import DataError
from virtus.faces.find import find_faces
from virtus.media.images import load_image
from virtus.results import Face

UPRIGHT = Face((0, 0, 100, 100), ((40, 40), (60, 40), (50, 52), (42, 60), (58, 60)), 1.0)


@pytest.fixture(scope="module")
def photos(astronaut):
    images = [load_image(astronaut.with_name("grace-hopper.jpg")), load_image(astronaut)]
    return [one for image in images for one in (image, find_faces(image)[0])]


@pytest.mark.parametrize("part", PARTS)
def test_a_swap_alters_its_part_and_nothing_else(photos, part):
    forgery = swap_part(*photos, part)
    changed = np.abs(np.asarray(forgery.image, int) - np.asarray(photos[2], int)).max(axis=2)
    assert (changed[forgery.region] > 8).mean() > 0.2
    assert not changed[~forgery.region].any()


@pytest.mark.parametrize("part", PARTS)
def test_a_face_swapped_with_itself_stays_as_it_was(photos, part):
    _, _, image, face = photos
    forgery = swap_part(image, face, image, face, part)
    assert np.abs(np.asarray(forgery.image, int) - np.asarray(image, int)).mean() < 0.1


@pytest.mark.parametrize(
    ("part", "inside", "outside"),
    [
        ("eyes", [(40, 40), (60, 40)], [(50, 52), (42, 60)]),
        ("nose", [(50, 52)], [(40, 40), (60, 40), (42, 60), (58, 60)]),
        ("mouth", [(42, 60), (58, 60)], [(50, 52), (40, 40)]),
        ("left half", [(40, 40), (42, 60)], [(60, 40), (58, 60), (51, 50)]),
        ("right half", [(60, 40), (58, 60)], [(40, 40), (42, 60), (49, 50)]),
    ],
)
def test_a_part_lies_where_the_landmarks_say(part, inside, outside):
    region = part_region(UPRIGHT, (100, 90), part)
    assert region.shape == (90, 100)
    assert [region[y, x] for x, y in inside] == [255] * len(inside)
    assert [region[y, x] for x, y in outside] == [0] * len(outside)


def test_both_halves_make_the_face_but_for_the_line_between():
    halves = [part_region(UPRIGHT, (100, 90), part) for part in ("left half", "right half")]
    assert not (halves[0] & halves[1]).any()
    left_out = (halves[0] | halves[1]) != face_region(UPRIGHT, (100, 90))
    assert np.flatnonzero(left_out.any(axis=0)).tolist() == [50]


def test_a_part_outside_the_photo_is_refused(photos):
    """seamlessClone ends in an assertion of its own where a region is a pixel high."""
    low = Face((0, 0, 100, 100), tuple((x, y + 20) for x, y in UPRIGHT.landmarks), 1.0)
    with pytest.raises(DataError, match="outside the photo"):
        swap_part(photos[0], photos[1], photos[2].crop((0, 0, 100, 75)), low, "mouth")


def test_no_such_part():
    with pytest.raises(DataError, match="There is no part 'ears'"):
        part_region(UPRIGHT, (100, 90), "ears")


def test_the_command_swaps_a_part(astronaut, tmp_path):
    out, hopper = tmp_path / "fake.png", astronaut.with_name("grace-hopper.jpg")
    assert main(["swap", str(hopper), str(astronaut), str(out), "--part", "mouth"]) == 0
    changed = (np.asarray(load_image(out), int) != np.asarray(load_image(astronaut), int)).any(axis=2)
    assert 0 < changed.mean() < 0.05
