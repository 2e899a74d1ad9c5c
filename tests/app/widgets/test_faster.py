"""The offer of the fast checkpoint: where it is made, what it says, what it does."""

import pytest

from virtus.app.widgets.faster import offer_faster, take_fast
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint


@pytest.fixture
def base(bundle, make_checkpoint):
    bundle("virtus-base", "virtus-fast", folder=make_checkpoint())
    return Detector(load_checkpoint("virtus-base", device="cpu", precision="float32"))


def test_much_work_by_the_better_one_is_offered_to_the_fast_one(base):
    offer = offer_faster(base, done=10, total=200, seconds=5.5)
    assert offer.visible
    assert offer.value == "All of it takes about 2 min with virtus-base, 20 to 55 s with virtus-fast: take virtus-fast"


@pytest.mark.parametrize(
    ("done", "total", "seconds"), [(0, 200, 0.1), (10, 100, 5.5), (199, 200, 1000.0), (200, 200, 1000.0)]
)
def test_nothing_is_offered_before_anything_is_known_or_where_little_is_left(base, done, total, seconds):
    assert not offer_faster(base, done=done, total=total, seconds=seconds).visible


@pytest.mark.usefixtures("base")
def test_nothing_is_offered_to_who_has_the_fast_one():
    fast = Detector(load_checkpoint("virtus-fast", device="cpu", precision="float32"))
    assert not offer_faster(fast, done=10, total=200, seconds=100.0).visible


def test_a_click_chooses_it_and_takes_the_button_away():
    name, button = take_fast("virtus-base")
    assert (name, button.visible) == ("virtus-fast", False)
