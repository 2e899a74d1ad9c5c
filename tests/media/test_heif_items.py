"""HEIC and AVIF whose pictures are laid out of others: as phones do it, and as bombs do."""

import struct

import pytest
from PIL import Image

from tests.corpus.heic import LAID_OUT, TILE, laid_out, reference
from tests.corpus.whole import encoded, whole_files
from tests.support.pictures import refusal
from virtus.media.heif_items import MAX_LAID_OUT, items_fit
from virtus.media.images import load_image

SIDE = 400
FIT = MAX_LAID_OUT // SIDE**2  # tiles


@pytest.mark.parametrize("name", ["full.heic", "full.avif"])
def test_what_programs_write_fits(name):
    assert items_fit(whole_files()[name])
    assert all(items_fit(whole_files()[name][:cut]) for cut in range(0, 900, 7))


@pytest.mark.parametrize("kind", [b"grid", b"iovl"])
def test_a_picture_laid_out_of_others_is_read(kind):
    assert load_image(laid_out(SIDE, 256, kind=kind)).size == (SIDE, SIDE)


@pytest.mark.parametrize("kind", [b"grid", b"iovl"])
def test_one_of_more_pixels_than_any_has_is_refused_before_it_is_decoded(kind):
    assert items_fit(laid_out(SIDE, FIT, kind=kind))
    assert "far more parts than a picture needs" in refusal(laid_out(SIDE, FIT + 1, kind=kind))


def test_what_is_made_of_what_is_made_of_others_counts_with_all_of_them():
    data = laid_out(SIDE, 1, references=reference(3, [TILE] * 100) + reference(LAID_OUT, [3] * (FIT // 100)))
    assert not items_fit(data)  # both count: the one as it is, and as a part of the other
    data = laid_out(SIDE, 1, references=reference(3, [TILE] * 10) + reference(LAID_OUT, [3] * (FIT // 10 - 1)))
    assert items_fit(data)


def test_what_is_made_of_itself_or_without_end_is_refused():
    assert not items_fit(laid_out(SIDE, 1, references=reference(LAID_OUT, [LAID_OUT])))
    assert not items_fit(laid_out(SIDE, 1, references=reference(3, [LAID_OUT]) + reference(LAID_OUT, [3])))
    assert not items_fit(laid_out(SIDE, 1, references=b"".join(reference(n, [n + 1]) for n in range(2, 5000))))


def test_parts_that_do_not_say_their_size_count_as_large():
    assert items_fit(laid_out(SIDE, 1, references=reference(LAID_OUT, [7] * 4)))
    assert not items_fit(laid_out(SIDE, 1, references=reference(LAID_OUT, [7] * 5)))


def test_two_lists_of_parts_are_refused():
    data = laid_out(SIDE, 1)
    at = data.index(b"iref") - 4
    (length,) = struct.unpack_from(">I", data, at)
    meta = data.index(b"meta") - 4
    (whole,) = struct.unpack_from(">I", data, meta)
    twice = data[:at] + data[at : at + length] * 2 + data[at + length :]
    assert items_fit(data)
    assert not items_fit(twice[:meta] + struct.pack(">I", whole + length) + twice[meta + 4 :])


def test_a_plain_picture_of_the_largest_size_fits():
    assert items_fit(encoded("HEIF", Image.new("RGB", (1000, 1000))))
