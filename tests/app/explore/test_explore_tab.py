"""The tab `Explore` as a visitor sees it, in chromium."""

import re

import numpy as np
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


def test_without_a_face_it_leads_back_to_the_tab_that_can_judge_the_whole_image(visit, photos):
    page = visit(tab="Analyze")
    page.locator(".drop-zone:visible input[type=file]").set_input_files(str(photos["none.png"]))
    playwright.expect(page.locator("#verdict")).to_contain_text("No face")
    page.get_by_role("tab", name="Explore", exact=True).click()
    playwright.expect(page.locator("#explore-note")).to_contain_text("judge the whole image")
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
    playwright.expect(canvas(page)).to_have_attribute("data-drawn", re.compile("^block 2 mean "))
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
    as_at_first(page)


def test_the_dot_of_the_lens_and_the_block_that_is_looked_at_are_one(opened):
    """A click on a dot left the slider where it was, and blocks that were played left the dot."""
    page = opened
    block, dot = page.locator("#explore .slide.block input"), page.locator("#explore .chart circle.chosen")
    page.locator("#explore .chart circle[data-block='5']").click()
    playwright.expect(block).to_have_value("5")
    playwright.expect(page.locator("#explore .slide.block output")).to_have_text("5 of 12")
    block.fill("9")
    playwright.expect(dot).to_have_attribute("data-block", "9")
    page.locator("#explore .chart circle[data-block='0']").click()  # before the first block there is no attention
    playwright.expect(dot).to_have_attribute("data-block", "0")
    playwright.expect(block).to_have_value("9")
    page.get_by_role("button", name="Play all blocks").click()
    playwright.expect(dot).to_have_attribute("data-block", re.compile(r"^([2-9]|1[01])$"))
    playwright.expect(page.get_by_role("button", name="Play all blocks")).to_be_visible()  # it ends at the last one
    playwright.expect(dot).to_have_attribute("data-block", "12")
    as_at_first(page)


def test_dots_of_the_lens_are_reached_by_the_keyboard(opened):
    """They were by the pointer alone."""
    page = opened
    chart, dot = page.get_by_role("slider", name="Block after which"), page.locator("#explore .chart circle.chosen")
    chart.focus()
    for key, block in (
        ("ArrowLeft", 11),
        ("Home", 0),
        ("ArrowDown", 0),
        ("ArrowRight", 1),
        ("End", 12),
        ("ArrowUp", 12),
    ):
        page.keyboard.press(key)
        playwright.expect(dot).to_have_attribute("data-block", str(block))
        playwright.expect(chart).to_have_attribute("aria-valuenow", str(block))
    assert chart.get_attribute("aria-valuemax") == "12"
    words = chart.get_attribute("aria-valuetext")
    assert words.startswith("After block 12: p ")
    assert words.split("p ")[1].split(",")[0] == P.search(page.locator("#explore .whose-said").inner_text())[1]
    as_at_first(page)


def test_the_bar_of_what_is_fetched_goes_when_all_is_there(visit, photos):
    """It stayed where a block was asked for again while it was on its way."""
    page, held = visit(tab="Analyze"), []
    last = "bytes=0-"  # they come from the last block to the first
    page.route(
        "**/attention.bin",
        lambda route: held.append(route) if last in route.request.headers["range"] else route.continue_(),
    )
    open_explore(page, photos["one.jpg"], blocks=11)
    bar = page.locator("#explore .fetching")
    playwright.expect(bar).to_be_visible()
    below = "document.querySelector('#explore .look').offsetTop"
    top = page.evaluate(below)
    page.locator("#explore .slide.block input").fill("1")
    held[0].continue_()
    page.locator("#explore .explorer[data-blocks='12']").wait_for()
    playwright.expect(bar).to_be_hidden()
    assert page.evaluate(below) == top  # and nothing moves by that


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
    assert download.value.suggested_filename == "virtus-block-12-of-12-mean-from-verdict.png"  # as on the page
    download.value.save_as(tmp_path / "view.png")
    with Image.open(tmp_path / "view.png") as view:
        assert view.format == "PNG"
        assert view.width >= 896
        under = np.asarray(view.convert("L"))[view.width :]  # the face is a square
    lines = (under[:, :40] < 128).any(axis=1)  # where words begin
    assert np.count_nonzero(np.diff(lines.astype(int)) == 1) >= 4  # the legend, what is shown, which block, the verdict


def test_what_is_saved_says_what_it_shows(opened):
    words = """([span, heads, held]) => {
        const explorer = { attention: { blocks: 12, heads: 3 }, face: { grid: [14, 14], reads: "the class token",
            title: "Face 1 of 2 · Fake: 91 %", p_fake: 0.909, model: "virtus-fast" } };
        explorer.nameOf = () => "nose (row 2, column 1)";
        const state = { span, heads, held, block: 4, direction: "from" };
        return [viewName(explorer, state), ...viewWords(explorer, state)];
    }"""
    page = opened.context.new_page()
    for script in ("arrays", "saving"):
        page.add_script_tag(content=(ASSETS / "scripts" / f"explore-{script}.js").read_text(encoding="utf-8"))
    verdict = "Face 1 of 2 · Fake: 91 % · p of fake = 0.909 · by virtus-fast"
    assert page.evaluate(words, ["block", 1, 14]) == [
        "virtus-block-5-of-12-head-2-from-row-2-column-1.png",
        "Where the patch at nose (row 2, column 1) looks",
        "Block 5 of 12, head 2 of 3",
        verdict,
    ]
    assert page.evaluate(words, ["rollout", "max", None]) == [
        "virtus-blocks-1-to-5-of-12-max-from-verdict.png",
        "Where the class token looks",
        "Blocks 1 to 5 of 12 together (attention rollout), the most of all heads",
        verdict,
    ]
    page.close()


def test_the_line_of_python_is_there(opened):
    page = opened
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
    playwright.expect(other).to_have_attribute("data-drawn", re.compile("^block 2 mean "))  # it began with the last one
    in_line(page)
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#explore-beside .explorer.tiny").wait_for()
    assert page.locator("#explore .look .legend i").bounding_box()["width"] > 100  # it had none of the room
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


def test_nothing_of_the_face_stays_in_the_browser(opened):
    stores = "[sessionStorage.length, (await indexedDB.databases()).length, (await caches.keys()).length]"
    assert opened.evaluate(f"async () => {stores}") == [0, 0, 0]
