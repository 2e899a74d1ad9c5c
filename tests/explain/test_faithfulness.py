import numpy as np
import pytest

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.explain.faithfulness import (
    WIDTHS,
    ChanceTest,
    centre_map,
    describe_faithfulness,
    measure_faithfulness,
    measure_smoothness,
    nearest_width,
    random_maps,
    rank_patches,
)
from virtus.explain.registry import EXPLAINERS, explain
from virtus.faces.find import whole_image
from virtus.results import Explanation, Faithfulness, Label

GRID = (14, 14)
SMOOTH = random_maps(1.4, GRID, num_maps=1, seed=7)[0]


class Counting:
    """p of fake is the share of the `important` patches that can be seen: what it says is known by hand."""

    def __init__(self, important: np.ndarray):
        self.important, self.num_pictures = important.ravel().astype(bool), 0

    def __call__(self, masks: np.ndarray) -> np.ndarray:
        self.num_pictures += len(masks)
        return (~masks[:, self.important]).mean(axis=1)


def measure(judge, heatmap, *, target=Label.FAKE, signed=False, seed=1) -> Faithfulness:
    return ChanceTest(judge, np.shape(heatmap), seed=seed).measure(Explanation("by hand", heatmap, target, signed))


def test_areas_by_hand():
    # 14 patches: one goes in each step. The most relevant is the only one that counts: without it p is 0, with it 1.
    heatmap = np.arange(14.0).reshape(2, 7)[::-1, ::-1]
    found = measure(Counting(heatmap == heatmap.max()), heatmap)
    assert found.deletion == pytest.approx(0.5 / 14)  # 1, then 0: the first trapezoid alone has an area
    assert found.insertion == pytest.approx(13.5 / 14)


def test_areas_of_two_equal_patches_by_hand():
    heatmap = np.arange(14.0).reshape(2, 7)
    found = measure(Counting((heatmap == 13) | (heatmap == 10)), heatmap)
    # deletion: 1, .5 (13 gone), .5, .5, 0 (10 gone), 0, ...; insertion: 0, .5, .5, .5, 1, ...
    assert found.deletion == pytest.approx((0.5 + 3 * 0.5) / 14)
    assert found.insertion == pytest.approx((3 * 0.5 + 10 * 1 + 0.5) / 14)


def test_the_map_of_what_counts_is_better_than_chance_and_its_negative_is_not():
    judge = Counting(0.5 * SMOOTH.std() < SMOOTH)
    right, wrong = measure(judge, SMOOTH), measure(judge, -SMOOTH)
    assert right.p_value == 0.01
    assert wrong.p_value == 1.0
    assert right.better_than_chance
    assert not wrong.better_than_chance
    # The negative deletes what the map inserts.
    assert (wrong.deletion, wrong.insertion) == pytest.approx((right.insertion, right.deletion))


def test_p_counts_the_random_maps_that_do_as_well_and_the_map_itself():
    judge = Counting(SMOOTH > 0)
    heatmap = random_maps(1.4, GRID, num_maps=1, seed=3)[0]
    maps = random_maps(nearest_width(heatmap), GRID, num_maps=50, seed=5)
    test = ChanceTest(judge, GRID, seed=5)
    deletion, insertion = test.areas(np.concatenate([heatmap[None], maps, -maps])).T
    scores = insertion - deletion
    as_good = int((scores[1:100] >= scores[0] - 1e-9).sum())  # of 99: the last negative is left out
    assert 0 < as_good < 99
    assert test.measure(Explanation("by hand", heatmap, Label.FAKE)).p_value == (1 + as_good) / 100


def test_a_map_for_the_other_class_is_held_against_p_of_that_class():
    judge = Counting(SMOOTH > 0)
    fake, real = measure(judge, SMOOTH), measure(judge, -SMOOTH, target=Label.REAL)
    assert real.p_value == fake.p_value == 0.01  # what hides the fake patches first raises p of real
    assert (real.deletion, real.insertion) == pytest.approx((1 - fake.insertion, 1 - fake.deletion))


def test_a_map_that_knows_no_class_speaks_of_the_predicted_one():
    judge = Counting(SMOOTH > 0)
    assert measure(judge, SMOOTH, target=None) == measure(judge, SMOOTH, target=Label.FAKE)

    def other(masks):
        return 1 - judge(masks)

    assert measure(other, SMOOTH, target=None) == measure(other, SMOOTH, target=Label.REAL)
    assert measure(other, SMOOTH, target=None).p_value == 0.01


def test_a_signed_map_is_read_for_the_class_explained():
    judge = Counting(SMOOTH > 0)

    def other(masks):
        return 1 - judge(masks)

    assert measure(judge, SMOOTH, target=None, signed=True).p_value == 0.01
    # Here the patches above 0 speak for real: evidence for fake is the negative.
    assert measure(other, -SMOOTH, target=None, signed=True).p_value == 0.01
    assert measure(other, SMOOTH, target=None, signed=True).p_value == 1.0


def test_the_centre_is_beaten_only_by_maps_that_know_more():
    rows, columns = np.mgrid[-6.5:7.5, -6.5:7.5]
    middle = rows**2 + columns**2 < 16
    inside, aside = -(rows**2 + columns**2), -((rows - 5) ** 2 + columns**2)
    assert not measure(Counting(middle), inside).beats_centre  # it is the centre map itself
    assert measure(Counting(middle), inside).p_value == 0.01
    assert measure(Counting((rows - 5) ** 2 + columns**2 < 9), aside).beats_centre


