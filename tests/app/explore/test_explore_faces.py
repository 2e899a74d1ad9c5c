"""Which face the tab `Explore` shows, in chromium: of several, one that is too small, and where there is no other."""

import pytest
from PIL import Image

from tests.support.explorer import names_of, open_explore
from tests.support.slow_network import SlowWay
from virtus.bundled import ASSETS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
EXAMPLES = ASSETS / "examples"
IMAGE_OF = "(label) => getComputedStyle(label, '::before').backgroundImage"


@pytest.fixture(scope="module")
def with_small(tmp_path_factory):
    """A photo with a face that can be explored and one that is too small."""
    photo = Image.open(EXAMPLES / "grace-hopper.jpg").convert("RGB").resize((437, 512))
    wide = Image.new("RGB", (640, 512), "#808080")
    wide.paste(photo, (0, 0))
    wide.paste(Image.open(EXAMPLES / "eileen-collins.jpg").convert("RGB").resize((150, 150)), (470, 100))
    path = tmp_path_factory.mktemp("small") / "small.png"
    wide.save(path)
    return path


def test_of_a_face_that_is_too_small_it_says_why_and_offers_the_others(visit, with_small):
    """It showed the photo's verdict as if it were that face's, and beside it that nothing was open."""
    page = open_explore(visit(tab="Analyze"), with_small)
    page.get_by_role("button", name="Two side by side").click()
    page.locator("#explore-kind").get_by_text("another checkpoint", exact=True).click()
    page.get_by_role("tab", name="Analyze", exact=True).click()
    page.locator("#face label").nth(1).click()
    playwright.expect(page.locator("#verdict")).to_contain_text("too small to be judged")
    page.get_by_role("tab", name="Explore", exact=True).click()
    note, faces = page.locator("#explore-note"), page.locator("#explore-face label")
    playwright.expect(note).to_contain_text("Face 2 of 2 is too small to be judged")
    playwright.expect(page.locator("#explore .explorer")).to_have_count(0)
    playwright.expect(page.locator("#explore-beside-note")).to_have_count(0)
    playwright.expect(page.locator("#explore-make")).to_be_hidden()
    playwright.expect(faces).to_have_count(1)
    assert faces.evaluate(IMAGE_OF).startswith('url("data:image/jpeg')
    faces.click()
    playwright.expect(page.locator("#explore .whose")).to_contain_text("Face 1 of 2")
    playwright.expect(page.locator("#explore-beside-note")).to_have_count(1)  # what was set beside it is back


def test_another_face_is_not_offered_where_there_is_none(visit, photos, with_small):
    """It could be chosen, moved the page, and said far above that there is none."""
    page = open_explore(visit(tab="Analyze"), photos["two.png"])
    page.get_by_role("button", name="Two side by side").click()
    kind = page.locator("#explore-kind")
    kind.get_by_text("another face", exact=True).click()
    page.locator("#explore-beside .explorer[data-blocks='12']").wait_for()
    page.get_by_role("tab", name="Analyze", exact=True).click()
    open_explore(page, with_small)
    playwright.expect(kind).to_contain_text("no other face that can be explored")
    playwright.expect(kind.get_by_text("another face", exact=True)).to_have_count(0)
    playwright.expect(kind.get_by_label("nothing")).to_be_checked()
    playwright.expect(page.locator("#explore-beside .explorer")).to_have_count(0)


def test_faces_to_choose_from_have_pictures_of_their_own(opened):
    labels = opened.locator("#explore-face label")
    playwright.expect(labels).to_have_count(2)
    pictures = [label.evaluate(IMAGE_OF) for label in labels.all()]
    assert all(picture.startswith('url("data:image/jpeg') for picture in pictures)
    assert len(set(pictures)) == 2


def test_what_is_said_beside_a_face_does_not_move_it(opened):
    opened.get_by_role("button", name="Two side by side").click()
    opened.locator("#explore-kind").get_by_text("another photo", exact=True).click()
    playwright.expect(opened.locator("#explore-beside-note")).to_contain_text("Give it below")
    top, beside = (opened.locator(f"#{name}").bounding_box()["y"] for name in ("explore-face", "explore-beside-note"))
    assert top == pytest.approx(beside, abs=1)
    opened.locator("#explore-kind").get_by_text("nothing", exact=True).click()
    playwright.expect(opened.locator("#explore-beside-note")).to_have_count(0)
    opened.get_by_role("button", name="Two side by side").click()


