"""The events of the tab `Compare` that come while others are under way, as a page sends them."""

import pytest

from tests.support.pages import UNCHANGED, Held, Page, answer_late, is_unchanged, upload
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


def test_the_list_shows_the_face_that_is_compared(page, monkeypatch):
    """The comparison, which came first where the face had to wait for it, had moved the list."""
    held = Held(callbacks.view.headline)
    monkeypatch.setattr(callbacks.view, "headline", held)
    _, shown = answer_late(page, held, "show_comparison", "choose_compared", compare_face=1)
    headline, cards, annotated, face, maps = shown
    assert "Face 2 of 2" in headline
    assert cards.count("</article>") == 3
    assert face == UNCHANGED | {"value": 1}
    assert is_unchanged(annotated, maps)


def test_the_list_is_left_to_what_is_clicked_next(page):
    """An answer that moved it back lost the click that came meanwhile."""
    page.set("compare-face", 1)
    headline, _, annotated, face, maps = page.fire("choose_compared")
    assert "Face 2 of 2" in headline
    assert is_unchanged(annotated, face, maps)


@pytest.mark.parametrize("name", ["one.jpg", "none.png", "text.jpg", None])
def test_a_face_that_the_next_photo_lacks_is_answered_by_its_comparison(client, page, photos, name):
    """A click on the list before that was there ended in an IndexError."""
    page.set("compare-photo", name and upload(client, photos[name]))
    page.set("compare-face", 1)
    answer = page.fire("choose_compared")
    page.set("compare-face", None)
    assert answer == page.fire("show_comparison")


def test_a_face_that_comes_late_does_not_come_back_after_its_photo_was_taken_away(page, monkeypatch):
    held = Held(callbacks.view.headline)
    monkeypatch.setattr(callbacks.view, "headline", held)
    late, answer = answer_late(page, held, "choose_compared", "show_comparison", compare_photo=None)
    assert "Your comparison appears here" in answer[0]
    assert is_unchanged(*late)
