import json
import re

import numpy as np
import pytest
from PIL import Image

from virtus.bundled import ASSETS
from virtus.drawing.annotate import TONES
from virtus.drawing.sheets import (
    CAPTION,
    FRAME_SIDE,
    GAP,
    HEAT,
    LABEL,
    _p_colours,
    draw_growth,
    draw_heads,
    draw_lens,
    save_growth,
)
from virtus.results import Outcome


def test_colours_of_p_by_hand():
    real, white, fake = _p_colours(np.array([[0.0, 0.5, 1.0]], np.float32))[0].tolist()
    assert [f"#{bytes(colour).hex()}" for colour in (real, fake)] == [
        TONES[outcome].colour for outcome in (Outcome.REAL, Outcome.FAKE)
    ]
    assert white == [255, 255, 255]


def test_a_sheet_has_a_cell_for_each_head_where_its_names_say():
    maps = np.zeros((2, 3, 4, 4), np.float32)
    maps[1, 2, 0, 3] = 1  # block 1, head 2: the upper right patch alone
    sheet = np.asarray(draw_heads(maps)).astype(int)
    assert sheet.shape == (18 + 2 * (56 + GAP), LABEL + 3 * (56 + GAP), 3)
    top, left = 18 + 56 + GAP, LABEL + 2 * (56 + GAP)
    cell = sheet[top : top + 56, left : left + 56].sum(axis=2)
    assert (cell[:14, 42:] > 600).all()  # Inferno's end is bright
    assert (cell[14:] < 30).all()
    assert (cell[:, :42] < 30).all()


def test_the_lens_marks_its_points_where_p_is():
    sheet = np.asarray(draw_lens(np.full((2, 4, 4), 0.5, np.float32), np.array([0.0, 1.0]), (0.2, 0.8)))
    xs = [LABEL + 28, LABEL + 60 + 28]
    assert [sheet[y, x].tolist() for x, y in zip(xs, (172 - 16, 16), strict=True)] == [[0x1A, 0x1A, 0x1A]] * 2
    assert (sheet[172 + 18 + 20, LABEL : LABEL + 56] == 255).all()  # patches at 0.5 are white


def test_frames_leave_the_picture_where_the_map_is_low():
    picture = Image.new("RGB", (100, 50), "#336699")
    heatmap = np.zeros((1, 4, 8), np.float32)
    heatmap[0, :, 7] = 1
    (frame,) = draw_growth(picture, heatmap)
    assert frame.size == (FRAME_SIDE, FRAME_SIDE // 2 + CAPTION)  # the number of the block stands under it
    assert frame.getpixel((100, 100)) == (0x33, 0x66, 0x99)
    most, under = np.array(HEAT[-1]), np.array((0x33, 0x66, 0x99))  # in the colours of the tab Explore
    assert frame.getpixel((FRAME_SIDE - 1, 100)) == pytest.approx((most * 230 + under * 25) / 255, abs=1)


def test_the_colours_of_the_film_are_those_of_the_page():
    script = (ASSETS / "scripts" / "explore-drawing.js").read_text(encoding="utf-8")
    colours = json.loads(re.search(r"const HEAT = (\[.*\]);", script)[1])
    assert colours == HEAT.tolist()


def test_a_film_has_a_frame_for_each_block_also_where_maps_are_alike(tmp_path):
    """Of twelve blocks eleven came: two that were alike became one."""
    maps = np.zeros((12, 4, 4), np.float32)
    maps[:, 0, 0] = 1
    save_growth(Image.new("RGB", (50, 50), "#336699"), maps, tmp_path / "film.webp")
    with Image.open(tmp_path / "film.webp") as film:
        assert film.n_frames == 12
