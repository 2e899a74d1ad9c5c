"""The events of the tab `Analyze` that come while others are under way, as a page sends them."""

import pytest

from tests.support.pages import UNCHANGED, Held, Page, answer_late, is_unchanged, upload
from tests.support.slow_network import ask_twice
from virtus.app.analyze import callbacks
from virtus.app.maps import callbacks as map_callbacks


@pytest.fixture(scope="module")
def client(make_checkpoint, serve_here):
    return serve_here(str(make_checkpoint()))


@pytest.fixture
def page(client, photos):
    """One that shows the verdict on two faces."""
    page = Page(client)
    page.set("photo", upload(client, photos["two.png"]))
    page.fire("show_verdict")
    page.set("layer", 2)  # as many as the checkpoint has, which the first map tells a page
    page.set("face", 1)
    return page


def test_the_list_shows_the_face_whose_verdict_is_told(page, monkeypatch):
    """The verdict on the photo, which came first where the face had to wait for it, had moved the list."""
    held = Held(callbacks.face_verdict)
    monkeypatch.setattr(callbacks, "face_verdict", held)
    _, (verdict, _, face, frame, maps) = answer_late(page, held, "show_verdict", "choose_face")
    assert "Face 2 of 2" in verdict
    assert face == UNCHANGED | {"value": 1}
    assert is_unchanged(frame, maps)


def test_the_list_is_left_to_what_is_clicked_next(page):
    """An answer that moved it back lost the click that came meanwhile."""
    verdict, _, face, frame, maps = page.fire("choose_face")
    assert "Face 2 of 2" in verdict
    assert is_unchanged(face, frame, maps)


def test_a_click_while_the_answer_to_the_one_before_is_under_way_counts(visit, photos, give):
    """The answer moves the list of faces: what the last click asked for must not be read from it only then."""
    playwright = pytest.importorskip("playwright.sync_api")
    page = visit()
    give(page, photos["two.png"])
    playwright.expect(page.locator("#face input:checked")).to_have_count(1)
    shown = page.locator("#face input").evaluate_all("faces => faces.findIndex((face) => face.checked)")
    for _ in range(4):
        page.evaluate("""async (shown) => {
          const faces = document.querySelectorAll("#face input");
          faces[1 - shown].click();
          await new Promise((resolve) => setTimeout(resolve, 20));
          faces[shown].click();
        }""", shown)  # fmt: skip
        page.wait_for_timeout(700)  # until both are answered
        playwright.expect(page.locator("#verdict .which")).to_contain_text(f"Face {shown + 1} of 2")
        playwright.expect(page.locator("#face input").nth(shown)).to_be_checked()


@pytest.mark.parametrize("name", ["one.jpg", "none.png", "text.jpg", None])
def test_a_face_that_the_next_photo_lacks_is_answered_by_its_verdict(client, page, photos, name):
    """A click on the list before that verdict was there ended in an IndexError."""
    page.set("photo", name and upload(client, photos[name]))
    verdict, checkpoint, face, frame, maps = page.fire("choose_face")
    assert not face["visible"]
    page.set("face", None)
    expected = page.fire("show_verdict")
    assert [verdict, checkpoint, maps] == [expected[at] for at in (0, 1, 4)]
    assert frame["props"]["photo"] == expected[3]["props"]["photo"]


def test_a_face_that_comes_late_does_not_come_back_after_its_photo_was_taken_away(page, monkeypatch):
    held = Held(callbacks.face_verdict)
    monkeypatch.setattr(callbacks, "face_verdict", held)
    late, answer = answer_late(page, held, "choose_face", "show_verdict", photo=None)
    assert "Your result appears here" in answer[0]
    assert is_unchanged(*late)


@pytest.mark.parametrize(("late", "event"), [("draw_first", "draw_other"), ("draw_other", "draw_first")])
def test_maps_of_a_face_that_come_late_are_not_shown_over_those_of_another(page, monkeypatch, late, event):
    held = Held(map_callbacks.draw_map)
    monkeypatch.setattr(map_callbacks, "draw_map", held)
    answer, _ = answer_late(page, held, late, event, face=0)
    assert is_unchanged(*answer)


def test_another_method_leaves_the_other_maps_to_be_drawn(page, monkeypatch):
    held = Held(map_callbacks.draw_map)
    monkeypatch.setattr(map_callbacks, "draw_map", held)
    answer, _ = answer_late(page, held, "draw_first", "choose_method", map_frame="layercam")
    assert all(name in answer[0]["props"]["maps"] for name in ("attribution", "rollout", "gradcam", "evidence"))


@pytest.fixture
def with_options(visit, photos, give):
    """The app in a browser, with the maps of a face and what can be set of them."""
    playwright = pytest.importorskip("playwright.sync_api")
    page = visit()
    give(page, photos["one.jpg"])
    playwright.expect(page.locator(".usual .thumb .layer[src]")).to_have_count(4)
    page.locator("#options").get_by_text("Layer, heads and other options").click()
    return page


def test_the_layer_that_is_set_while_the_map_of_another_is_under_way_counts(with_options):
    """The answer moved the slider back, from which the last one was read only then."""
    page = with_options
    page.locator('.method[data-method="gradcam"]').click()
    slider, sought = page.locator("#layer input[type=range]"), []

    def seek(share):
        slider.click(position={"x": share * slider.bounding_box()["width"], "y": 2})
        sought.append(int(slider.input_value()))

    *_, layer, _, _, _ = ask_twice(page, "draw_changed", lambda: seek(0.2), lambda: seek(0.7))
    assert sought[0] < layer == sought[1]


def test_the_head_that_is_chosen_while_the_map_of_another_is_under_way_counts(with_options):
    page = with_options

    def choose(number):
        page.locator("#head input").click()
        page.get_by_role("option", name=number, exact=True).click()

    *_, head, _, _ = ask_twice(page, "draw_changed", lambda: choose("2"), lambda: choose("3"))
    assert head == 2  # counted from 0