def test_while_another_photo_is_judged_the_map_of_the_one_before_is_dimmed(visit, photos, give):
    page = visit(tab="Analyze")
    give(page, photos["one.jpg"])
    frame = page.locator("#map-frame")
    playwright.expect(frame).to_be_visible()
    playwright.expect(frame).to_have_css("opacity", "1")
    way = SlowWay(page, "show_verdict")
    with page.expect_request(way.is_asked):
        give(page, photos["two.png"])
    playwright.expect(frame).to_have_css("opacity", "0.3")
    way.end()
    playwright.expect(frame).to_have_css("opacity", "1")


def test_a_new_photo_is_not_opened_at_the_number_of_a_face_of_the_one_before(visit, photos, give):
    """Explore showed the first of two faces as if it were the one that decides, where the verdict was on its way."""
    page = visit(tab="Analyze")
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#map-frame")).to_be_visible()
    way = SlowWay(page, "show_verdict")
    with page.expect_request(way.is_asked):
        give(page, photos["two.png"])
    with page.expect_request(lambda one: "open_face" in names_of(page, [one])) as asked:
        page.get_by_role("tab", name="Explore", exact=True).click()
    assert asked.value.post_data_json["data"][4] is None  # which face
    playwright.expect(page.locator("#explore .whose")).to_contain_text("of 2")
    way.end()


@pytest.mark.parametrize("ends", ["arrives", "breaks off"])
def test_a_photo_that_is_being_uploaded_is_waited_for(visit, photos, ends):
    """Explore showed the photo before it without a word, and stayed there."""
    page, held = open_explore(visit(tab="Analyze"), photos["one.jpg"]), []
    note, whose = page.locator("#explore-note"), page.locator("#explore .whose")
    playwright.expect(whose).not_to_contain_text("of 2")
    page.get_by_role("tab", name="Analyze", exact=True).click()
    page.route("**/upload*", lambda route: held.append(route))
    page.locator(".drop-zone:visible input[type=file]").set_input_files(str(photos["two.png"]))
    page.locator("#photo .giving.busy").wait_for()
    page.get_by_role("tab", name="Explore", exact=True).click()
    playwright.expect(note).to_contain_text("is being uploaded")
    playwright.expect(whose).to_have_count(0)
    held[0].continue_() if ends == "arrives" else held[0].abort()
    if ends == "arrives":
        playwright.expect(whose).to_contain_text("of 2")
    else:
        playwright.expect(note).to_contain_text("Give a photo in the tab Analyze")


def test_of_several_faces_it_says_why_more_is_asked_of_each(visit, photos, opened):
    """The thresholds were others than those of one face, without a word."""
    told = opened.locator("#explore .whose-said")
    playwright.expect(told).to_contain_text("if it were alone: of several real faces one is likelier to look fake")
    page = open_explore(visit(tab="Analyze"), photos["one.jpg"])
    playwright.expect(page.locator("#explore .whose-said")).to_contain_text("fake from")
    playwright.expect(page.locator("#explore .whose-said")).not_to_contain_text("if it were alone")


def test_of_a_face_that_is_cut_off_it_says_that_parts_may_be_named_wrongly(visit, tmp_path, opened):
    """Of a tight crop the chin was called its mouth, and without its "nose" p rose most."""
    playwright.expect(opened.locator("#explore .whose-said")).to_contain_text("p = ")
    assert "named wrongly" not in opened.locator("#explore .whose-said").inner_text()
    cut = tmp_path / "cut.png"
    Image.open(EXAMPLES / "eileen-collins.jpg").crop((0, 0, 512, 145)).save(cut)
    page = open_explore(visit(tab="Analyze"), cut)
    words = "Part of the face lies outside the picture: its parts may be named wrongly."
    playwright.expect(page.locator("#explore .whose-said")).to_contain_text(words)
