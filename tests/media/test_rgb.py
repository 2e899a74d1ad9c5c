"""Colour modes to RGB, in strips."""

import numpy as np
import pytest
from PIL import Image

from virtus.media import rgb
from virtus.media.rgb import to_rgb

MODES = "1 L P PA LA La RGBA RGBa CMYK YCbCr HSV LAB I F I;16 I;16B I;16L".split()


def random_picture(mode, size=(37, 41)):
    width, height = size
    draw = np.random.default_rng(0)
    if mode == "F":
        return Image.fromarray(draw.random((height, width), dtype=np.float32))
    if mode == "I":
        return Image.fromarray(draw.integers(0, 60_000, (height, width), dtype=np.int32))
    bytes_each = 2 if mode.startswith("I;16") else len(Image.new(mode, (1, 1)).getbands())
    length = (width + 7) // 8 * height if mode == "1" else width * height * bytes_each
    picture = Image.frombytes(mode, size, draw.bytes(length))
    if mode in ("P", "PA"):
        picture.putpalette(draw.bytes(768))
    return picture


@pytest.mark.parametrize("mode", MODES)
def test_strips_give_what_the_whole_gives(mode, monkeypatch):
    picture = random_picture(mode)
    whole = to_rgb(picture)
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 100)  # of 37 pixels in a row: two rows and a rest
    assert to_rgb(picture).tobytes() == whole.tobytes()
    assert (whole.mode, whole.size) == ("RGB", picture.size)
    assert len(set(whole.getdata())) > 1


def test_white_is_that_of_the_whole_picture_not_of_a_strip(monkeypatch):
    monkeypatch.setattr(rgb, "STRIP_PIXELS", 40)
    levels = np.ones((40, 40), np.float32)
    levels[-1] = 60_000  # so white is 65535, and 1 is black
    assert to_rgb(Image.fromarray(levels)).getpixel((0, 0)) == (0, 0, 0)


def test_rgb_comes_back_itself():
    picture = random_picture("RGB")
    assert to_rgb(picture) is picture
