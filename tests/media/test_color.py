"""Colours that a file names, brought to sRGB: values by the standards' formulas, and what is broken or absurd."""

import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.corpus.whole import encoded
from tests.support.icc import (
    ADOBE_RGB,
    DISPLAY_P3,
    SRGB_COLUMNS,
    grey_profile,
    ink_profile,
    rgb_profile,
    with_program,
)
from tests.support.pictures import RED
from tests.support.provenance_files import png_chunk
from virtus.media.color import to_srgb
from virtus.media.color_codes import HLG, PQ, codes_to_srgb
from virtus.media.images import load_image, open_image

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
# Linear light of P3 to that of sRGB, from the columns of both by hand; Adobe's green lies far outside.
P3_TO_SRGB = np.array(((1.2249, -0.2249, 0.0), (-0.0421, 1.0421, 0.0), (-0.0196, -0.0786, 1.0983)))


def srgb_light(level):
    signal = level / 255
    return signal / 12.92 if signal <= 0.04045 else ((signal + 0.055) / 1.055) ** 2.4


def srgb_level(light):
    light = min(max(light, 0), 1)
    return 255 * (light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055)


def p3_as_srgb(pixel):
    return [srgb_level(light) for light in P3_TO_SRGB @ [srgb_light(level) for level in pixel]]


def first_pixel(data):
    return load_image(data).getpixel((20, 20))


def plain(color, mode="RGB"):
    return Image.new(mode, (40, 40), color)


