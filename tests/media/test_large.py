"""Photos of more pixels than are decoded as a whole, against the same decoded as a whole."""

import copy
import math
import pickle

import numpy as np
import pytest
from PIL import Image, ImageChops

from tests.support.icc import rgb_profile
from tests.support.pictures import encode, refusal
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.drawing.overlay import overlay_photo
from virtus.faces import find
from virtus.faces.find import crop_face, find_faces
from virtus.judging.photo import analyze_photo
from virtus.media import images
from virtus.media.color import ToSrgb
from virtus.media.images import MAX_PIXELS, load_image
from virtus.media.large import LargePhoto

EXIF_TURNS = range(1, 9)
BOX = (31, 17, 230, 160)  # odd: colour is stored at half size


def turned_exif(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.fixture(scope="module")
def picture():
    noise = np.random.default_rng(0).integers(70, 186, (21, 28, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((301, 207), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), device="cpu"))


def both_ways(data, monkeypatch, held=4.3):
    """A file as a whole, and as large; where fewer bytes a pixel may be `held` than Pillow takes, by its planes."""
    whole = load_image(data)
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    monkeypatch.setattr("virtus.media.large.MAX_HELD", held * math.prod(whole.size))
    large = load_image(data)
    assert isinstance(large, LargePhoto)
    assert (large.size, large.mode, large.info) == (whole.size, "RGB", whole.info)
    return whole, large


def differs(one, other):
    """By so many levels at most."""
    assert one.size == other.size
    return max(high for _, high in ImageChops.difference(one, other).getextrema())


@pytest.mark.parametrize("orientation", EXIF_TURNS)
def test_it_is_as_upright_as_one_decoded_as_a_whole(orientation, picture, monkeypatch):
    data = encode(picture, "JPEG", quality=90, subsampling=2, exif=turned_exif(orientation))
    whole, large = both_ways(data, monkeypatch)
    box = BOX if whole.width > whole.height else (BOX[1], BOX[0], BOX[3], BOX[2])
    assert differs(large.crop(box), whole.crop(box)) <= 4
    gap = {"resample": Image.Resampling.BILINEAR, "reducing_gap": 2.0}
    assert differs(large.resize((70, 50), **gap), whole.resize((70, 50), **gap)) <= 8
    turned = (photo.transpose(Image.Transpose.ROTATE_90) for photo in (large, whole))
    assert differs(*(photo.crop((20, 30, 121, 140)) for photo in turned)) <= 4


@pytest.mark.parametrize(
    ("mode", "options", "most"),
    [
        ("RGB", {"subsampling": 2, "progressive": True}, 3),
        ("RGB", {"subsampling": 1}, 3),
        ("RGB", {"subsampling": 0}, 3),
        ("L", {}, 1),
    ],
)
def test_every_kind_of_jpeg_is_nearly_the_same(mode, options, most, picture, monkeypatch):
    held = 5 if "progressive" in options else 4.3
    whole, large = both_ways(encode(picture.convert(mode), "JPEG", quality=90, **options), monkeypatch, held)
    assert differs(large.crop(BOX), whole.crop(BOX)) <= most
    assert abs(np.mean(np.subtract(large, whole, dtype=float))) < 0.05  # no darker
    assert differs(large, whole) <= most  # all else that Pillow can do goes by all of its pixels
    assert differs(large.crop((-10, -10, 20, 20)), whole.crop((-10, -10, 20, 20))) <= most


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {"subsampling": 2}),
        ("RGB", {"subsampling": 0, "exif": turned_exif(6)}),
        ("RGB", {"keep_rgb": True}),
        ("L", {}),
        ("CMYK", {}),
    ],
)
def test_where_there_is_room_it_is_the_same_to_the_last_bit(mode, options, progressive, picture, monkeypatch):
    """Another decoder's rounding moved p of a small face by 0.03."""
    data = encode(picture.convert(mode), "JPEG", quality=90, progressive=progressive, **options)
    whole, large = both_ways(data, monkeypatch, held=13)
    assert differs(large.crop((31, 17, 130, 160)), whole.crop((31, 17, 130, 160))) == 0
    small = [np.asarray(photo.resize((70, 50), reducing_gap=2.0), float) for photo in (large, whole)]
    assert np.abs(small[0] - small[1]).mean() < 1  # inks are resized before they are made RGB
    assert differs(large, whole) == 0


