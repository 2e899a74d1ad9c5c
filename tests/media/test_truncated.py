"""JPEGs that are cut off: read to the last whole row, refused with fewer than two thirds of them."""

import numpy as np
import pytest
from PIL import Image, ImageChops, ImageStat

from tests.corpus.whole import encoded, photo
from tests.support.pictures import refusal
from virtus.media import images
from virtus.media.images import load_image
from virtus.media.large import LargePhoto
from virtus.media.truncated import READABLE


def noise(mode="RGB", size=(200, 240)):
    """Every row takes about as many bytes as any other."""
    shape = (size[1], size[0], {"L": 1, "RGB": 3, "CMYK": 4}[mode])
    pixels = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    return Image.fromarray(pixels[:, :, 0] if mode == "L" else pixels, mode)


@pytest.mark.parametrize("share", [0.75, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize(
    ("mode", "options"),
    [("RGB", {}), ("RGB", {"subsampling": 0}), ("RGB", {"restart_marker_rows": 1}), ("L", {}), ("CMYK", {})],
)
def test_the_rows_that_are_there_are_those_of_the_whole_picture(mode, options, share):
    data = encoded("JPEG", noise(mode), quality=90, **options)
    whole, found = load_image(data), load_image(data[: int(share * len(data))])
    assert share - 0.16 < found.height / whole.height < share  # two rows of blocks, and the last of its colours
    assert found.info[READABLE] == found.height / whole.height
    assert found.tobytes() == whole.crop((0, 0, whole.width, found.height)).tobytes()
    assert load_image(found).info == found.info


@pytest.mark.parametrize("share", [0.05, 0.4, 0.6])
def test_fewer_than_two_thirds_are_refused(share):
    data = encoded("JPEG", noise(), quality=90)
    assert refusal(data[: int(share * len(data))]).startswith("The picture is cut off or damaged.")


def test_a_progressive_one_is_refused():
    """It is whole and blurred: its last bytes are what a detector looks at."""
    data = encoded("JPEG", noise(), quality=90, progressive=True)
    assert READABLE not in load_image(data).info
    assert refusal(data[:-20]).startswith("The picture is cut off or damaged.")


def test_it_is_turned_after_it_was_cut():
    tags = Image.Exif()
    tags[0x0112] = 6
    data = encoded("JPEG", noise(), quality=90, exif=tags)
    whole, found = load_image(data), load_image(data[: int(0.9 * len(data))])
    assert found.height == whole.height
    left = whole.width - found.width
    assert found.tobytes() == whole.crop((left, 0, whole.width, whole.height)).tobytes()


def test_what_is_left_may_be_too_little():
    data = encoded("JPEG", noise(size=(400, 40)), quality=95)
    assert "each side needs at least 32" in refusal(data[: int(0.95 * len(data))])


def test_a_black_end_is_no_missing_one():
    picture = noise()
    picture.paste("black", (0, 200, 200, 240))
    assert load_image(encoded("JPEG", picture)).info.keys() == {"jpeg_quality"}


def test_whoever_hands_in_an_opened_picture_gets_pillows_error(tmp_path):
    (tmp_path / "a.jpg").write_bytes(encoded("JPEG", photo())[:-200])
    with Image.open(tmp_path / "a.jpg") as opened:
        assert "cut off" in refusal(opened)


def test_a_large_photo_is_cut_as_others_are(monkeypatch):
    data = encoded("JPEG", noise(), quality=90)
    data = data[: int(0.9 * len(data))]
    whole = load_image(data)
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    large = load_image(data)
    assert isinstance(large, LargePhoto)
    assert abs(whole.height - large.height) <= 16
    assert large.info[READABLE] == large.height / 240
    box = (20, 30, 90, min(whole.height, large.height))
    assert max(ImageStat.Stat(ImageChops.difference(large.crop(box), whole.crop(box))).mean) < 6
