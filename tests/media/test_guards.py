"""Files whose tags all claim the same block, which Pillow would copy out for each of them."""

import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from tests.corpus.bombs import endless_directories, many_tiles
from tests.support.pictures import BLOCK, COUNT, encode, greedy_tags, refusal
from virtus.media.guards import MAX_ENTRIES, MAX_STRUCTURES, tags_fit
from virtus.media.images import load_image

pillow_heif.register_heif_opener()


def greedy_tiff(data):
    """A TIFF with a second directory in place of its first: its own tags, and greedy ones."""
    (at,) = struct.unpack_from("<I", data, 4)
    (count,) = struct.unpack_from("<H", data, at)
    made = greedy_tags(own=data[at + 2 : at + 2 + 12 * count], base=len(data) - 8)
    return data[:4] + made[4:8] + data[8:] + made[8:]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF", "HEIF"])
def test_greedy_exif_is_refused_before_it_is_read(kind, order, make_image):
    data = encode(make_image(), kind, exif=b"Exif\0\0" + greedy_tags(order))
    assert "tags (EXIF) claim far more than it holds" in refusal(data)


def test_greedy_exif_behind_a_pointer_is_refused(make_image):
    """Pillow follows it when it writes the EXIF of a turned picture anew."""
    own = struct.pack("<HHII", 0x0112, 3, 1, 6) + struct.pack("<HHII", 0x8769, 4, 1, 8 + 2 + 24 + 4)
    behind = greedy_tags(base=8 + 2 + 24 + 4 - 8)[8:]
    exif = b"II*\0" + struct.pack("<IH", 8, 2) + own + bytes(4) + behind
    assert "tags (EXIF) claim far more than it holds" in refusal(encode(make_image(), exif=b"Exif\0\0" + exif))


def test_a_greedy_tiff_is_refused_before_it_is_read(make_image):
    data = encode(make_image(), "TIFF")
    assert load_image(data).size == (64, 48)
    assert "tags (EXIF) claim far more than it holds" in refusal(greedy_tiff(data))


def test_a_greedy_bigtiff_does_not_fit():
    entries = b"".join(struct.pack("<HHQQ", number, 2, BLOCK, 24 + 20 * COUNT) for number in range(COUNT))
    assert not tags_fit(b"II+\0\x08\0\0\0" + struct.pack("<QQ", 16, COUNT) + entries + b"x" * BLOCK)


def test_a_packed_profile_that_is_too_long_is_left_aside(make_image):
    profile = b"\nexif\n%8d\n%s\n" % (2**17, greedy_tags(block=2**17).hex().encode())
    notes = PngImagePlugin.PngInfo()
    notes.add(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile))
    assert "Raw profile type exif" not in load_image(encode(make_image(), pnginfo=notes)).info


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF", "TIFF"])
def test_honest_tags_fit(kind, make_image):
    exif = Image.Exif()
    exif[0x010E] = "x" * 40_000
    data = encode(make_image(), kind, exif=exif)
    assert tags_fit(data)
    assert load_image(data).size == (64, 48)


def test_more_headers_than_any_file_has_do_not_fit():
    assert tags_fit(b"II*\0" * MAX_STRUCTURES)
    assert not tags_fit(b"II*\0" * (MAX_STRUCTURES + 1))


def test_a_directory_that_lies_beyond_all_numbers_is_no_picture():
    """It raised OverflowError, past all that catches what decoders raise."""
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1) + bytes(64)
    assert "not a picture that can be read" in refusal(data)


def test_more_tiles_than_pictures_have_are_refused():
    """Each takes Pillow some 300 bytes and 4 microseconds: 16 million in a file of 64 MiB."""
    assert load_image(many_tiles(512)).size == (512, 512)
    assert "tags (EXIF) claim far more than it holds" in refusal(many_tiles(600))


def test_more_entries_than_files_have_do_not_fit():
    """A BigTIFF may say that all of it is one directory; a hundred headers may say so of the same."""
    for number in (1, 90):
        assert not tags_fit(endless_directories(number, 20 * (MAX_ENTRIES // number + 2)))
        assert tags_fit(endless_directories(number, 20 * (MAX_ENTRIES // number // 2)))