def test_colours_become_srgb_where_they_are_made(picture, monkeypatch):
    swapped = ToSrgb("RGB", lambda strip: Image.merge("RGB", strip.split()[::-1]))
    monkeypatch.setattr(images, "to_srgb", lambda _image: swapped)
    whole, large = both_ways(encode(picture, "JPEG", subsampling=2), monkeypatch)
    assert differs(large.crop(BOX), whole.crop(BOX)) <= 4


def test_a_mpo_is_its_first_picture(picture, monkeypatch):
    data = encode(picture, "MPO", save_all=True, append_images=[ImageChops.invert(picture)])
    whole, large = both_ways(data, monkeypatch)
    assert differs(large.crop(BOX), whole.crop(BOX)) <= 8


def test_it_takes_less_than_what_is_decoded_as_a_whole():
    photo = load_image(encode(Image.new("L", (12_000, 9_000)), "JPEG"))
    assert (photo.size, photo.num_bytes) == ((12_000, 9_000), 108_000_000)
    assert photo.crop((11_000, 8_000, 11_064, 8_064)).getpixel((5, 5)) == (0, 0, 0)


def test_what_is_still_too_large_is_refused_by_its_pixels(picture, monkeypatch):
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    monkeypatch.setattr("virtus.media.large.MAX_HELD", 5 * 62_307)
    said = "The picture has 301x207 pixels; at most {} are read. Scale it down, or save it as JPEG, not progressive"
    assert refusal(encode(picture, "PNG")).startswith(said.format(1000))
    assert refusal(picture).startswith(said.format(1000))
    slow = {"progressive": True, "subsampling": 0}
    assert refusal(encode(picture, "JPEG", **slow)).startswith(said.format(5 * 62_307 // 9))
    assert refusal(encode(picture.convert("CMYK"), "JPEG", progressive=True)).startswith(
        said.format(int(5 * 62_307 / 12.4))
    )
    whole = encode(picture, "JPEG")
    assert refusal(whole, max_pixels=62_306) == "The picture has 301x207 pixels; at most 62306 are read. Scale it down."
    for mode in ("RGB", "CMYK"):
        whole = encode(picture.convert(mode), "JPEG")
        assert "cut off or damaged" in refusal(whole[: len(whole) // 3])


def test_faces_have_their_place_in_the_photos_own_pixels_and_the_same_p(detector, astronaut, monkeypatch):
    photo = Image.open(astronaut).resize((1536, 1536), Image.Resampling.BICUBIC)
    whole, large = both_ways(encode(photo, "JPEG", quality=95, subsampling=2), monkeypatch)
    reports = [analyze_photo(detector, image, stability=True) for image in (whole, large)]
    assert [report.image_size for report in reports] == [(1536, 1536)] * 2
    faces = [report.faces[0] for report in reports]
    assert np.abs(np.subtract(faces[0].box_xyxy, faces[1].box_xyxy)).max() < 3
    assert abs(faces[0].p_fake - faces[1].p_fake) < 0.02


def test_a_large_face_is_cut_no_larger_than_a_model_needs(astronaut, monkeypatch):
    whole, large = both_ways(encode(Image.open(astronaut), "JPEG", quality=95, subsampling=2), monkeypatch)
    (face,) = find_faces(whole)
    crops = [crop_face(photo, face, margin=1.3) for photo in (whole, large)]
    monkeypatch.setattr(find, "MAX_CUT_SIDE", 64)
    cut = crop_face(large, face, margin=1.3)
    assert crops[0].box_xyxy == crops[1].box_xyxy == cut.box_xyxy
    assert differs(crops[0].image, crops[1].image) <= 8
    assert cut.image.size == (64, 64)
    assert differs(cut.image, crops[0].image.resize((64, 64), Image.Resampling.BICUBIC, reducing_gap=2.0)) <= 12
    assert find.whole_image(large).image.size == (64, 64)
    shown = overlay_photo(large, cut, np.zeros((14, 14)))
    assert shown.size == large.size


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize("form", ["JPEG", "PNG"])
def test_colours_of_more_pixels_than_two_million_are_converted_where_they_are_asked_for(
    form, orientation, picture, monkeypatch
):
    exif = turned_exif(orientation)
    data = encode(picture, form, icc_profile=rgb_profile(), exif=exif)
    whole = load_image(data)
    monkeypatch.setattr(images, "MAX_CONVERTED", 1000)
    asked = load_image(data)
    assert isinstance(asked, LargePhoto)
    assert not isinstance(whole, LargePhoto)
    assert (asked.size, asked.info, asked.num_bytes) == (whole.size, whole.info, 3 * 301 * 207)
    assert differs(asked.crop((31, 17, 130, 160)), whole.crop((31, 17, 130, 160))) == 0
    small = [np.asarray(photo.resize((70, 50)), float) for photo in (asked, whole)]
    assert np.abs(small[0] - small[1]).mean() < 1  # of noise, much of it beyond sRGB's gamut
    assert differs(asked.copy(), whole) == 0
    assert differs(whole, load_image(encode(picture, form, exif=exif))) > 10
    monkeypatch.setattr(images, "MAX_CONVERTED", MAX_PIXELS)
    assert not isinstance(load_image(data), LargePhoto)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_so_are_those_of_grey_photos_and_of_inks(mode, picture, monkeypatch):
    swapped = ToSrgb(mode, lambda strip: ImageChops.invert(strip.convert("RGB")))
    monkeypatch.setattr(images, "to_srgb", lambda _image: swapped)
    data = encode(picture.convert(mode), "TIFF")
    whole = load_image(data)
    monkeypatch.setattr(images, "MAX_CONVERTED", 1000)
    asked = load_image(data)
    assert isinstance(asked, LargePhoto)
    assert differs(asked.crop((31, 17, 130, 160)), whole.crop((31, 17, 130, 160))) == 0
    assert differs(asked, whole) == 0


@pytest.mark.parametrize("orientation", [2, 3, 5, 6, 7, 8])
@pytest.mark.parametrize(
    ("form", "mode", "options", "share"),
    [
        ("JPEG", "RGB", {"subsampling": 2}, 1),
        ("JPEG", "RGB", {"progressive": True}, 1),
        ("JPEG", "CMYK", {}, 1),
        ("JPEG", "L", {}, 1),
        ("JPEG", "RGB", {}, 0.9),
        ("PNG", "RGBA", {}, 1),
        ("WEBP", "RGB", {}, 1),
    ],
)
def test_photos_of_more_pixels_than_two_million_are_turned_where_they_are_asked_for(
    form, mode, options, share, orientation, picture, monkeypatch
):
    data = encode(picture.convert(mode), form, exif=turned_exif(orientation), **options)
    data = data[: int(share * len(data))]
    whole = load_image(data)
    monkeypatch.setattr(images, "MAX_CONVERTED", 1000)
    asked = load_image(data)
    assert isinstance(asked, LargePhoto)
    assert (asked.is_rgb, asked.size, asked.info) == (True, whole.size, whole.info)
    assert differs(asked.crop((31, 17, 130, 160)), whole.crop((31, 17, 130, 160))) == 0
    gap = {"resample": Image.Resampling.BILINEAR, "reducing_gap": 2.0}
    for size in ((60, 41), (50, 50), (32, 90), (200, 190)):
        assert differs(asked.resize(size, **gap), whole.resize(size, **gap)) == 0
    assert differs(asked.copy(), whole) == 0


def test_a_large_face_in_a_turned_photo_is_cut_as_in_an_upright_one(astronaut, monkeypatch):
    picture = Image.open(astronaut)
    stored = picture.transpose(Image.Transpose.ROTATE_90)  # as a camera that was held on its side saves it
    upright, data = load_image(encode(picture, "PNG")), encode(stored, "PNG", exif=turned_exif(6))
    monkeypatch.setattr(images, "MAX_CONVERTED", 1000)
    monkeypatch.setattr(find, "MAX_CUT_SIDE", 64)
    (face,) = find_faces(upright)
    (found,) = find_faces(load_image(data))
    assert face == found
    crops = [crop_face(photo, face, margin=1.3).image for photo in (upright, load_image(data))]
    assert differs(*crops) == 0


def test_what_was_drawn_on_it_or_scaled_in_its_place_counts(picture, monkeypatch):
    _, large = both_ways(encode(picture, "JPEG", quality=90), monkeypatch)
    for anew in (pickle.loads(pickle.dumps(large)), copy.deepcopy(large)):
        assert type(anew) is Image.Image
        assert differs(anew, large.copy()) == 0
    assert large._im is None  # nothing of this was kept
    drawn = large.transpose(Image.Transpose.ROTATE_180)
    drawn.paste((255, 0, 0), (0, 0, 50, 50))
    for part in (drawn.crop((0, 0, 9, 9)), drawn.resize((9, 9), box=(0, 0, 9, 9)), drawn.copy()):
        assert part.getpixel((5, 5)) == (255, 0, 0)
    assert drawn.transpose(Image.Transpose.ROTATE_180).getpixel((300, 206)) == (255, 0, 0)
    large.thumbnail((30, 30))
    assert large.crop((0, 0, *large.size)).size == large.size == (30, 21)
