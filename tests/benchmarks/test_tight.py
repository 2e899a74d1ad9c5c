"""What is cut out of a photo to be a face that fills the picture, or none, by hand."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.faces.tight import WholeFace, cut_closer, no_faces, pieces
from virtus.results import Face, Label

MARKS = ((60.0, 80.0), (140.0, 80.0), (100.0, 110.0), (70.0, 140.0), (130.0, 140.0))
FACE = Face((40.0, 30.0, 160.0, 180.0), MARKS, 0.999)
WHOLE = WholeFace(Image.new("RGB", (200, 220)), FACE, Label.REAL)


def test_cut_by_nothing_it_is_the_box():
    assert cut_closer(WHOLE, 0.0, np.random.default_rng(0)).size == (120, 150)


def test_each_side_is_cut_by_at_most_twice_the_mean():
    draw = np.random.default_rng(0)
    sizes = np.array([cut_closer(WHOLE, 0.08, draw).size for _ in range(300)])
    shares = 1 - sizes / (120, 150)  # of both sides together
    assert shares.max() <= 4 * 0.08 + 0.01
    assert shares.mean(axis=0) == pytest.approx([0.16, 0.16], abs=0.01)


def test_what_is_no_face_by_hand():
    boxes = no_faces(WHOLE)
    assert boxes["strips beside and above the face"] == [(0, 0, 40, 220), (160, 0, 200, 220), (0, 0, 200, 30)]
    assert boxes["eyes"] == [pytest.approx((32, 52, 88, 108)), pytest.approx((112, 52, 168, 108))]
    assert boxes["cheeks"] == [pytest.approx((41, 86, 89, 134)), pytest.approx((111, 86, 159, 134))]
    assert boxes["mouths"] == [pytest.approx((64, 104, 136, 176))]
    assert boxes["noses and mouths with the eyes' inner corners"] == [pytest.approx((68, 68, 132, 152))]


def test_pieces_too_small_to_search_do_not_count():
    small = WholeFace(WHOLE.photo, Face((20.0, 30.0, 160.0, 180.0), MARKS, 0.999), Label.REAL)
    assert [piece.size for piece in pieces(small, "strips beside and above the face")] == [(40, 220), (200, 30)]
