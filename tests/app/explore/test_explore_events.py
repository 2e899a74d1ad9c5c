"""The events of the tab `Explore` that come while others are under way, as a page sends them and in chromium."""

import pytest

from tests.app.explore.test_explore_tab import open_explore
from tests.support.pages import Held, Page, answer_late, is_unchanged, upload
from tests.support.slow_network import ask_twice, asks
from virtus.app.explore import callbacks

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def client(serve_here):
    return serve_here("virtus-fast")


@pytest.fixture
def page(visit, client, photos):
    return open_explore(visit(url=client.src.rstrip("/")), photos["two.png"], blocks=12)


def shown_in(page, pane):
    """The index of the face that is open there, and the list of faces."""
    faces = page.locator(f"#{pane}-face input")
    playwright.expect(faces).to_have_count(2)
    return faces.evaluate_all("all => all.findIndex((face) => face.checked)"), faces


def open_beside(page, photo):
    page.get_by_role("button", name="Two side by side").click()
    page.locator("#explore-kind").get_by_text("another photo", exact=True).click()
    page.locator("#explore-photo input[type=file]").set_input_files(str(photo))
    page.locator("#explore-beside .explorer[data-blocks='12']").wait_for()


@pytest.mark.parametrize("pane", ["explore", "explore-beside"])
def test_a_click_while_the_answer_to_the_one_before_is_under_way_counts(page, photos, pane):
    """The answer moved the list of faces back, from which the last click was read only then."""
    if pane == "explore-beside":
        open_beside(page, photos["two.png"])
    shown, faces = shown_in(page, pane)
    *_, asked = ask_twice(page, f"choose_{pane}", faces.nth(1 - shown).click, faces.nth(shown).click)
    assert asked == shown
    playwright.expect(page.locator(f"#{pane} .whose")).to_contain_text(f"Face {shown + 1} of 2")
    playwright.expect(faces.nth(shown)).to_be_checked()


@pytest.mark.parametrize("judge", ["virtus-fast", "virtus-base"])
def test_the_other_checkpoint_is_another_than_the_one_that_judged(visit, client, photos, judge):
    """Where Analyze did not go by the default, the one that had judged was offered, and refused."""
    page = visit(url=client.src.rstrip("/"))
    page.locator("#model input").fill(judge)
    page.locator("#model input").press("Enter")
    open_explore(page, photos["one.jpg"])
    page.get_by_role("button", name="Two side by side").click()
    page.locator("#explore-kind").get_by_text("another checkpoint", exact=True).click()
    (other,) = {"virtus-fast", "virtus-base"} - {judge}
    playwright.expect(page.locator("#explore-beside .whose-said")).to_contain_text(f"{other} gives p")
    playwright.expect(page.locator("#explore-model input")).to_have_value(other)


def test_files_that_are_asked_for_while_those_of_another_face_are_made_come(page, monkeypatch):
    """That click was dropped, and those that were made then were of a face that was not open any more: none came."""
    held = Held(callbacks.write_exploration)
    monkeypatch.setattr(callbacks, "write_exploration", held)
    shown, faces = shown_in(page, "explore")
    make = page.get_by_role("button", name="Make files")
    make.click()
    assert held.begun.wait(60)
    faces.nth(1 - shown).click()
    playwright.expect(page.locator("#explore .whose")).to_contain_text(f"Face {2 - shown} of 2")
    make.click()
    held.may_end.set()
    playwright.expect(page.get_by_text("Download the film")).to_be_visible()


def test_while_another_face_is_opened_nothing_moves(page, monkeypatch):
    """What is said meanwhile stood above the face before, and all jumped twice."""
    shown, faces = shown_in(page, "explore")
    held, part = Held(callbacks.face_of), page.locator("#explore .look")
    monkeypatch.setattr(callbacks, "face_of", held)
    before = part.bounding_box()
    faces.nth(1 - shown).click()
    assert held.begun.wait(60)
    playwright.expect(page.locator("#explore-note .opening")).to_be_visible()
    assert part.bounding_box() == before
    held.may_end.set()
    playwright.expect(page.locator("#explore .whose")).to_contain_text(f"Face {2 - shown} of 2")


def test_who_clicks_twice_gets_files_that_are_made_once(page, monkeypatch):
    made = []
    write = callbacks.write_exploration
    monkeypatch.setattr(callbacks, "write_exploration", lambda found: made.append(found) or write(found))
    page.get_by_role("button", name="Make files").dblclick()
    playwright.expect(page.get_by_text("Download the film (WebP)")).to_be_visible()
    with page.expect_response(lambda answer: asks(page, "offer_explored")(answer.request)):
        page.get_by_role("button", name="Make files").click()  # nor later
    assert len(made) == 1


@pytest.fixture
def sent(client, photos):
    """A page without a browser that has the first of two faces open, and one of the same photo beside it."""
    page = Page(client)
    photo = upload(client, photos["two.png"])
    for name, value in {"photo": photo, "explore-kind": "photo", "explore-photo": photo}.items():
        page.set(name, value)
    page.fire("show_verdict")
    page.set("face", 0)
    page.fire("open_face")
    page.fire("beside_kind")
    page.set("explore-face", 1)
    page.set("explore-beside-face", 1)
    return page


@pytest.mark.parametrize(("opens", "pane"), [("open_face", "explore"), ("beside_model", "explore-beside")])
def test_the_list_shows_the_face_that_is_open(sent, monkeypatch, opens, pane):
    """Another face that was being opened when it was chosen moves the list."""
    sent.set("face", None)
    held = Held(callbacks.face_of)
    monkeypatch.setattr(callbacks, "face_of", held)
    _, (_, face, explorer, _) = answer_late(sent, held, opens, f"choose_{pane}")
    assert "Face 2 of 2" in explorer["value"]["title"]
    assert face["value"] == 1
    assert len(face["choices"]) == 2


@pytest.mark.parametrize(("opens", "pane"), [("open_face", "explore"), ("beside_model", "explore-beside")])
def test_a_choice_that_comes_late_does_not_take_the_place_of_what_was_opened_since(sent, monkeypatch, opens, pane):
    held = Held(callbacks.face_of)
    monkeypatch.setattr(callbacks, "face_of", held)
    (*late, _), (_, face, _, _) = answer_late(sent, held, f"choose_{pane}", opens, face=None)
    assert len(face["choices"]) == 2
    assert is_unchanged(*late)


def test_the_other_photo_does_not_come_back_after_it_was_taken_away(sent, monkeypatch):
    held = Held(callbacks.face_of)
    monkeypatch.setattr(callbacks, "face_of", held)
    (*late, _), (note, *_) = answer_late(sent, held, "beside_photo", "beside_no_photo", explore_photo=None)
    assert "Give it below" in note
    assert is_unchanged(*late)


def test_a_choice_goes_on_where_the_tab_is_opened_anew_with_the_same_face(sent, monkeypatch):
    held = Held(callbacks.face_of)
    monkeypatch.setattr(callbacks, "face_of", held)
    (_, face, explorer, _), (*answer, _) = answer_late(sent, held, "choose_explore", "open_face")
    assert "Face 2 of 2" in explorer["value"]["title"]
    assert is_unchanged(face, *answer)
