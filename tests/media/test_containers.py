"""The reader of container formats: parts counted by hand, damaged files, and files cut off anywhere."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.corpus.whole import whole_files
from tests.support.provenance_files import png_chunk
from virtus.media.containers import (
    FORMATS,
    Part,
    TiffEntry,
    boxes,
    gif_application,
    gif_blocks,
    jpeg_segments,
    jpeg_structures,
    mime_of,
    parts_of,
    png_chunks,
    riff_chunks,
    tiff_entries,
    tiff_value,
)


def test_jpeg_segments_pixels_and_what_stands_between():
    data = b"\xff\xd8" + b"\xff\xfe\0\4ab" + b"stray\xff" + b"\xff\xda\0\2" + b"pixels\xff\0\xff\xd0" + b"\xff\xd9"
    assert list(jpeg_segments(data)) == [
        Part(b"\xd8", 0, 2, 2),
        Part(b"\xfe", 2, 6, 8),
        Part(b"\xda", 14, 18, 18),
        Part(b"scan", 18, 18, 28),
        Part(b"\xd9", 28, 30, 30),
        Part(b"", 30, 30, 30),
    ]


def test_the_structures_of_a_jpeg_end_where_its_pixels_begin():
    def segment(kind, body):
        return b"\xff" + kind + struct.pack(">H", len(body) + 2) + body

    head = b"\xff\xd8" + segment(b"\xe1", b"Exif\0\0ab") + segment(b"\xe2", b"MPF\0old") + segment(b"\xe2", b"ICC")
    head += b"\xff\xd9" + segment(b"\xe1", b"Exif\0\0cd") + segment(b"\xe2", b"MPF\0new")
    assert jpeg_structures(head + b"\xff\xda\0\2" + segment(b"\xe1", b"Exif\0\0ef")) == (b"abcd", b"new")


def test_png_chunks_and_one_that_claims_more_than_the_file():
    data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"tEXt", b"abc") + struct.pack(">I", 99) + b"IDATx"
    assert list(png_chunks(data)) == [Part(b"tEXt", 8, 16, 19), Part(b"IDAT", 23, 31, 130)]


def test_riff_chunks_are_padded_to_even_lengths():
    data = b"RIFF\0\0\0\0WEBP" + b"VP8 \3\0\0\0abc\0" + b"EXIF\1\0\0\0x\0"
    assert [data[part.start : part.end] for part in riff_chunks(data)] == [b"abc", b"x"]


def test_boxes_of_all_kinds_of_length_and_those_within_one():
    inner = struct.pack(">I4s", 9, b"ispe") + b"y"
    data = struct.pack(">I4s", 17, b"ipco") + inner + struct.pack(">I4sQ", 1, b"uuid", 18) + b"ab"
    data += struct.pack(">I4s", 0, b"mdat") + b"rest"
    assert [(part.kind, data[part.start : part.end]) for part in boxes(data)] == [
        (b"ipco", inner), (b"uuid", b"ab"), (b"mdat", b"rest"),
    ]  # fmt: skip
    assert list(boxes(data, 8, 17)) == [Part(b"ispe", 8, 16, 17)]


def test_gif_blocks_end_at_the_first_picture_and_applications_are_found_behind_it():
    head = b"GIF89a" + bytes(7)
    data = head + b"!\xfe\2ab\1c\0" + b"," + bytes(9) + b"!\xff\x0bXMP DataXMPpacket"
    assert list(gif_blocks(data)) == [
        Part(b"GIF", 0, 0, 13),
        Part(b"!", 13, 15, 15),
        Part(b"\xfe", 15, 16, 18),
        Part(b"\xfe", 18, 19, 20),
        Part(b",", 21, 21, 21),
    ]
    assert data[gif_application(data, b"XMP DataXMP") :] == b"packet"
    assert gif_application(data, b"C2PA_GIF") is None


@pytest.mark.parametrize("order", "<>")
def test_tiff_entries_of_the_first_directory_and_of_those_it_points_to(order):
    header = b"II*\0" if order == "<" else b"MM\0*"
    entries = [(0x010F, 2, 3, int.from_bytes(b"ab\0\0", "little" if order == "<" else "big")), (0x8769, 4, 1, 38)]
    data = header + struct.pack(order + "I", 8)
    data += struct.pack(order + "H", 2) + b"".join(struct.pack(order + "HHII", *entry) for entry in entries) + bytes(4)
    data += struct.pack(order + "HHHII", 1, 0x9286, 7, 6, 56) + bytes(4) + b"comment"
    first, pointer, comment = tiff_entries(data)
    assert [first, pointer, comment] == [*(TiffEntry(*entry) for entry in entries), TiffEntry(0x9286, 7, 6, 56)]
    assert (tiff_value(data, first, 99), tiff_value(data, comment, 99)) == (b"ab\0", b"commen")
    assert tiff_value(data, comment, 3) == b"com"
    assert list(tiff_entries(b"x" + data, 1)) == [first, pointer, comment]


def test_the_mime_types_of_what_programs_write():
    mimes = {name: mime_of(data) for name, data in whole_files().items()}
    assert set(FORMATS) == set(mimes.values()) - {""}
    assert {name for name, mime in mimes.items() if not mime} == {"plain.bmp", "plain.ppm"}


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(st.sampled_from(sorted(whole_files())), st.integers(0, 3000), st.binary(max_size=12))
def test_nothing_raises_and_no_part_begins_beyond_the_file(name, at, damage):
    data = whole_files()[name]
    for hurt in (data[:at], data[:at] + damage + data[at + len(damage) :], damage):
        for reader in (parts_of, jpeg_segments, png_chunks, riff_chunks, boxes, gif_blocks):
            assert all(0 <= part.at <= min(part.start, len(hurt)) for part in reader(hurt))
        for structure in (hurt, *jpeg_structures(hurt)):
            assert all(len(tiff_value(structure, entry, 50)) <= 50 for entry in tiff_entries(structure))
