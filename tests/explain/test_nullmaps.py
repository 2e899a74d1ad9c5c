import numpy as np
import pytest

from virtus.explain.nullmaps import (
    WIDTHS,
    centre_map,
    measure_smoothness,
    nearest_width,
    random_maps,
    rank_patches,
    smoothing_matrix,
)


def test_ranks_begin_with_the_most_relevant():
    assert rank_patches(np.array([[0.1, 0.9], [-3.0, 0.5]])).tolist() == [[2, 0], [3, 1]]


def test_equal_patches_are_not_ranked_in_reading_order_but_always_alike():
    heatmap = np.zeros((14, 14))
    heatmap[7, 7] = 1
    ranks = rank_patches(heatmap)
    assert ranks[7, 7] == 0
    assert sorted(ranks.ravel()) == list(range(196))
    assert abs(np.corrcoef(ranks.ravel(), np.arange(196))[0, 1]) < 0.3
    np.testing.assert_array_equal(ranks, rank_patches(5 * heatmap))


def test_smoothness_by_hand():
    # ranks 3, 2, 1, 0 less their mean: 1.5, .5, -.5, -1.5, variance 1.25; neighbours multiply to .75, -.25, .75
    assert measure_smoothness(np.array([[1.0, 2.0, 3.0, 4.0]])) == pytest.approx((0.75 - 0.25 + 0.75) / 3 / 1.25)
    assert measure_smoothness(np.array([[1.0], [2.0], [3.0], [4.0]])) == pytest.approx(1.25 / 3 / 1.25)


def test_only_the_order_of_a_map_counts():
    heatmap = random_maps(1.0, (14, 14), count=1, seed=0)[0]
    assert measure_smoothness(np.exp(9 * heatmap)) == measure_smoothness(heatmap)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_random_map_is_held_against_those_of_about_its_own_width(width):
    places = [WIDTHS.index(nearest_width(one)) for one in random_maps(width, (14, 14), count=50, seed=1)]
    assert max(abs(place - WIDTHS.index(width)) for place in places) <= 1
    assert np.median(places) == WIDTHS.index(width)


def test_random_maps_are_as_smooth_and_as_strong_at_the_border_as_in_the_middle():
    maps = random_maps(1.4, (14, 14), count=4000, seed=0)
    spread = maps.std(axis=0)
    assert spread.min() > 0.9 * spread.max()
    assert maps.shape == (4000, 14, 14)
    np.testing.assert_array_equal(maps, random_maps(1.4, (14, 14), count=4000, seed=0))


def test_the_centre_map_by_hand():
    assert centre_map((3, 5)).tolist() == [
        [-2, -1.25, -1, -1.25, -2],
        [-1, -0.25, 0, -0.25, -1],
        [-2, -1.25, -1, -1.25, -2],
    ]
    assert centre_map((1, 3)).tolist() == [[-1, 0, -1]]


def test_smoothing_keeps_what_is_even_and_spreads_a_point():
    matrix = smoothing_matrix(9, 1.0)
    np.testing.assert_allclose(matrix @ np.ones(9), 1)
    point = matrix @ np.eye(9)[4]
    assert point[3] / point[4] == pytest.approx(np.exp(-0.5), rel=1e-3)  # up to the cut ends
    np.testing.assert_array_equal(smoothing_matrix(4, 0.0), np.eye(4))