def png(*chunks, color=(200, 120, 90), mode="RGB"):
    data = encoded("PNG", plain(color, mode))
    return data[:33] + b"".join(png_chunk(kind, body) for kind, body in chunks) + data[33:]


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF"])
@pytest.mark.parametrize("pixel", [(200, 120, 90), (60, 130, 70), (128, 128, 128)])
def test_display_p3_in_every_format(form, pixel):
    exact = {"JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    exact |= {key: {"quality": 100} for key in ("AVIF", "HEIF")}
    without = load_image(encoded(form, plain(pixel), **exact.get(form, {}))).getpixel((20, 20))
    found = first_pixel(encoded(form, plain(pixel), icc_profile=rgb_profile(), **exact.get(form, {})))
    assert np.abs(np.subtract(found, p3_as_srgb(without))).max() <= 2


def test_adobe_rgb():
    """Green of 100 in it, by the exponent 2.2 and the columns of both: negative red, 1.0 of green (clipped), blue."""
    profile = rgb_profile(ADOBE_RGB, 563 / 256)
    assert first_pixel(encoded("PNG", plain((0, 255, 0)), icc_profile=profile)) == (0, 255, 0)
    expected = [srgb_level(sum(row)) for row in (np.array([[1.3983, -0.3983, 0], [0, 1, 0], [0, -0.0429, 1.0429]])
                * [(level / 255) ** (563 / 256) for level in (180, 120, 60)])]  # fmt: skip
    found = first_pixel(encoded("PNG", plain((180, 120, 60)), icc_profile=profile))
    assert np.abs(np.subtract(found, expected)).max() <= 2


@pytest.mark.parametrize("mode", ["L", "LA", "1", "I;16"])
def test_a_grey_profile(mode):
    color = {"L": 55, "LA": (55, 255), "1": 1, "I;16": 55 * 257}[mode]
    found = first_pixel(encoded("PNG", plain(color, mode), icc_profile=grey_profile(1.0)))
    expected = 255 if mode == "1" else srgb_level(55 / 255)
    assert np.abs(np.subtract(found, expected)).max() <= 2


@pytest.mark.parametrize(
    ("inks", "lightness"),
    [((0, 0, 0, 0), 100), ((255, 0, 0, 0), 80), ((255, 255, 255, 0), 40), ((255, 255, 255, 255), 0)],
)
def test_a_profile_of_inks(inks, lightness):
    """L* to light is the third power (CIE 1976), and black is fitted to black already."""
    luminance = ((lightness + 16) / 116) ** 3 if lightness > 8 else 0.0
    found = first_pixel(encoded("TIFF", plain(inks, "CMYK"), icc_profile=ink_profile()))
    assert np.abs(np.subtract(found, srgb_level(luminance))).max() <= 3


def test_a_transparent_picture_lies_over_white_after_its_colours_were_brought_to_srgb():
    found = first_pixel(encoded("PNG", plain((200, 120, 90, 51), "RGBA"), icc_profile=rgb_profile()))
    expected = [level * 0.2 + 255 * 0.8 for level in p3_as_srgb((200, 120, 90))]
    assert np.abs(np.subtract(found, expected)).max() <= 2


def test_a_palette_has_colours_too():
    picture = plain(1, "P")
    picture.putpalette([0, 0, 0, 200, 120, 90])
    found = first_pixel(encoded("PNG", picture, icc_profile=rgb_profile()))
    assert np.abs(np.subtract(found, p3_as_srgb((200, 120, 90)))).max() <= 2


def test_a_grey_picture_with_a_profile_of_colours_stays_grey():
    assert len(set(first_pixel(encoded("PNG", plain(90, "L"), icc_profile=rgb_profile(curve=1.8))))) == 1


@pytest.mark.parametrize("profile", [SRGB, rgb_profile(SRGB_COLUMNS)], ids=["lcms", "by-hand"])
def test_what_is_srgb_by_any_name_is_left_as_it_is(profile):
    assert to_srgb(open_image(encoded("PNG", plain(RED), icc_profile=profile))) is None


@pytest.mark.parametrize(
    "profile",
    [
        b"",
        rgb_profile()[:200],
        rgb_profile()[:-40],
        rgb_profile().replace(b"RGB ", b"HSV "),
        rgb_profile().replace(b"acsp", b"none"),
        rgb_profile(curve=60.0),
        rgb_profile(curve=0.02),
        rgb_profile(curve=0.0),
        rgb_profile(((0.4, 0.4, 0.4),) * 3),
        rgb_profile(((0.0, 0.0, 0.0),) * 3),
        rgb_profile(((9.0, 0.1, 0.1), (0.1, 9.0, 0.1), (0.1, 0.1, 0.1))),
        grey_profile(),
        ink_profile(),
        bytes(5 * 2**20),
    ],
    ids=range(14),
)
def test_broken_absurd_and_foreign_profiles_leave_the_pixels(profile, capfd):
    assert first_pixel(encoded("TIFF", plain((200, 120, 90)), icc_profile=profile)) == (200, 120, 90)
    assert capfd.readouterr() == ("", "")


def test_a_profile_that_is_a_program_is_read_without_it():
    """Of 400,000 steps Little CMS would make a table for ten minutes."""
    data = encoded("TIFF", plain((200, 120, 90)), icc_profile=with_program(rgb_profile(), 400_000))
    assert np.abs(np.subtract(first_pixel(data), p3_as_srgb((200, 120, 90)))).max() <= 2


def test_the_picture_that_was_given_is_left_alone():
    picture = plain((200, 120, 90))
    picture.info["icc_profile"] = rgb_profile()
    assert load_image(picture).getpixel((0, 0)) != (200, 120, 90)
    assert picture.getpixel((0, 0)) == (200, 120, 90)


def test_cicp_of_a_png_goes_before_its_profile():
    data = png((b"cICP", bytes((12, 13, 0, 1))), (b"gAMA", struct.pack(">I", 100_000)))
    assert np.abs(np.subtract(first_pixel(data), p3_as_srgb((200, 120, 90)))).max() <= 1
    assert first_pixel(png((b"cICP", bytes((1, 13, 0, 1))), (b"iCCP", b"p\0\0x"))) == (200, 120, 90)


@pytest.mark.parametrize(("gamma", "level"), [(45_455, 90), (46_000, 90), (0, 90), (4_000_000, 90),
                                              (100_000, 160), (55_556, 90.6)])  # fmt: skip
def test_gamma_of_a_png(gamma, level):
    """160 is sRGB's level of 90 / 255 of light; 1 / 1.8 is the exponent of old Macs."""
    expected = srgb_level((90 / 255) ** 1.8) if gamma == 55_556 else level
    assert (
        np.abs(np.subtract(first_pixel(png((b"gAMA", struct.pack(">I", gamma)), color=90, mode="L")), expected)).max()
        <= 1
    )


def test_chromaticities_of_a_png():
    p3 = (31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    data = png((b"gAMA", struct.pack(">I", 45_455)), (b"cHRM", struct.pack(">8I", *p3)))
    assert np.abs(np.subtract(first_pixel(data), p3_as_srgb((200, 120, 90)))).max() <= 1
    for absurd in ((0,) * 8, (31270, 32900) + (30000, 30000) * 3, (2**32 - 1,) * 8):
        assert first_pixel(png((b"cHRM", struct.pack(">8I", *absurd)))) == (200, 120, 90)
    said = png((b"sRGB", b"\0"), (b"cHRM", struct.pack(">8I", *p3)))
    assert first_pixel(said) == (200, 120, 90)


@pytest.mark.parametrize("form", ["HEIF", "AVIF"])
def test_nclx_of_a_heic_and_an_avif(form):
    options = (
        {"save_nclx_profile": True, "color_primaries": 1, "transfer_characteristics": 13} if form == "HEIF" else {}
    )
    data = encoded(form, plain((200, 120, 90)), quality=100, **options)
    codes = b"nclx" + struct.pack(">HH", 1, 13)
    assert codes in data
    without = first_pixel(data)
    found = first_pixel(data.replace(codes, b"nclx" + struct.pack(">HH", 12, 13)))
    assert np.abs(np.subtract(found, p3_as_srgb(without))).max() <= 2


def grey(signal):
    return np.full((1, 1, 3), round(signal * 65535), np.uint16)


@pytest.mark.parametrize(
    ("transfer", "signal", "nits"),
    [(PQ, 0.5081, 100), (PQ, 0.2997, 10), (PQ, 0.1500, 1.0), (PQ, 0.4401, 50), (HLG, 0.5, 50.7), (HLG, 0.38, 26.2)],
)
def test_the_light_of_hlg_and_pq(transfer, signal, nits):
    """Of BT.2408, figure 1, and BT.2100: white is 203 cd/m2; HLG on a screen of 1000 with the exponent 1.2."""
    assert np.abs(codes_to_srgb(grey(signal), 9, transfer).astype(int) - srgb_level(nits / 203)).max() <= 1


def test_white_is_nearly_white_and_what_is_brighter_keeps_its_order():
    for transfer, white in ((PQ, 0.5806), (HLG, 0.75)):
        levels = [int(codes_to_srgb(grey(signal), 9, transfer)[0, 0, 0]) for signal in (white, white + 0.1, 1.0)]
        assert 248 <= levels[0] < levels[1] <= levels[2] <= 255


def test_colours_of_bt2020_keep_their_hue():
    """sRGB's pure red in BT.2020 (BT.2087, table 4: 0.6274, 0.0691, 0.0164 of light) at half of white."""
    light = 0.5 * np.array((0.6274, 0.0691, 0.0164)) * 203 / 10_000
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    signal = ((c1 + c2 * light**m1) / (1 + c3 * light**m1)) ** m2
    found = codes_to_srgb((signal * 65535).round().astype(np.uint16)[None], 9, PQ)[0]
    assert np.abs(found - [srgb_level(0.5), 0, 0]).max() <= 2


def test_p3_primaries_by_code_and_by_profile_agree():
    colors = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    by_profile = load_image(encoded("PNG", Image.fromarray(colors), icc_profile=rgb_profile(DISPLAY_P3)))
    assert np.abs(np.asarray(by_profile).astype(int) - codes_to_srgb(colors, 12, 13)).max() <= 3
