"""The names of the parts of a face, on crops whose landmarks are known."""

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
