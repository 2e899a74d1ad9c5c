"""The tab `Explore` as a visitor sees it, in chromium."""

import re

import pytest
from PIL import Image

from tests.support.explorer import OWN, P, at, canvas, names_of, open_explore, said
from virtus.bundled import ASSETS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def as_at_first(page):
    look = page.locator("#explore .look")
    look.locator("details.more").evaluate("(more) => { more.open = true; }")
    for words in ("where it looks", "one block"):
        look.get_by_text(words, exact=True).click()
    look.locator(".slide.block input").fill("12")
    look.locator(".slide.head input").fill("0")
    page.mouse.move(5, 5)
    playwright.expect(canvas(page)).to_have_attribute("data-drawn", re.compile("^block 11 mean from verdict"))


def test_without_a_photo_it_says_what_to_do(visit):
    page = visit(tab="Explore")
    page.get_by_role("button", name="Open the tab Analyze").click()
    playwright.expect(page.locator("#photo")).to_be_visible()


def test_pointer_keys_and_sliders_draw_without_a_request(opened):
    page = opened
    where = canvas(page)
    drawn = playwright.expect(where)
    drawn.to_have_attribute("data-drawn", re.compile("^block 11 mean from verdict"))
    playwright.expect(said(page, "look")).to_contain_text("For the verdict, block 12 looks most at")
    playwright.expect(page.locator("#explore .look .aside")).to_contain_text("goes to the class token, which is no")
    playwright.expect(page.locator("#explore .slide.head input")).to_be_hidden()  # what experts ask for is folded away
    page.get_by_text("More ways to look").click()
    requests = []
    page.on("request", lambda request: requests.append(request))
    for step in range(30):
        page.mouse.move(*at(where, 0.05 + 0.03 * step, 0.3))
    page.mouse.move(*at(where, 0.5 / 14, 1.5 / 14))
    drawn.to_have_attribute("data-drawn", re.compile("^block 11 mean from 14 "))
    playwright.expect(said(page, "look")).to_contain_text("(row 2, column 1)")
    playwright.expect(page.locator("#explore .look .live")).to_contain_text("looks most at")
    page.mouse.down()
    page.mouse.up()
    page.mouse.move(5, 5)
    drawn.to_have_attribute("data-drawn", re.compile("^block 11 mean from 14 "))  # it is held
    where.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("PageUp")
    drawn.to_have_attribute("data-drawn", re.compile("^block 10 mean from 1"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    drawn.to_have_attribute("data-drawn", re.compile("from verdict"))
    page.locator("#explore .slide.head input").focus()
    page.keyboard.press("ArrowRight")
    drawn.to_have_attribute("data-drawn", re.compile("^block 10 0 from verdict"))
    page.locator("#explore .look").get_by_text("all blocks up to it").click()
    page.locator("#explore .look").get_by_text("who looks at it").click()
    drawn.to_have_attribute("data-drawn", re.compile("^rollout 10 0 to verdict"))
    page.get_by_role("button", name="Play all blocks").click()
    drawn.to_have_attribute("data-drawn", re.compile("^rollout 3 "))
    page.get_by_role("button", name="Pause").click()
    page.locator("#explore .look").get_by_text("one block", exact=True).click()
    page.get_by_role("button", name="Play all blocks").click()
    drawn.to_have_attribute("data-drawn", re.compile("^rollout 0 "))
    drawn.to_have_attribute("data-drawn", re.compile("^block 11 "))  # it ends, and is as it was
    playwright.expect(page.get_by_role("button", name="Play all blocks")).to_be_visible()
    as_at_first(page)
    assert [name for name in names_of(page, requests) if OWN.search(name)] == []


def test_a_head_is_chosen_from_all_and_they_are_sorted(opened):
    page = opened
    tiles = page.locator("#explore .tile")
    playwright.expect(tiles).to_have_count(36)
    tiles.nth(4).click()  # of block 2 the second
    playwright.expect(canvas(page)).to_have_attribute("data-drawn", re.compile("^block 1 1 from verdict"))
    playwright.expect(tiles.nth(4)).to_have_attribute("aria-pressed", "true")
    tiles.nth(4).focus()
    page.keyboard.press("ArrowRight")
    playwright.expect(tiles.nth(5)).to_be_focused()
    assert tiles.evaluate_all("all => all.map((one) => one.tabIndex)").count(0) == 1  # not 36 steps to what follows
    page.locator("#explore .heads").get_by_text("nearest first").click()
    titles = tiles.evaluate_all("all => all.map((one) => one.title)")
    distances = [float(re.search(r"looks (\d+\.\d) patches", title)[1]) for title in titles]
    assert distances == sorted(distances)
    page.locator("#explore .heads").get_by_text("blocks", exact=True).click()
    as_at_first(page)


def test_the_lens_ends_at_the_verdict(opened):
    page = opened
    steps = page.locator("#explore .strip button")
    playwright.expect(steps).to_have_count(13)
    told = page.locator("#explore .lens .live").inner_text()
    playwright.expect(page.locator("#explore .short-lens")).to_have_text(told)
    last = P.search(told)[1]
    whole = P.search(page.locator("#explore .whose-said").inner_text())[1]
    assert last == whole  # by as many digits: 0.006 stood beside 0.01
    playwright.expect(steps.first).to_be_hidden()  # what single patches say is easily taken for the verdict's reasons
    page.get_by_text("What each patch would say by itself").click()
    steps.nth(3).click()
    playwright.expect(page.locator("#explore .block-said")).to_contain_text("After block 3 the verdict stands at")
    playwright.expect(page.locator("#explore .lens")).to_contain_text("Only the end of the line is the verdict")
    numbers = page.locator("#explore .chart text")
    assert numbers.all_text_contents() == ["start", *map(str, range(1, 13))]
    dots = page.locator("#explore .chart circle")
    for number, dot in zip(numbers.all(), dots.all(), strict=True):  # each stands under its own
        box, point = number.bounding_box(), dot.bounding_box()
        assert box["x"] + box["width"] / 2 == pytest.approx(point["x"] + point["width"] / 2, abs=2)
        assert box["y"] > point["y"] + point["height"]
    page.mouse.move(*at(canvas(page, "lens"), 0.5 / 14, 1.5 / 14))
    playwright.expect(page.locator("#explore .patch-said")).to_contain_text("(row 2, column 1) says p = ")


def test_of_a_large_model_blocks_come_when_they_are_looked_at(visit, photos):
    """Its heads stayed empty, and could not be sorted."""
    page = visit(tab="Analyze")
    script = (ASSETS / "scripts" / "explore.js").read_text(encoding="utf-8")
    assert "12 * 2 ** 20" in script
    page.route("**/explore.js", lambda route: route.fulfill(body=script.replace("12 * 2 ** 20", "0")))
    open_explore(page, photos["one.jpg"], blocks=1)
    page.locator("#explore .tiles").scroll_into_view_if_needed()
    page.locator("#explore .heads").get_by_text("nearest first").click()
    page.locator("#explore .explorer[data-blocks='12']").wait_for(timeout=120_000)
    titles = page.locator("#explore .tile").evaluate_all("all => all.map((one) => one.title)")
    distances = [float(re.search(r"looks (\d+\.\d) patches", title)[1]) for title in titles]
    assert distances == sorted(distances)


def test_a_view_is_saved_as_png(opened, tmp_path):
    page = opened
    with page.expect_download() as download:
        page.get_by_role("button", name="Save this view as PNG").click()
    download.value.save_as(tmp_path / "view.png")
    with Image.open(tmp_path / "view.png") as view:
        assert view.format == "PNG"
        assert min(view.size) > 100
    playwright.expect(page.locator("#explore .python")).to_contain_text('virtus.explore("photo.jpg", face=')


def test_faces_side_by_side_stand_in_line_and_share_pointer_and_sliders(opened, photos, fits):
    page = opened
    playwright.expect(page.locator("#explore-face label")).to_have_count(2)
    playwright.expect(page.locator("#explore-kind")).to_be_hidden()  # the answers come first
    page.get_by_role("button", name="Two side by side").click()
    page.locator("#explore-kind").get_by_text("another face", exact=True).click()
    page.locator("#explore-beside .explorer[data-blocks='12']").wait_for(timeout=120_000)
    first, other = canvas(page), canvas(page, pane="explore-beside")
    page.mouse.move(*at(first, 0.5 / 14, 1.5 / 14))
    playwright.expect(other).to_have_attribute("data-drawn", re.compile("^block 11 mean from 14 "))
    page.locator("#explore-beside .slide.block input").fill("3")
    playwright.expect(first).to_have_attribute("data-drawn", re.compile("^block 2 mean "))
    in_line(page)
    page.locator("#explore-kind").get_by_text("another photo", exact=True).click()
    page.locator("#explore-photo input[type=file]").set_input_files(str(photos["one.jpg"]))
    playwright.expect(page.locator("#explore-beside-face")).to_have_count(0)  # it has one face, the other photo two
    page.locator("#explore-beside .explorer[data-blocks='12']").wait_for(timeout=120_000)
    in_line(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#explore-beside .explorer.tiny").wait_for()
    assert fits(page)
    in_line(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.locator("#explore-kind").get_by_text("nothing", exact=True).click()
    playwright.expect(page.locator("#explore-beside .explorer")).to_have_count(0)
    as_at_first(page)


def in_line(page):
    """Of two panes each part begins where the other's does, and neither covers the other."""
    for part in ("whose", "look", "lens", "rub", "heads"):
        one, other = (page.locator(f"#{pane} .{part}").bounding_box() for pane in ("explore", "explore-beside"))
        assert one["y"] == pytest.approx(other["y"], abs=1)
        assert one["x"] + one["width"] < other["x"]


def test_on_a_phone_a_finger_explores_and_nothing_scrolls_sideways(browser, server, photos, fits):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce")
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(server.url)
    open_explore(page, photos["one.jpg"])
    assert fits(page)
    where = canvas(page)
    x, y = at(where, 0.5 / 14, 1.5 / 14)
    touch = context.new_cdp_session(page)
    touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    x, y = at(where, 2.5 / 14, 1.5 / 14)
    touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x, "y": y}]})
    playwright.expect(where).to_have_attribute("data-drawn", re.compile("^block 11 mean from 16 "))
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    context.close()


def test_nothing_of_the_face_stays_in_the_browser(opened):
    stores = "[sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length]"
    assert opened.evaluate(f"async () => {stores}") == [0, 0, 0]
