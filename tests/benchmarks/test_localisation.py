import dataclasses

import numpy as np
import pytest

import virtus
from benchmarks.explanations.forgeries import share_on_grid
from benchmarks.explanations.measures import iou_at_area, pointing_hit, rank_correlation, relevance_share
from virtus.results import Face

SHARE = np.array([[1.0, 0.5], [0.25, 0.0]], np.float32)  # the two upper patches count as inside


def grid(*values):
    return np.array(values, np.float32).reshape(2, 2)


@pytest.mark.parametrize(
    ("heatmap", "hit"),
    [
        (grid(0, 3, 2, 1), 1),
        (grid(1, 2, 3, 0), 0),
        (grid(-4, -1, -3, -2), 1),
        (grid(0, 5, 5, 5), 1 / 3),
        (grid(0, 0, 0, 0), 0.5),
    ],
)
def test_the_pointing_game(heatmap, hit):
    assert pointing_hit(heatmap, SHARE) == pytest.approx(hit)


def test_relevance_inside_goes_by_area_and_leaves_out_what_speaks_against():
    assert relevance_share(grid(1, 2, 4, 1), SHARE) == pytest.approx((1 + 1 + 1) / 8)
    assert relevance_share(grid(1, -2, -4, 1), SHARE) == pytest.approx(1 / 2)
    assert np.isnan(relevance_share(grid(0, -2, 0, -1), SHARE))


def test_the_overlap_is_taken_at_the_size_of_the_region():
    assert iou_at_area(grid(9, 8, 1, 2), SHARE) == 1
    assert iou_at_area(grid(9, 1, 8, 2), SHARE) == pytest.approx(1 / 3)
    assert iou_at_area(grid(0, 1, 8, 9), SHARE) == 0
    assert np.isnan(iou_at_area(grid(9, 8, 1, 2), 0.4 * SHARE))


def test_likeness_goes_by_ranks_of_either_sign():
    assert rank_correlation(grid(1, 2, 3, 4), grid(1, 4, 9, 16)) == pytest.approx(1)
    assert rank_correlation(grid(1, 2, 3, 4), grid(4, 3, 2, 1)) == pytest.approx(1)
    assert rank_correlation(grid(1, 2, 3, 4), grid(2, 1, 4, 3)) == pytest.approx(0.6)  # rho = 1 - 6 * 4 / (4 * 15)
    assert rank_correlation(grid(1, 2, 3, 4), grid(5, 5, 5, 5)) == 0


@pytest.mark.parametrize(("turns", "expected"), [(0, (0, 3)), (1, (0, 0))])
def test_a_region_goes_the_way_of_the_pixels(make_checkpoint, turns, expected):
    checkpoint = dataclasses.replace(virtus.load_checkpoint(str(make_checkpoint())), margin=1.0)
    face = Face((40.0, 20.0, 72.0, 52.0), ((0.0, 0.0),) * 5, 1.0, turns)
    region = np.zeros((60, 100), bool)
    region[20:28, 64:72] = True  # the crop's upper right patch of 4 x 4, upper left once turned counter-clockwise
    share = share_on_grid(region, face, checkpoint)
    assert share.shape == (4, 4)
    assert share[expected] == pytest.approx(1)
    assert share.sum() == pytest.approx(1)


def test_a_patch_that_is_half_inside_counts_half(make_checkpoint):
    checkpoint = dataclasses.replace(virtus.load_checkpoint(str(make_checkpoint())), margin=1.0)
    region = np.zeros((32, 32), bool)
    region[:4, :8] = True
    share = share_on_grid(region, Face((0.0, 0.0, 32.0, 32.0), ((0.0, 0.0),) * 5, 1.0), checkpoint)
    assert share[0].tolist() == pytest.approx([0.5, 0, 0, 0])
