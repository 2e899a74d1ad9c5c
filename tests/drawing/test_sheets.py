import numpy as np
from PIL import Image

from virtus.drawing.annotate import TONES
from virtus.drawing.sheets import FRAME_SIDE, GAP, LABEL, _p_colours, draw_growth, draw_heads, draw_lens
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
    assert frame.size == (FRAME_SIDE, FRAME_SIDE // 2)
    assert frame.getpixel((100, 100)) == (0x33, 0x66, 0x99)
    assert frame.getpixel((FRAME_SIDE - 1, 100)) != (0x33, 0x66, 0x99)
