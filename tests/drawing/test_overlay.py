import numpy as np
from PIL import Image, ImageColor

from virtus.drawing.annotate import TONES
from virtus.drawing.overlay import colorize, legend_ends, normalize, overlay_crop, overlay_photo, resize_heatmap
from virtus.results import FaceCrop, Outcome


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


def test_signed_maps_have_a_scale_that_no_photo_changes():
    # A quarter of the full evidence is half the colour, whatever else is in the map; beyond the end nothing changes.
    (low, blue), (high, vermilion) = legend_ends()
    crop = FaceCrop(grey(40, 40), (0, 0, 40, 40))
    for other in (0.0, 50 * high):
        half = np.full((2, 2), high / 4, np.float32)
        half[1, 1] = other
        shown = overlay_crop(crop, half, opacity=1, signed=True).getpixel((0, 0))
        expected = [(100 + end) / 2 for end in ImageColor.getrgb(vermilion)]
        np.testing.assert_allclose(shown, expected, atol=1)
    for value, colour in ((low, blue), (3 * low, blue), (high, vermilion), (3 * high, vermilion)):
        shown = overlay_crop(crop, np.full((2, 2), value, np.float32), opacity=1, signed=True)
        assert shown.getpixel((20, 20)) == ImageColor.getrgb(colour)


def test_where_nothing_speaks_a_signed_map_lets_the_photo_through():
    crop = FaceCrop(grey(40, 40), (0, 0, 40, 40))
    shown = overlay_crop(crop, np.zeros((2, 2), np.float32), opacity=1, signed=True)
    assert shown.tobytes() == crop.image.tobytes()
    photo = overlay_photo(grey(40, 40), crop, np.float32([[-1, 0], [0, 1]]), opacity=1, signed=True)
    assert photo.getpixel((0, 0)) == ImageColor.getrgb(TONES[Outcome.REAL].colour)
    assert photo.getpixel((39, 39)) == ImageColor.getrgb(TONES[Outcome.FAKE].colour)
    assert photo.getpixel((39, 0)) == (100, 100, 100)
