"""Files that would make a decoder copy, count or lay out far more than they hold, and those of programs, which fit."""

import io
import struct
import zlib

import pillow_heif
import pytest
from PIL import Image, PngImagePlugin

from tests.corpus.bombs import endless_directories, many_scans, many_tiles, run_length_bmp
from tests.corpus.heic import LAID_OUT, TILE, laid_out, reference
from tests.corpus.whole import encoded, whole_files
from tests.support.pictures import BLOCK, COUNT, encode, greedy_tags, refusal
from tests.support.provenance_files import png_chunk
from virtus.media.guards import (
    MAX_COMMENT,
    MAX_ENTRIES,
    MAX_LAID_OUT,
    MAX_PARTS,
    MAX_PROFILES,
    MAX_SCANS,
    _exif_of_avif,
    items_fit,
    parts_fit,
    structure_fits,
    tags_fit,
)
from virtus.media.images import MAX_SLOW_PIXELS, load_image

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


@pytest.mark.parametrize("before", [b"\xff\xf0", b"\xff\xc8", b"\xff\xd9", b"\xff\xfe\0\2stray", b"\xff\xe3\0\1"])
def test_greedy_exif_in_pieces_is_found_wherever_pillow_finds_it(before):
    """It joins the segments; and of some markers that say a length, it reads on at once."""
    tags = greedy_tags(block=2**18)
    pieces = [tags[at : at + 60_000] for at in range(0, len(tags), 60_000)]
    segments = b"".join(b"\xff\xe1" + struct.pack(">H", len(piece) + 8) + b"Exif\0\0" + piece for piece in pieces)
    data = jpeg(before + segments)
    assert Image.open(io.BytesIO(data)).getexif()
    assert "tags (EXIF) claim far more than it holds" in refusal(data)


def test_a_greedy_index_of_pictures_is_refused():
    tags = greedy_tags(block=2**15)
    assert "tags (EXIF)" in refusal(jpeg(b"\xff\xe2" + struct.pack(">H", len(tags) + 6) + b"MPF\0" + tags))


def test_greedy_exif_as_a_text_of_a_png_is_refused():
    """Pillow takes a text of this name for EXIF."""
    notes = PngImagePlugin.PngInfo()
    notes.add(b"tEXt", b"exif\0" + greedy_tags(block=2**19))
    assert "tags (EXIF)" in refusal(encoded("PNG", pnginfo=notes))


def test_kinds_that_there_are_not_claim_nothing():
    entries = [(0x9C00, kind, 2**32 - 1, 0) for kind in (0, 14, 15, 17, 99, 65_535)]
    data = b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    assert structure_fits(data + bytes(4))


def test_a_directory_that_lies_beyond_all_numbers_is_no_picture():
    """It raised OverflowError, past all that catches what decoders raise."""
    data = b"II+\0\x08\0\0\0" + struct.pack("<Q", 2**64 - 1) + bytes(64)
    assert "not a picture that can be read" in refusal(data)


def test_more_tiles_than_pictures_have_are_refused():
    """Each takes Pillow some 300 bytes and 4 microseconds: 16 million in a file of 64 MiB."""
    assert load_image(many_tiles(512)).size == (512, 512)
    assert "tags (EXIF) claim far more than it holds" in refusal(many_tiles(600))


def test_more_entries_than_files_have_do_not_fit():
    """A BigTIFF may say that all of it is one directory."""
    assert not tags_fit(endless_directories(1, 20 * (MAX_ENTRIES + 2)))
    assert tags_fit(endless_directories(1, 20 * (MAX_ENTRIES // 2)))


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


TILE_SIDE = 400
NUM_TILES = MAX_LAID_OUT // TILE_SIDE**2  # tiles


@pytest.mark.parametrize("name", ["full.heic", "full.avif"])
def test_the_items_that_programs_write_fit(name):
    assert items_fit(whole_files()[name])
    assert all(items_fit(whole_files()[name][:cut]) for cut in range(0, 900, 7))


@pytest.mark.parametrize("kind", [b"grid", b"iovl"])
def test_a_picture_laid_out_of_others_is_read(kind):
    assert load_image(laid_out(TILE_SIDE, 256, kind=kind)).size == (TILE_SIDE, TILE_SIDE)


@pytest.mark.parametrize("kind", [b"grid", b"iovl"])
def test_one_of_more_pixels_than_any_has_is_refused_before_it_is_decoded(kind):
    assert items_fit(laid_out(TILE_SIDE, NUM_TILES, kind=kind))
    assert "laid out of far more pixels than" in refusal(laid_out(TILE_SIDE, NUM_TILES + 1, kind=kind))


def test_what_is_made_of_what_is_made_of_others_counts_with_all_of_them():
    data = laid_out(TILE_SIDE, 1, references=reference(3, [TILE] * 100) + reference(LAID_OUT, [3] * (NUM_TILES // 100)))
    assert not items_fit(data)  # both count: the one as it is, and as a part of the other
    data = laid_out(
        TILE_SIDE, 1, references=reference(3, [TILE] * 10) + reference(LAID_OUT, [3] * (NUM_TILES // 10 - 1))
    )
    assert items_fit(data)


def test_what_is_made_of_itself_or_without_end_is_refused():
    assert not items_fit(laid_out(TILE_SIDE, 1, references=reference(LAID_OUT, [LAID_OUT])))
    assert not items_fit(laid_out(TILE_SIDE, 1, references=reference(3, [LAID_OUT]) + reference(LAID_OUT, [3])))
    assert not items_fit(laid_out(TILE_SIDE, 1, references=b"".join(reference(n, [n + 1]) for n in range(2, 5000))))


def test_parts_that_do_not_say_their_size_count_as_large():
    assert items_fit(laid_out(TILE_SIDE, 1, references=reference(LAID_OUT, [7] * 4)))
    assert not items_fit(laid_out(TILE_SIDE, 1, references=reference(LAID_OUT, [7] * 5)))


def test_two_lists_of_parts_are_refused():
    data = laid_out(TILE_SIDE, 1)
    at = data.index(b"iref") - 4
    (length,) = struct.unpack_from(">I", data, at)
    meta = data.index(b"meta") - 4
    (whole,) = struct.unpack_from(">I", data, meta)
    twice = data[:at] + data[at : at + length] * 2 + data[at + length :]
    assert items_fit(data)
    assert not items_fit(twice[:meta] + struct.pack(">I", whole + length) + twice[meta + 4 :])


def test_a_plain_picture_of_the_largest_size_fits():
    assert items_fit(encoded("HEIF", Image.new("RGB", (1000, 1000))))


def test_the_exif_of_an_avif_is_what_its_decoder_finds():
    """By a name of Pillow's own: if that moves, nothing would be looked at before Pillow reads it."""
    tags = Image.Exif()
    tags[0x010F] = "Canon"
    assert b"Canon" in _exif_of_avif(encoded("AVIF", exif=tags))
    assert _exif_of_avif(encoded("AVIF")) == _exif_of_avif(b"\0\0\0\x1cftypavif") == b""
