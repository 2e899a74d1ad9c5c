import numpy as np
from PIL import Image

from virtus.overlay import colorize, normalize, overlay_crop, overlay_photo, resize_heatmap
from virtus.results import FaceCrop


def grey(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (100, 100, 100))


def test_normalize_by_hand():
    np.testing.assert_allclose(normalize(np.float32([[2, 4], [6, 10]])), [[0, 0.25], [0.5, 1]])


def test_a_map_that_is_the_same_everywhere_is_not_made_to_look_like_something():
    assert normalize(np.full((2, 2), 0.7, np.float32)).max() == 0


def test_resizing_keeps_the_range():
    large = resize_heatmap(np.float32([[0, 1], [1, 0]]), (60, 40))
    assert large.shape == (40, 60)
    assert (large.min(), large.max()) == (0, 1)


def test_colours_go_from_dark_to_bright():
    luma = [Image.fromarray(colorize(np.float32([[value]]))).convert("L").getpixel((0, 0)) for value in (0, 0.5, 1)]
    assert luma == sorted(luma)
    assert luma[0] < 10
    assert luma[2] > 220


def test_opacity_zero_is_the_crop_and_one_is_the_map():
    crop, heatmap = FaceCrop(grey(40, 40), (0, 0, 40, 40)), np.float32([[0, 1], [0, 1]])
    assert overlay_crop(crop, heatmap, opacity=0).getpixel((39, 0)) == (100, 100, 100)
    assert overlay_crop(crop, heatmap, opacity=1).getpixel((39, 0)) == tuple(colorize(np.float32([[1]]))[0, 0])


def test_a_map_goes_back_to_the_faces_place_in_the_photo():
    crop = FaceCrop(grey(40, 40), (30, 20, 70, 60))
    photo = overlay_photo(grey(100, 80), crop, np.float32([[1, 0], [0, 0]]), opacity=1)
    assert photo.getpixel((29, 19)) == (100, 100, 100)
    assert sum(photo.getpixel((31, 21))) > sum(photo.getpixel((68, 58)))
    assert photo.getpixel((70, 60)) == (100, 100, 100)


def test_a_map_of_a_turned_face_is_turned_back():
    # The crop was turned counter-clockwise once to be upright: its upper left corner is the photo's upper right.
    crop = FaceCrop(grey(40, 40), (0, 0, 40, 40), quarter_turns=1)
    photo = overlay_photo(grey(40, 40), crop, np.float32([[1, 0], [0, 0]]), opacity=1)
    brightest = np.unravel_index(np.asarray(photo.convert("L")).argmax(), (40, 40))
    assert brightest[0] < 20 <= brightest[1]
