"""The events of the tab `Compare` that come while others are under way, as a page sends them."""

import pytest

from tests.support.pages import Held, Page, answer_late, is_unchanged, upload
from virtus.app.compare import callbacks


@pytest.fixture(scope="module")
def client(make_checkpoint, serve_here):
    return serve_here(str(make_checkpoint()), str(make_checkpoint(own={"margin": 2.0})))


@pytest.fixture
def page(client, photos):
    """One that shows a comparison of two faces."""
    page = Page(client)
    page.set("compare-photo", upload(client, photos["two.png"]))
    page.fire("show_comparison")
    page.set("compare-face", 0)
    return page


LATER = [
    ("show_comparison", {"compare_photo": None}),
    ("show_comparison", {"compare_models": []}),
    ("choose_compared", {"compare_face": 1}),
    ("map_method", {"compare_method": "rollout"}),
]


@pytest.mark.parametrize(("event", "changed"), LATER)
def test_maps_of_an_earlier_question_are_not_shown_after_the_answer_to_a_later_one(page, monkeypatch, event, changed):
    """The cards of a photo that was taken away stood under "Your comparison appears here", for good."""
    held = Held(callbacks._draw_map)
    monkeypatch.setattr(callbacks, "_draw_map", held)
    late, _ = answer_late(page, held, "map_compared", event, **changed)
    assert is_unchanged(*late)


def test_where_nothing_can_be_drawn_the_cards_are_said_anew(client, page, photos):
    """Those of an earlier photo stayed where they had come late."""
    assert page.fire("map_compared")[0].count("</article>") == 3
    page.set("compare-photo", upload(client, photos["none.png"]))
    cards, caption = page.fire("map_compared")
    assert "</article>" not in cards
    assert caption == ""
    page.set("compare-models", [])
    assert page.fire("map_compared") == ["", ""]
    page.set("compare-photo", None)
    assert page.fire("map_compared") == ["", ""]
