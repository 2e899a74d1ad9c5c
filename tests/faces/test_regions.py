"""The names of the parts of a face, on crops whose landmarks are known."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from virtus.faces.find import crop_face, whole_image
from virtus.faces.regions import name_cells
from virtus.results import Face

# A face of 100 x 132 pixels as MTCNN marks one: the eyes 46 apart, nose and mouth below.
MARKS = ((177.0, 176.0), (223.0, 176.0), (200.0, 200.0), (181.0, 222.0), (219.0, 222.0))
FACE = Face((150.0, 124.0, 250.0, 256.0), MARKS, 1.0)
GRID = (14, 14)


def cells_of(face, photo):
    crop = crop_face(photo, face, margin=1.3)
    names = name_cells(face, crop, (0, 0, *crop.image.size), GRID)
    return np.array(names).reshape(GRID), crop


def name_at(names, crop, x, y):
    """The name of the cell in which a point of the picture lies."""
    x0, y0, x1, y1 = crop.box_xyxy
    return names[int(14 * (y - y0) / (y1 - y0)), int(14 * (x - x0) / (x1 - x0))]


def test_landmarks_lie_in_what_they_are_named_for():
    names, crop = cells_of(FACE, Image.new("RGB", (400, 400)))
    found = [name_at(names, crop, *point) for point in MARKS]
    assert found == ["left eye", "right eye", "nose", "mouth", "mouth"]
    around = {(200, 140): "forehead", (200, 244): "chin", (168, 205): "left cheek", (232, 205): "right cheek"}
    assert {point: name_at(names, crop, *point) for point in around} == around
    assert {names[row, column] for row in (0, 13) for column in (0, 13)} == {"background"}


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_face_that_lies_has_the_same_names_once_its_crop_is_upright(turns):
    photo = Image.new("RGB", (400, 400))
    upright, _ = cells_of(FACE, photo)

    def turn(x, y):  # clockwise, so that as many counter-clockwise turns bring it back
        for _ in range(turns):
            x, y = 400 - y, x
        return x, y

    corners = np.array([turn(150.0, 124.0), turn(250.0, 256.0)])
    box = (*corners.min(axis=0).tolist(), *corners.max(axis=0).tolist())
    turned, crop = cells_of(Face(box, tuple(turn(*point) for point in MARKS), 1.0, turns), photo)
    assert crop.quarter_turns == turns
    assert (turned == upright).mean() > 0.95  # the crop's corner falls on whole pixels


def test_a_grid_on_the_middle_of_a_crop_has_the_names_of_the_middle():
    crop = crop_face(Image.new("RGB", (400, 400)), FACE, margin=1.3)
    side = crop.image.width
    whole = np.array(name_cells(FACE, crop, (0, 0, side, side), GRID)).reshape(GRID)
    middle = np.array(name_cells(FACE, crop, (side / 4, side / 4, 3 * side / 4, 3 * side / 4), (7, 7))).reshape(7, 7)
    # Cells of half a side each: their middles are those of every cell in rows and columns 3.5 to 10.5.
    assert middle[3, 3] in whole[6:8, 6:8]
    assert "background" not in middle


def test_without_a_face_places_are_named():
    names = name_cells(None, whole_image(Image.new("RGB", (90, 60))), (0, 0, 90, 60), (3, 3))
    assert names == (
        "upper left", "top", "upper right", "left", "centre", "right", "lower left", "bottom", "lower right"
    )  # fmt: skip


# Turned to the right of the picture by some 25 degrees: the landmarks lie right of the middle of the box, 36 apart. In
# units of 40.7 pixels the face is 2.16 * 1.136 wide, as its box is, from 200 - 49.9 * 1.11 to 200 + 49.9.
TURNED = replace(FACE, landmarks=((192.0, 176.0), (228.0, 176.0), (218.0, 200.0), (194.0, 222.0), (226.0, 222.0)))
# From the side: the nose stands beyond the far eye by more than there is between the eyes.
PROFILE = replace(FACE, landmarks=((210.0, 176.0), (232.0, 176.0), (240.0, 200.0), (207.0, 222.0), (231.0, 222.0)))


def test_of_a_turned_head_the_near_cheek_belongs_to_the_face_and_the_wall_beyond_the_far_one_does_not():
    """An oval about the landmarks left the near cheek and jaw out, and took in the wall."""
    names, crop = cells_of(TURNED, Image.new("RGB", (400, 400)))
    cheek = {point: name_at(names, crop, *point) for point in ((151, 190), (158, 205), (162, 220))}
    assert set(cheek.values()) == {"left cheek"}
    assert {name_at(names, crop, x, 190) for x in (256, 262)} == {"background"}
    found = [name_at(names, crop, *point) for point in TURNED.landmarks]
    assert found == ["left eye", "right eye", "nose", "mouth", "mouth"]
    assert name_at(names, crop, 210, 244) == "chin"  # below the mouth


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_of_a_profile_nothing_before_the_nose_belongs_to_the_face_and_the_cheek_reaches_to_the_ear(is_mirrored):
    face, side = PROFILE, 1
    if is_mirrored:
        (right, left, nose, *mouth), side = [(400 - x, y) for x, y in PROFILE.landmarks], -1
        face = replace(PROFILE, landmarks=(left, right, nose, *reversed(mouth)))
    names, crop = cells_of(face, Image.new("RGB", (400, 400)))
    assert {name_at(names, crop, 200 + side * 50, y) for y in (150, 176, 200, 222)} == {"background"}
    assert name_at(names, crop, 200 - side * 56, 200) == f"{'right' if is_mirrored else 'left'} cheek"
    assert name_at(names, crop, *face.landmarks[2]) == "nose"


def test_of_a_profile_the_near_wing_of_the_nose_is_no_cheek():
    """In units of 31.8 pixels the nose is 0.28 * (1 + 0.86) = 0.52 wide on that side: to 223.5; it ended at 231."""
    crop = crop_face(Image.new("RGB", (400, 400)), PROFILE, margin=1.3)
    left, top, right, bottom = crop.box_xyxy
    cells = name_cells(PROFILE, crop, (0, 0, *crop.image.size), (bottom - top, right - left))
    at_nose = cells[(200 - top) * (right - left) :]
    assert [at_nose[x - left] for x in (221, 226, 238)] == ["left cheek", "nose", "nose"]


def test_a_box_that_the_border_cuts_does_not_make_the_face_smaller():
    whole, crop = cells_of(FACE, Image.new("RGB", (400, 400)))
    cut = replace(FACE, box_xyxy=(150.0, 150.0, 250.0, 256.0))
    names = np.array(name_cells(cut, crop, (0, 0, *crop.image.size), GRID)).reshape(GRID)
    assert (names != "background").sum() >= 0.95 * (whole != "background").sum()
