"""The tab `Explore` on a phone and a tablet, in chromium: fingers, what is in sight together, nothing that scrolls
sideways."""

import re

import pytest

from tests.support.explorer import at, canvas, open_explore, said

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture
def on_a_phone(browser, server, photos):
    """The tab with a photo of one face, in a page as wide as a phone that takes fingers."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(server.url)
    open_explore(page, photos["one.jpg"])
    yield page
    context.close()


def test_on_a_phone_a_finger_explores_and_nothing_scrolls_sideways(on_a_phone, fits):
    page = on_a_phone
    assert fits(page)
    where = canvas(page)
    x, y = at(where, 0.5 / 14, 1.5 / 14)
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    x, y = at(where, 2.5 / 14, 1.5 / 14)
    touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    playwright.expect(where).to_have_attribute("data-drawn", re.compile("^block 11 mean from 16 "))
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    face, let_go = where.bounding_box(), page.get_by_role("button", name="Let go of the patch")
    assert let_go.bounding_box()["y"] - face["y"] - face["height"] < 150  # and not below all that is said of it


def test_on_a_phone_the_page_scrolls_over_the_face_of_which_a_tap_is_enough(on_a_phone):
    page = on_a_phone
    page.get_by_text("What each patch would say by itself").tap()
    x, y = at(canvas(page, "lens"), 0.5, 0.5)
    before = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    for step in range(10):
        points = [{"x": x, "y": y - 15 * (step + 1)}]
        touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("(before) => scrollY > before + 100", arg=before)


def test_on_a_phone_playing_brings_the_face_into_view(on_a_phone):
    """Of a page of its own: chromium drops a tap that comes while a finger's last move still coasts."""
    page = on_a_phone
    page.get_by_text("More ways to look").scroll_into_view_if_needed()
    page.evaluate("document.querySelector('#explore .play').scrollIntoView({ block: 'start' })")
    page.get_by_role("button", name="Play all blocks").tap()
    playwright.expect(page.locator("#explore canvas[data-part=look]")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Pause").tap()


def test_on_a_phone_heads_are_as_wide_as_a_finger_and_the_brush_answers_under_the_face(on_a_phone, fits):
    """Twelve heads stood in 20 pixels each; and a list of parts between the face and what the brush brought about."""
    page = on_a_phone
    widths = page.locator("#explore .tile").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert min(widths) >= 40
    playwright.expect(page.get_by_text("More heads stand to the right")).to_be_hidden()
    page.evaluate("document.querySelector('#explore .tiles').style.setProperty('--narrow', 12)")  # as in virtus-base
    widths = page.locator("#explore .tile").evaluate_all("all => all.map((one) => one.offsetWidth)")
    assert min(widths) >= 40
    assert fits(page)  # they scroll within their box
    playwright.expect(page.get_by_text("More heads stand to the right")).to_be_visible()
    page.locator("#explore .rub .try").click()
    page.get_by_role("button", name="See all parts").tap()
    where = canvas(page, "rub")
    for part in page.locator("#explore .tried li").all():  # the face and all of its parts at once
        playwright.expect(part).to_be_in_viewport(ratio=0.99)
        playwright.expect(where).to_be_in_viewport(ratio=0.99)
        assert part.bounding_box()["y"] >= where.bounding_box()["y"] + where.bounding_box()["height"]
    before = where.bounding_box()
    page.touchscreen.tap(*at(where, 0.5, 0.5))
    playwright.expect(said(page, "rub")).to_contain_text("Without 4 of 196")
    for seen in (where, said(page, "rub"), page.locator("#explore .rub .bar"), page.get_by_role("button", name="Undo")):
        playwright.expect(seen).to_be_in_viewport(ratio=0.99)
    assert where.bounding_box() == pytest.approx(before, abs=1)  # the finger may go on
    of_whole = page.get_by_text("Tried on the whole face")
    playwright.expect(of_whole).to_be_visible()
    page.get_by_role("button", name="Undo").tap()
    playwright.expect(of_whole).to_be_hidden()


def test_on_a_tablet_bars_have_a_length_and_numbers_stay_in_their_card(visit, photos):
    """Between 760 and 1,000 pixels the numbers took all of the room, and more."""
    page = open_explore(visit(width=820, height=1180), photos["one.jpg"])
    page.locator("#explore .short .try").click()
    page.get_by_role("button", name="See all parts").wait_for()
    card = page.locator("#explore .rub").bounding_box()
    for row in page.locator("#explore .tried li").all():
        assert row.locator("i").bounding_box()["width"] > 80
        for part in row.locator("b, small").all():
            box = part.bounding_box()
            assert box["x"] + box["width"] < card["x"] + card["width"]
