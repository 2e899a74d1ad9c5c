"""Files of very many parts, each of which costs a decoder far more than its bytes."""

import struct

import pytest
from PIL import Image

from tests.corpus.bombs import many_scans, run_length_bmp
from tests.corpus.whole import encoded, whole_files
from tests.support.pictures import refusal
from tests.support.provenance_files import png_chunk
from virtus.media.file_parts import MAX_COMMENT, MAX_PARTS, MAX_PROFILES, MAX_SCANS, parts_fit
from virtus.media.images import MAX_SLOW_PIXELS, load_image

COLOURS = 13 + 3 * 256  # bytes of a GIF before its first block


def png(*chunks):
    data = encoded("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def gif(blocks):
    data = encoded("GIF")
    return data[:COLOURS] + blocks + data[COLOURS:]


def jpeg(parts):
    data = encoded("JPEG")
    return data[:2] + parts + data[2:]


def comment(size):
    whole, rest = divmod(size, 255)
    return b"!\xfe" + (b"\xff" + b"a" * 255) * whole + bytes([rest]) + b"a" * rest + bytes(1 if rest else 0)


@pytest.mark.parametrize("name", whole_files())
def test_what_programs_write_fits(name):
    assert parts_fit(whole_files()[name])
    assert min(load_image(whole_files()[name]).size) == 120


def test_as_many_parts_as_may_be_are_read():
    assert load_image(png(png_chunk(b"vpAg", b"") * (MAX_PARTS - 10))).size == (120, 144)
    assert load_image(png(png_chunk(b"iCCP", b"icc\0\0") * MAX_PROFILES)).size == (120, 144)
    assert load_image(gif(comment(MAX_COMMENT))).size == (120, 144)
    assert load_image(jpeg(b"\xff\xfe\0\2" * (MAX_PARTS - 100))).size == (120, 144)
    assert load_image(many_scans(MAX_SCANS - 10)).size == (2000, 2000)


@pytest.mark.parametrize(
    "data",
    [
        png(png_chunk(b"vpAg", b"") * MAX_PARTS),
        png(png_chunk(b"iCCP", b"icc\0\0") * (MAX_PROFILES + 1)),
        gif(comment(MAX_COMMENT + 1)),
        gif(comment(MAX_COMMENT // 2) + comment(MAX_COMMENT // 2 + 1)),
        gif(b"!\xff" + b"\1a" * MAX_PARTS + b"\0"),
        gif(b"!\xff\0" * MAX_PARTS),
        gif(b"a" * MAX_PARTS),
        jpeg(b"\xff\xfe\0\2" * MAX_PARTS),
        jpeg(b"\xff" * MAX_PARTS),
        jpeg(b"\xff\xd8" * MAX_PARTS),
        jpeg(b"a" * MAX_PARTS),
        b"\xff\xd8" + b"a" * 2 * MAX_PARTS,
        many_scans(MAX_SCANS + 1),
        b"P3 40 40 255\n" + b"1 2 3 " * 1600,
        b"P1 64 64\n" + b"#\n" * 10 + b"1 " * 4096,
        b"P6 64 #" + b"a" * 5000 + b"\n64 255\n" + bytes(64 * 64 * 3),
    ],
    ids=range(16),
)
def test_more_are_refused_before_a_decoder_sees_them(data):
    assert refusal(data) == "The file is made of far more parts than a picture needs, or of text. Save it anew, as PNG."


def test_a_scan_within_a_thumbnail_or_behind_the_end_is_none_of_the_picture():
    thumbnails = b"\xff\xe1" + struct.pack(">H", 60_000) + b"\xff\xda" * 29_999
    assert parts_fit(jpeg(thumbnails))
    assert parts_fit(encoded("JPEG") + b"\xff\xda\0\2" * MAX_SCANS * 2)


def test_what_is_decoded_slowly_may_be_less_large():
    side = int(MAX_SLOW_PIXELS**0.5)
    assert "at most 4 million are read" in refusal(run_length_bmp(side + 1))
    assert "at most 4 million are read" in refusal(b"P5 %d %d 254\n" % (side + 1, side) + bytes(side * (side + 1)))
    assert load_image(b"P5 %d %d 255\n" % (side + 1, side) + bytes(side * (side + 1))).size == (side + 1, side)
    assert load_image(b"P5 100 100 254\n" + bytes([127]) * 10_000).getpixel((50, 50)) == (128, 128, 128)
    assert load_image(encoded("BMP", Image.new("RGB", (side + 1, side)))).size == (side + 1, side)