def test_random_maps_are_judged_once_for_all_maps_as_smooth():
    judge = Counting(SMOOTH > 0)
    test = ChanceTest(judge, GRID, seed=1)
    maps = [Explanation("by hand", one, Label.FAKE) for one in (SMOOTH, SMOOTH[::-1], SMOOTH.T)]
    test.measure(maps[0])
    assert judge.num_pictures == 2 + 26 + 26 + 50 * 26  # unchanged and blurred; the map; the centre; half of the maps
    test.measure(maps[1])
    test.measure(maps[2])
    assert judge.num_pictures == 2 + 26 + 26 + 50 * 26 + 2 * 26


def test_an_empty_map_is_not_tested():
    judge = Counting(SMOOTH > 0)
    found = measure(judge, np.full(GRID, 0.3, np.float32))
    assert (found.p_value, found.num_random, judge.num_pictures) == (1.0, 0, 0)
    assert describe_faithfulness(found) == "the map is empty: there is nothing to read in it"


@pytest.mark.parametrize("kind", ["smooth", "rough", "half empty"])
def test_maps_that_mean_nothing_are_better_than_chance_one_time_in_twenty(kind):
    draw = np.random.default_rng(11)
    rejected = 0
    for number in range(200):
        important = random_maps(2.0, GRID, num_maps=1, seed=1000 + number)[0]
        heatmap = random_maps(draw.uniform(1, 2) if kind == "smooth" else 0.5, GRID, num_maps=1, seed=number)[0]
        heatmap = np.maximum(heatmap, 0) if kind == "half empty" else heatmap
        rejected += measure(Counting(important >= np.quantile(important, 0.8)), heatmap, seed=number).better_than_chance
    assert 1 <= rejected <= 20  # of 200 at 5 %: 10 expected, standard deviation 3.1


# Maps that know nothing of the photo.


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
    heatmap = random_maps(1.0, (14, 14), num_maps=1, seed=0)[0]
    assert measure_smoothness(np.exp(9 * heatmap)) == measure_smoothness(heatmap)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_random_map_is_held_against_those_of_about_its_own_width(width):
    places = [WIDTHS.index(nearest_width(one)) for one in random_maps(width, (14, 14), num_maps=50, seed=1)]
    assert max(abs(place - WIDTHS.index(width)) for place in places) <= 1
    assert np.median(places) == WIDTHS.index(width)


def test_random_maps_are_as_smooth_and_as_strong_at_the_border_as_in_the_middle():
    maps = random_maps(1.4, (14, 14), num_maps=4000, seed=0)
    spread = maps.std(axis=0)
    assert spread.min() > 0.9 * spread.max()
    assert maps.shape == (4000, 14, 14)
    np.testing.assert_array_equal(maps, random_maps(1.4, (14, 14), num_maps=4000, seed=0))


def test_the_centre_map_by_hand():
    assert centre_map((3, 5)).tolist() == [
        [-2, -1.25, -1, -1.25, -2],
        [-1, -0.25, 0, -0.25, -1],
        [-2, -1.25, -1, -1.25, -2],
    ]
    assert centre_map((1, 3)).tolist() == [[-1, 0, -1]]


# With a model.


@pytest.fixture(params=[("vit", "float32"), ("deit", "bfloat16"), ("deit-with-teacher", "float32")])
def detector(request, make_checkpoint):
    kind, precision = request.param
    return Detector(load_checkpoint(str(make_checkpoint(kind=kind)), precision=precision), batch_size=100)


@pytest.fixture
def crop(make_image):
    return whole_image(make_image(48, 48))


def test_any_method_is_measured_and_the_same_photo_gives_the_same_answer(detector, crop):
    state = detector.encode([crop])
    maps = [explain(state, method=method)[0] for method in EXPLAINERS]
    found = measure_faithfulness(detector, crop, maps)
    assert len(found) == len(maps)
    assert found == measure_faithfulness(detector, crop, maps)
    assert found[-1:] == measure_faithfulness(detector, crop, maps[-1:])  # whoever else is asked for
    assert all(0 < one.p_value <= 1 and 0 <= one.deletion <= 1 and 0 <= one.insertion <= 1 for one in found)


def test_batch_size_makes_no_difference(make_checkpoint, crop):
    checkpoint = load_checkpoint(str(make_checkpoint()), precision="float32")
    maps = explain(Detector(checkpoint).encode([crop]))
    one, other = (measure_faithfulness(Detector(checkpoint, batch_size=size), crop, maps)[0] for size in (7, 1000))
    assert one.p_value == other.p_value
    assert (one.deletion, one.insertion) == pytest.approx((other.deletion, other.insertion), abs=1e-6)


def test_another_photo_is_held_against_other_maps(make_checkpoint, make_image, monkeypatch):
    checkpoint = load_checkpoint(str(make_checkpoint()), precision="float32")
    seeds = []
    monkeypatch.setattr(
        "virtus.explain.faithfulness.random_maps",
        lambda *a, seed, **k: seeds.append(seed) or random_maps(*a, seed=seed, **k),
    )
    for number in (1, 2):
        crop = whole_image(make_image(48, 48, seed=number))
        measure_faithfulness(Detector(checkpoint), crop, explain(Detector(checkpoint).encode([crop])))
    assert len(set(seeds) - {0}) == 2  # 0 draws the maps that say how smooth a width makes them


@pytest.mark.parametrize(
    ("p_value", "beats_centre", "sentence"),
    [
        (0.02, True, "better than chance (p=0.02)"),
        (0.05, True, "better than chance (p=0.05)"),
        (0.02, False, "better than chance (p=0.02), but no better than pointing at the centre"),
        (0.06, True, "no better than chance: do not read anything into it"),
        (0.9, False, "no better than chance: do not read anything into it"),
    ],
)
def test_describe_faithfulness(p_value, beats_centre, sentence):
    assert describe_faithfulness(Faithfulness(0.1, 0.9, p_value, beats_centre, 99)) == sentence
