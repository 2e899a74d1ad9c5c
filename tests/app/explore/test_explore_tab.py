"""The tab `Explore` as a visitor sees it, in chromium."""

import re

import pytest
from PIL import Image

from virtus.bundled import ASSETS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
OWN = re.compile("explore|open_face|gradio_api/file")  # Analyze goes on with its maps meanwhile
GREY = (124, 116, 104)  # on which the input of virtus-fast is centred
P = re.compile(r"p = (\d\.\d+)")


def open_explore(page, photo, blocks=12):
    """A photo in Analyze, then the tab Explore with all attention there."""
    page.locator(".drop-zone:visible input[type=file]").set_input_files(str(photo))
    page.locator("#verdict .verdict").wait_for()
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator(f"#explore .explorer[data-blocks='{blocks}']").wait_for(timeout=120_000)
    return page


@pytest.fixture(scope="module")
def opened(browser, server, photos):
    """A page with two faces, the larger open, that all tests share: what they change they take back."""
    context, errors = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce"), []
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda one: errors.append(one.text) if "Content Security Policy" in one.text else None)
    page.goto(server.url)
    yield open_explore(page, photos["two.png"])
    context.close()
    assert errors == []


def canvas(page, part="look", pane="explore"):
    found = page.locator(f"#{pane} canvas[data-part={part}]")
    found.scroll_into_view_if_needed()
    return found


def at(where, x, y):
    """Of a point of a canvas, as shares of its sides, the place on the page."""
    box = where.bounding_box()
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def as_at_first(page):
    look = page.locator("#explore .look")
    for words in ("where it looks", "one block"):
        look.get_by_text(words, exact=True).click()
    look.locator(".slide.block input").fill("12")
    look.locator(".slide.head input").fill("0")
    page.mouse.move(5, 5)
    playwright.expect(canvas(page)).to_have_attribute("data-drawn", re.compile("^block 11 mean from verdict"))


def names_of(page, requests):
    """Of the events that were asked for, and the paths of other requests, but for those of their answers."""
    events = dict(page.evaluate("gradio_config.dependencies.map((event) => [event.id, event.api_name])"))
    asked = [events[one.post_data_json["fn_index"]] for one in requests if one.url.find("/queue/join") > 0]
    return asked + [one.url for one in requests if "/queue/" not in one.url and "/heartbeat" not in one.url]


def said(page, part):
    return page.locator(f"#explore .{part} .said")


def test_without_a_photo_it_says_what_to_do(visit):
    page = visit(tab="Explore")
    page.get_by_role("button", name="Open the tab Analyze").click()
    playwright.expect(page.locator("#photo")).to_be_visible()


def test_pointer_keys_and_sliders_draw_without_a_request(opened):
    page = opened
    where = canvas(page)
    drawn = playwright.expect(where)
    drawn.to_have_attribute("data-drawn", re.compile("^block 11 mean from verdict"))
    playwright.expect(said(page, "look")).to_contain_text("For the verdict")
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
    last = P.search(said(page, "lens").inner_text())[1]
    whole = P.search(page.locator("#explore .whose-said").inner_text())[1]
    assert float(last) == pytest.approx(float(whole), abs=0.006)
    playwright.expect(steps.first).to_be_hidden()  # what single patches say is easily taken for the verdict's reasons
    page.get_by_text("What each patch would say by itself").click()
    steps.nth(3).click()
    playwright.expect(page.locator("#explore .block-said")).to_contain_text("After block 3 the verdict stands at")
    playwright.expect(page.locator("#explore .lens")).to_contain_text("not a second verdict")
    page.mouse.move(*at(canvas(page, "lens"), 0.5 / 14, 1.5 / 14))
    playwright.expect(page.locator("#explore .patch-said")).to_contain_text("(row 2, column 1) says p = ")


def test_what_is_rubbed_out_changes_the_verdict_and_comes_back(opened):
    page = opened
    where, told = canvas(page, "rub"), playwright.expect(said(page, "rub"))
    told.to_contain_text("As it is")
    before = P.search(said(page, "rub").inner_text())[1]
    page.mouse.move(*at(where, 0.3, 0.4))
    page.mouse.down()
    page.mouse.move(*at(where, 0.7, 0.4), steps=12)
    page.mouse.up()
    told.to_contain_text("Without")
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    count = int(re.search(r"Without (\d+) of 196", said(page, "rub").inner_text())[1])
    page.get_by_role("button", name="Invert").click()
    told.to_contain_text(f"Without {196 - count} of 196")
    for _ in range(2):
        page.get_by_role("button", name="Undo").click()
    told.to_contain_text("As it is: ")
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    assert P.search(said(page, "rub").inner_text())[1] == before
    where.focus()
    page.keyboard.press("Enter")
    told.to_contain_text("Without 4 of 196")
    page.get_by_role("button", name="Keep only this part").click()
    told.to_contain_text("Without 192 of 196")
    shown = {fill: corner_with(page, fill) for fill in ("a blur", "grey", "nothing at all")}
    assert shown["grey"] == pytest.approx(GREY, abs=3)  # JPEG
    assert len(set(shown.values())) == 3
    told.to_contain_text("Without 192 of 196")
    page.get_by_role("button", name="Reset").click()
    told.to_contain_text("As it is")


