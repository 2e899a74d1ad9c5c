"""Formats, colour modes, orientation, transparency, animation: any of them to one upright RGB picture."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from tests.support.pictures import BLUE, GREEN, RED, WHITE, YELLOW, encode, refusal
from virtus.media.images import load_image

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF", "BMP", "GIF", "PPM")
ORIENTATION = 0x0112
# Where the upright picture's corners (top left red, top right green, bottom left blue, bottom right yellow) lie in what
# is stored, clockwise from the top left, for each value of the tag (EXIF 2.32, section 4.6.5 A).
STORED = {
    1: (RED, GREEN, YELLOW, BLUE),
    2: (GREEN, RED, BLUE, YELLOW),
    3: (YELLOW, BLUE, RED, GREEN),
    4: (BLUE, YELLOW, GREEN, RED),
    5: (RED, BLUE, YELLOW, GREEN),
    6: (GREEN, YELLOW, BLUE, RED),
    7: (YELLOW, GREEN, RED, BLUE),
    8: (BLUE, RED, GREEN, YELLOW),
}


def quarters(colors, size=(64, 48)):
    """A picture of four quarters, clockwise from the top left."""
    width, height = size
    image = Image.new("RGB", size)
    places = [(0, 0), (width // 2, 0), (width // 2, height // 2), (0, height // 2)]
    for color, (left, top) in zip(colors, places, strict=True):
        image.paste(color, (left, top, left + width // 2, top + height // 2))
    return image


def assert_upright(image):
    assert image.size == (64, 48)
    expected = np.asarray(quarters(STORED[1])).astype(int)
    inner = np.s_[4:20, 4:28]  # away from the borders of quarters, where lossy formats blur
    assert np.abs(np.asarray(image).astype(int) - expected)[inner].max() < 30
    assert np.abs(np.asarray(image)[::-1, ::-1].astype(int) - expected[::-1, ::-1])[inner].max() < 30


def exif(orientation):
    tags = Image.Exif()
    tags[ORIENTATION] = orientation
    return tags.tobytes()


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_opens(form):
    load_image(encode(Image.new("RGB", (40, 40))))  # registers the formats that Pillow does not bring
    assert_upright(load_image(encode(quarters(STORED[1]), form)))


@pytest.mark.parametrize("orientation", STORED)
def test_all_orientations_become_upright(orientation):
    size = (64, 48) if orientation < 5 else (48, 64)
    assert_upright(load_image(encode(quarters(STORED[orientation], size), "JPEG", exif=exif(orientation))))
    assert_upright(load_image(encode(quarters(STORED[orientation], size), "PNG", exif=exif(orientation))))


@pytest.mark.parametrize("form", ["WEBP", "AVIF", "HEIF", "TIFF"])
def test_other_formats_with_an_orientation_become_upright_once(form):
    load_image(encode(Image.new("RGB", (40, 40))))
    data = encode(quarters(STORED[6], (48, 64)), form, exif=exif(6))
    assert_upright(load_image(data))
    assert_upright(load_image(Image.open(io.BytesIO(data))))
    assert_upright(load_image(load_image(data)))


@pytest.mark.parametrize("order", "<>")
def test_the_orientation_behind_a_tag_that_lies_outside_counts(order):
    """Pillow stops at such a tag."""
    entries = struct.pack(order + "HHII", 0x010F, 2, 40, 9000) + struct.pack(order + "HHIHH", ORIENTATION, 3, 1, 6, 0)
    exif = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(order + "IH", 8, 2) + entries + bytes(4)
    assert_upright(load_image(encode(quarters(STORED[6], (48, 64)), "JPEG", exif=b"Exif\0\0" + exif)))


@pytest.mark.parametrize("damage", [b"Exif\0\0garbage", exif(6)[:-9], b"Exif\0\0MM\0*\xff\xff\xff\xff", exif(99)])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_damaged_exif_does_not_refuse_the_picture(damage):
    assert load_image(encode(quarters(STORED[1]), "JPEG", exif=damage)).size in {(64, 48), (48, 64)}


@pytest.mark.parametrize("form", [*FORMATS[1:], "TIFF lzw"])  # of a JPEG: test_truncated.py
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_pictures_that_were_cut_off_are_refused(make_image, form):
    name, *compression = form.split()
    data = encode(make_image(), name, **({"compression": "tiff_lzw"} if compression else {}))
    for share in (0.02, 0.5, 0.9):
        assert "damaged" in refusal(data[: int(len(data) * share)])


@pytest.mark.parametrize(
    ("image", "pixel"),
    [
        (Image.new("RGBA", (40, 40), (255, 0, 0, 0)), WHITE),
        (Image.new("RGBA", (40, 40), (255, 0, 0, 255)), RED),
        (Image.new("RGBA", (40, 40), (200, 100, 0, 51)), (244, 224, 204)),  # a fifth of it, four fifths of white
        (Image.new("LA", (40, 40), (0, 51)), (204, 204, 204)),
        (Image.new("La", (40, 40), (0, 0)), WHITE),
        (Image.new("RGBa", (40, 40), (0, 0, 0, 0)), WHITE),
        (Image.new("PA", (40, 40), (0, 0)), WHITE),
        (Image.new("L", (40, 40), 7), (7, 7, 7)),
        (Image.new("1", (40, 40), 1), WHITE),
        (Image.new("CMYK", (40, 40), (255, 0, 255, 0)), GREEN),
        (Image.new("P", (40, 40), 3), (0, 0, 0)),
        (Image.new("I;16", (40, 40), 65535), WHITE),
        (Image.new("I;16", (40, 40), 255), (1, 1, 1)),  # dark, not stretched to white: 255 of 65535
        (Image.new("I;16B", (40, 40), 257 * 100), (100, 100, 100)),
        (Image.new("I", (40, 40), 200), (200, 200, 200)),
        (Image.new("I", (40, 40), 257 * 100), (100, 100, 100)),
        (Image.new("I", (40, 40), -5), (0, 0, 0)),
        (Image.new("F", (40, 40), 0.2), (51, 51, 51)),
        (Image.new("F", (40, 40), float("nan")), (0, 0, 0)),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else None,
)
def test_every_colour_mode_becomes_rgb(image, pixel):
    found = load_image(image)
    assert (found.mode, found.getpixel((20, 20))) == ("RGB", pixel)


@pytest.mark.parametrize(("form", "mode"), [("PNG", "I;16"), ("TIFF", "I;16"), ("PPM", "I;16")])
def test_dark_files_of_16_bits_stay_dark(form, mode):
    assert load_image(encode(Image.new(mode, (40, 40), 257), form)).getpixel((20, 20)) == (1, 1, 1)
    assert load_image(encode(Image.new(mode, (40, 40), 200), form)).getpixel((20, 20)) == (1, 1, 1)


@pytest.mark.parametrize("form", ["PNG", "GIF"])
def test_a_transparent_colour_of_a_palette_lies_over_white(form):
    image = Image.new("P", (40, 40), 1)
    image.putpalette([*RED, *GREEN, *BLUE])
    image.paste(2, (0, 0, 20, 40))
    found = load_image(encode(image, form, transparency=1))
    assert (found.getpixel((5, 20)), found.getpixel((35, 20))) == (BLUE, WHITE)


def test_a_transparent_colour_without_a_palette_lies_over_white():
    found = load_image(encode(quarters(STORED[1]), transparency=GREEN))
    assert (found.getpixel((5, 5)), found.getpixel((60, 5))) == (RED, WHITE)


def test_cmyk_jpeg():
    assert (
        np.abs(np.subtract(load_image(encode(Image.new("CMYK", (40, 40), (255, 0, 255, 0)), "JPEG")), GREEN)).max() < 5
    )


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG", "TIFF", "AVIF", "MPO"])
def test_of_several_pictures_the_first_is_taken(form):
    first, *others = (Image.new("RGB", (40, 40), color) for color in (RED, GREEN, BLUE))
    found = load_image(encode(first, form, save_all=True, append_images=others))
    assert np.abs(np.subtract(found.getpixel((20, 20)), RED)).max() < 30


def test_a_png_with_a_huge_text_does_not_fill_the_memory(make_image):
    notes = PngImagePlugin.PngInfo()
    notes.add(b"zTXt", b"note\0\0" + zlib.compress(bytes(300 * 2**20)))  # 300 MiB in 300 KiB
    assert "not a picture that can be read" in refusal(encode(make_image(), pnginfo=notes))
    notes = PngImagePlugin.PngInfo()
    notes.add_text("workflow", "x" * 2**20)  # what picture generators write
    assert load_image(encode(make_image(), pnginfo=notes)).tobytes() == make_image().tobytes()
