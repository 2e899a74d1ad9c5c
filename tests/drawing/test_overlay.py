import numpy as np
import pytest
from PIL import Image, ImageColor, ImageDraw

from virtus.drawing.annotate import TONES
from virtus.drawing.overlay import (
    COLOUR,
    colorize,
    draw_layer,
    layer_strength,
    legend_ends,
    normalize,
    overlay_crop,
    overlay_photo,
    resize_heatmap,
    trace_top,
)
from virtus.results import FaceCrop, Outcome

LEFT_TO_RIGHT = np.float32([[0, 1], [0, 1]])


def grey(width: int, height: int) -> Image.Image:
    return Image.new("RGB", (width, height), (100, 100, 100))


def test_normalize_by_hand():
    np.testing.assert_allclose(normalize(np.float32([[2, 4], [6, 10]])), [[0, 0.25], [0.5, 1]])


def test_resizing_keeps_the_range():
    large = resize_heatmap(np.float32([[0, 1], [1, 0]]), (60, 40))
    assert large.shape == (40, 60)
    assert (large.min(), large.max()) == (0, 1)


def test_colours_without_a_photo_go_from_dark_to_bright():
    luma = [Image.fromarray(colorize(np.float32([[value]]))).convert("L").getpixel((0, 0)) for value in (0, 0.5, 1)]
    assert luma == sorted(luma)
    assert luma[0] < 10
    assert luma[2] > 220


@pytest.mark.parametrize(("value", "alpha"), [(0, 0), (1, 40), (2, 128), (4, 255)])
def test_the_layer_is_as_opaque_as_the_map_is_high(value, alpha):
    """3 v^2 - 2 v^3 of a quarter is 10/64, of a half a half."""
    heatmap = np.float32([[0, 4], [value, value]])
    layer = draw_layer(heatmap, (40, 40))
    assert layer.getpixel((20, 39))[:3] == ImageColor.getrgb(COLOUR)
    assert layer.getpixel((20, 39))[3] == pytest.approx(alpha, abs=1)


def test_a_map_that_is_the_same_everywhere_is_not_made_to_look_like_something():
    flat = np.full((2, 2), 0.7, np.float32)
    assert draw_layer(flat, (40, 40)).getchannel("A").getextrema() == (0, 0)
    assert trace_top(flat) == []


def test_where_a_map_is_low_the_face_stays_as_it_is_however_opaque_the_rest():
    crop = FaceCrop(grey(40, 40), (0, 0, 40, 40))
    for opacity in (0.5, 1):
        assert overlay_crop(crop, LEFT_TO_RIGHT, opacity=opacity).getpixel((0, 0)) == (100, 100, 100)
    assert overlay_crop(crop, LEFT_TO_RIGHT, opacity=1).getpixel((39, 0)) == ImageColor.getrgb(COLOUR)
    assert overlay_crop(crop, LEFT_TO_RIGHT, opacity=0).tobytes() == crop.image.tobytes()


def test_half_way_is_three_quarters_of_the_colour():
    assert [layer_strength(opacity) for opacity in (0, 0.5, 1)] == [0, 0.75, 1]
    shown = overlay_crop(FaceCrop(grey(40, 40), (0, 0, 40, 40)), LEFT_TO_RIGHT).getpixel((39, 0))
    np.testing.assert_allclose(shown, [25 + 0.75 * end for end in ImageColor.getrgb(COLOUR)], atol=1)


def test_outlines_go_around_the_highest_fifth_of_the_patches():
    heatmap = np.zeros((5, 5), np.float32)
    heatmap[1, 1:3], heatmap[4, 4] = 0.3, 0.3
    heatmap += np.linspace(0, 0.2, 25, dtype=np.float32).reshape(5, 5)
    inside = Image.new("1", (100, 100))
    for outline in trace_top(heatmap):
        ImageDraw.Draw(inside).polygon([(100 * x, 100 * y) for x, y in outline], fill=1)
    of_patches = np.asarray(inside)[10::20, 10::20]
    assert of_patches.sum() == 5  # 0.2 of 25
    assert of_patches[1, 1:3].all()
    assert of_patches[4, 4]
    crop = FaceCrop(grey(100, 100), (0, 0, 100, 100))
    plain, outlined = (np.asarray(overlay_crop(crop, heatmap, contours=on)) for on in (False, True))
    assert (plain != outlined).any()
    assert (plain[70:80, :40] == outlined[70:80, :40]).all()


def test_outlines_of_a_signed_map_go_around_what_speaks_most_for_either_class():
    heatmap = np.zeros((5, 5), np.float32)
    heatmap[0, 0], heatmap[4, 4] = -1, 1
    found = trace_top(heatmap, signed=True)
    assert sorted(np.mean(outline, axis=0).round().tolist() for outline in found) == [[0, 0], [1, 1]]


def test_a_map_goes_back_to_the_faces_place_in_the_photo():
    crop = FaceCrop(grey(40, 40), (30, 20, 70, 60))
    photo = overlay_photo(grey(100, 80), crop, np.float32([[1, 0], [0, 0]]), opacity=1)
    assert photo.getpixel((29, 19)) == (100, 100, 100)
    assert photo.getpixel((31, 21)) == ImageColor.getrgb(COLOUR)
    assert photo.getpixel((68, 58)) == photo.getpixel((70, 60)) == (100, 100, 100)


def test_a_map_of_a_turned_face_is_turned_back():
    # The crop was turned counter-clockwise once to be upright: its upper left corner is the photo's upper right.
    crop = FaceCrop(grey(40, 40), (0, 0, 40, 40), quarter_turns=1)
    photo = overlay_photo(grey(40, 40), crop, np.float32([[1, 0], [0, 0]]), opacity=1)
    reddest = np.unravel_index(np.asarray(photo)[..., 0].argmax(), (40, 40))
    assert reddest[0] < 20 <= reddest[1]


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