def corner_with(page, fill):
    """The colour in the corner of the face, which is rubbed out, replaced in that way."""
    page.locator("#explore .rub .choice.fill").get_by_text(fill, exact=True).click()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    read = "(one) => [...one.getContext('2d').getImageData(3, 3, 1, 1).data].slice(0, 3)"
    return tuple(canvas(page, "rub").evaluate(read))


def test_the_brush_asks_one_question_at_a_time_beside_the_queue(opened):
    page = opened
    where, asked, waiting, most = canvas(page, "rub"), [], set(), []

    def begins(request):
        asked.append(request)
        waiting.add(request)
        most.append(len([one for one in waiting if one.url.endswith("/gradio_api/erase")]))

    page.on("request", begins)
    page.on("requestfinished", lambda request: waiting.discard(request))
    page.mouse.move(*at(where, 0.1, 0.6))
    page.mouse.down()
    page.mouse.move(*at(where, 0.9, 0.6), steps=40)
    page.mouse.up()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)
    strokes = [request.post_data_json["gone"] for request in asked if request.url.endswith("/gradio_api/erase")]
    count = int(re.search(r"Without (\d+) of 196", said(page, "rub").inner_text())[1])
    assert max(most) == 1
    assert strokes[-1].count("1") == count  # the last answer is to what is shown
    assert len(strokes) > 1  # and some came on the way
    assert [name for name in names_of(page, asked) if OWN.search(name) and "/erase" not in name] == []
    page.remove_listener("request", begins)
    page.get_by_role("button", name="Reset").click()
    playwright.expect(page.locator("#explore .rub.busy")).to_have_count(0)


def test_each_part_is_tried_and_the_one_that_counts_most_is_named(opened):
    page = opened
    short, kept = page.locator("#explore .short"), page.locator("#explore .rub .try")
    playwright.expect(short).to_contain_text(re.compile("In the last block most at .* for how large these parts are"))
    playwright.expect(short).to_contain_text(said(page, "lens").inner_text())
    asked = []
    page.on("request", lambda request: asked.append(request))
    short.get_by_role("button", name="Try each part in turn").click()
    playwright.expect(kept).to_be_disabled()
    told, rows = page.locator("#explore .tried-said"), page.locator("#explore .tried li")
    playwright.expect(told).to_contain_text(re.compile("depends most on|count about the same|No clear|No part decides"))
    playwright.expect(short).to_contain_text(told.inner_text())
    playwright.expect(kept).to_be_enabled()
    changes = [abs(float(words.replace("−", "-"))) for words in rows.locator("b").all_inner_texts()]
    assert len(changes) > 5
    tried = [one.post_data_json for one in asked if one.url.endswith("/gradio_api/erase")]
    assert len({one["gone"] for one in tried}) == len(changes)
    assert [one["fill"] for one in tried] == ["blur", "grey"] * len(changes)  # a blur alone may look forged
    short.get_by_role("button", name="See all parts").click()
    playwright.expect(told).to_be_in_viewport()
    assert changes == sorted(changes, reverse=True)
    playwright.expect(said(page, "rub")).to_contain_text("As it is")  # nothing is rubbed out by that


def test_the_least_that_turns_the_verdict_is_searched_step_by_step_and_can_be_stopped(opened):
    page = opened
    search, found = (
        page.get_by_role("button", name="Find the least that changes the verdict"),
        page.locator(".flip-said"),
    )
    click = "(button) => [button.click(), document.querySelector('#explore .rub .choice.fill').disabled]"
    assert search.evaluate(click)[1]  # its p is of what stands in for patches now
    page.get_by_role("button", name="Stop", exact=True).click()  # at once: it may be over in a second
    playwright.expect(found).to_contain_text("Stopped on the way")
    search.click()
    playwright.expect(found).to_contain_text(re.compile(r"Searched|can be spared|No set"), timeout=120_000)
    playwright.expect(search).to_be_visible(timeout=120_000)
    playwright.expect(page.locator("#explore .rub .choice.fill")).to_be_enabled()
    for _ in range(2):  # both searches: the first may have taken a step before it was stopped
        page.get_by_role("button", name="Undo").click()
    playwright.expect(said(page, "rub")).to_contain_text("As it is")


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
