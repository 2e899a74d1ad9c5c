"""The tab `Analyze` as a visitor sees it, in chromium."""

import re

import pytest
from PIL import Image

from tests.app.conftest import HOPPER
from tests.support.streams import Streams
from virtus.explain.registry import EXPLAINERS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def verdict(page):
    return page.locator("#verdict .verdict h2")


def choose_method(page, name):
    method = page.locator(f'.method[data-method="{name}"]')
    if not method.is_visible():
        page.locator(".others summary").click()
    method.click()


def wait_for_strip(page):
    playwright.expect(page.locator(".usual .thumb .layer[src]")).to_have_count(4)


def test_upload_to_verdict_and_maps(visit, photos, give):
    page = visit()
    give(page, photos["one.jpg"])
    playwright.expect(verdict(page)).to_have_text(re.compile(r"(Real|Fake): (\d+|over 99) %|Inconclusive"))
    said = re.compile("threshold 0|inconclusive from 0")
    playwright.expect(page.locator("#verdict .bar")).to_have_attribute("aria-label", said)
    playwright.expect(page.locator("#verdict .trust")).to_contain_text("as many as are real")
    wait_for_strip(page)
    shown = page.locator("#map-frame .picture")
    playwright.expect(shown).to_have_count(1)
    playwright.expect(shown).to_have_attribute("alt", "Face 1, as the model is shown it")
    playwright.expect(page.locator(".spot .layer")).to_have_attribute("src", re.compile("^data:image/png"))
    playwright.expect(page.locator("#map-caption .caption")).to_contain_text("It is no proof that")
    page.get_by_role("button", name="Photo", exact=True).click()
    playwright.expect(shown).to_have_attribute("alt", re.compile("1 (Real|Fake|Inconclusive)"))
    playwright.expect(shown).to_have_attribute("src", re.compile("^data:image/jpeg"))
    playwright.expect(page.locator("#map-frame .box")).to_have_text(re.compile("1 (Real|Fake|Inconclusive)"))
    playwright.expect(page.locator("#face")).to_have_count(0)
    playwright.expect(page.locator("#checkpoint")).to_contain_text(re.compile("virtus-fast.*sha256 [0-9a-f]{12}"))


NOTE_PROGRESS = """() => {
  window.steps = [];
  new MutationObserver(() => {
    const bar = document.querySelector("#map-trust [role=progressbar]");
    if (bar && !window.steps.length) window.steps.push(bar.getAttribute("aria-valuemax"));
  }).observe(document.body, { childList: true, subtree: true, attributes: true });
}"""


def test_a_map_is_held_against_chance_when_asked(visit, photos, give, opposites):
    page = visit()
    page.locator("#model input").fill(opposites[0])  # a small one: it takes 1,300 passes
    page.locator("#model input").press("Enter")
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    trust = page.locator("#map-trust .trust")
    playwright.expect(trust).to_have_count(0)
    page.evaluate(NOTE_PROGRESS)  # on a busy machine it may be over between two looks from here
    page.get_by_role("button", name="Is this map better than chance").click()
    playwright.expect(trust).to_have_text(re.compile("This map of attribution is .*chance"), timeout=120_000)
    assert page.evaluate("window.steps") == ["10"]
    choose_method(page, "gradcam")
    playwright.expect(trust).to_have_count(0)  # of that map nothing is known yet


def test_a_test_of_a_map_is_given_up_for_another_map_and_that_can_be_tested(visit, photos, give):
    """A late step stayed beside the new map; and the button did nothing, for the page took the test to go on."""
    page = visit()
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    progress = page.locator("#map-trust [role=progressbar]")
    for method in ("gradcam", "rollout"):
        page.get_by_role("button", name="Is this map better than chance").click()
        playwright.expect(progress).to_be_visible(timeout=20_000)
        choose_method(page, method)
        page.wait_for_timeout(1000)  # the test would show its next steps
        playwright.expect(progress).to_have_count(0, timeout=1)


def test_methods_show_the_options_that_they_take(visit, photos, give):
    page = visit()
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    page.locator("#options").get_by_text("Layer, heads and other options").click()
    choose_method(page, "rollout")
    playwright.expect(page.locator("#head")).to_be_visible()
    playwright.expect(page.locator("#layer")).to_have_count(0)
    before = page.locator(".spot .layer").get_attribute("src")
    page.locator("#head input").click()
    page.get_by_role("option", name="2", exact=True).click()
    playwright.expect(page.locator(".spot .layer")).not_to_have_attribute("src", before)
    choose_method(page, "gradcam")
    playwright.expect(page.locator("#layer")).to_be_visible()
    playwright.expect(page.locator("#head")).to_have_count(0)
    page.locator("#target").get_by_label("fake").check()
    playwright.expect(page.locator("#map-caption .caption")).to_contain_text("gradcam, for the class “fake”")
    choose_method(page, "evidence")
    playwright.expect(page.locator("#map-caption .caption")).to_contain_text("Vermilion speaks for fake")
    playwright.expect(page.locator("#target")).to_have_count(0)
    choose_method(page, "layercam")
    playwright.expect(page.locator("#map-caption .caption")).to_contain_text("layercam")


def test_each_method_says_what_it_answers_and_how_it_came_off(visit, photos, give):
    page = visit()
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    page.locator(".others summary").click()
    for name, explainer in EXPLAINERS.items():
        method = page.locator(f'.method[data-method="{name}"]')
        playwright.expect(method).to_contain_text(explainer.description)
        playwright.expect(method.locator(".score")).to_have_text(re.compile(r"\d+ % · [\d.]+ m?s"))


def test_a_map_is_read_patch_by_patch_without_a_request(visit, photos, give):
    streams, requests = Streams(), []
    page = visit(streams=streams)
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    streams.wait_for_end(page)
    page.on("request", lambda request: requests.append(request.url))
    spot, readout = page.locator(".spot"), page.locator(".readout")
    playwright.expect(readout).to_have_text(re.compile("^Highest: .*row .*row .*row "))
    box = spot.bounding_box()
    spot.hover(position={"x": box["width"] * 2.5 / 14, "y": box["height"] * 4.5 / 14})
    playwright.expect(readout).to_have_text(re.compile(r"\(row 5, column 3\): [01]\.\d\d of this map's range"))
    patch = page.locator(".patch").bounding_box()
    assert patch["x"] - box["x"] == pytest.approx(box["width"] * 2 / 14, abs=2)
    page.mouse.move(0, 0)
    spot.focus()
    page.keyboard.press("ArrowDown")
    playwright.expect(readout).to_have_text(re.compile("1.00 of this map's range .*higher than 99 %"))
    at_top = readout.inner_text()
    page.keyboard.press("ArrowLeft")
    playwright.expect(readout).not_to_have_text(at_top)
    page.keyboard.press("Escape")
    playwright.expect(readout).to_have_text(re.compile("^Highest: "))
    page.get_by_label("Outline the top fifth").check()
    assert page.locator(".spot path.line").get_attribute("d").startswith("M0.")
    page.get_by_label("Opacity of the map").fill("0")
    assert page.locator(".spot .layer").evaluate("layer => getComputedStyle(layer).opacity") == "0"
    assert requests == []


def test_stability_and_prior_change_the_verdict(visit, photos, give):
    page = visit()
    give(page, photos["one.jpg"])
    playwright.expect(verdict(page)).to_be_visible()
    page.locator("#settings").get_by_text("Settings of the verdict").click()
    page.get_by_label("Judge again under small changes").check()
    playwright.expect(page.locator("#verdict .interval")).to_have_count(1)
    playwright.expect(page.locator("#verdict .p-fake")).to_contain_text("under small harmless changes")
    before = page.locator("#verdict .p-fake strong").inner_text()
    page.locator("#prior input[type=number]").fill("0.9")
    page.locator("#prior input[type=number]").press("Enter")
    playwright.expect(page.locator("#verdict .trust")).to_contain_text("90 % of photos like this are fake")
    assert float(page.locator("#verdict .p-fake strong").inner_text()) > float(before)


# The face on the right is the first one.
FIRST_IS_MAPPED = """() => {
    const [spot, second] = [".spot", ".box[aria-label^='Face 2']"].map((one) => document.querySelector(one));
    return spot.getBoundingClientRect().left > second.getBoundingClientRect().right;
}"""


def test_two_faces_are_chosen_by_name_and_by_click(visit, photos, give):
    page = visit()
    give(page, photos["two.png"])
    playwright.expect(page.locator("#verdict .which")).to_contain_text("of 2, which decides the photo")
    page.locator("#face label").nth(1).click()
    playwright.expect(page.locator("#verdict .which")).to_contain_text("Face 2 of 2")
    playwright.expect(page.get_by_role("button", name="Face 2")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Face 1").click()
    playwright.expect(page.locator("#verdict .which")).to_contain_text("Face 1 of 2")
    playwright.expect(page.locator("#face input").first).to_be_checked()
    page.wait_for_function(FIRST_IS_MAPPED)
    playwright.expect(page.get_by_role("button", name="Face 1")).to_be_focused()  # while its maps came in
    spot, second = page.locator(".spot").bounding_box(), page.get_by_role("button", name="Face 2").bounding_box()
    assert spot["x"] > second["x"] + second["width"]  # the map lies on the other face


def test_of_quick_clicks_the_last_one_counts(visit, photos, give):
    page = visit()
    give(page, photos["two.png"])
    wait_for_strip(page)
    shown = page.locator(".box[aria-pressed=true]").get_attribute("aria-label")  # depends on the checkpoint
    other = 1 if shown.startswith("Face 2") else 2
    for number in (other, 3 - other, other):
        page.get_by_role("button", name=f"Face {number}").click()
    playwright.expect(page.locator("#verdict .which")).to_contain_text(f"Face {other} of 2")
    playwright.expect(page.locator("#face input").nth(other - 1)).to_be_checked()
    wait_for_strip(page)
    chosen = page.get_by_role("button", name=f"Face {other}")
    playwright.expect(chosen).to_have_attribute("aria-pressed", "true")


CANNOT_BE_JUDGED = {
    "cut.jpg": "The picture is cut off or damaged",
    "text.jpg": "This is not a picture that can be read",
    "empty.jpg": "The file is empty",
    "none.png": "No face was found",
}


def test_what_cannot_be_judged_gets_our_sentence_and_no_number(visit, photos, give):
    page = visit()
    panel = page.locator("#verdict .message")
    for name, said in CANNOT_BE_JUDGED.items():
        give(page, photos[name])
        playwright.expect(panel).to_contain_text(said)
        assert "%" not in panel.inner_text()
        playwright.expect(page.locator("#maps")).to_have_count(0)
        playwright.expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_after_a_broken_file_a_good_one_works_and_can_be_removed(visit, photos, give):
    page = visit()
    give(page, photos["text.jpg"])
    page.wait_for_selector("#verdict .message")
    give(page, photos["one.heic"])  # which chromium cannot show
    playwright.expect(verdict(page)).to_be_visible()
    playwright.expect(page.locator("#map-frame .picture")).to_be_visible()
    playwright.expect(page.locator("#photo .status")).to_have_text("This browser shows no preview of one.heic.")
    page.get_by_role("button", name="Remove").click()
    playwright.expect(page.locator("#verdict")).to_contain_text("Your result appears here")
    playwright.expect(page.locator("#maps")).to_have_count(0)


def test_too_large_a_file_takes_the_old_verdict_away(visit, photos, tmp_path, give):
    page = visit()
    give(page, photos["one.jpg"])
    playwright.expect(verdict(page)).to_be_visible()
    with (tmp_path / "large.jpg").open("wb") as stream:
        stream.truncate(64 * 2**20 + 1)
    give(page, tmp_path / "large.jpg")
    playwright.expect(page.locator("#photo .status")).to_contain_text("more than the 64 MiB")
    playwright.expect(page.locator("#verdict")).to_contain_text("Your result appears here")


def test_an_example_is_one_click(visit):
    page = visit()
    page.get_by_role("button", name="Grace Hopper", exact=True).click()
    playwright.expect(verdict(page)).to_be_visible()


def test_a_photo_can_be_pasted(visit):
    page = visit()
    page.evaluate(
        """async () => {
            const blob = await (await fetch(document.querySelector(".example img").src)).blob();
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([blob], "pasted.jpg", { type: blob.type }));
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData }));
        }"""
    )
    playwright.expect(verdict(page)).to_be_visible()


SLOW_CAMERA = """() => {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    window.tracks = [];
    navigator.mediaDevices.getUserMedia = async (wanted) => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const stream = await ask(wanted);
        window.tracks.push(...stream.getTracks());
        return stream;
    };
}"""


def test_the_camera_gives_a_photo(visit):
    page = visit()
    page.evaluate(SLOW_CAMERA)
    page.get_by_role("button", name="Use the camera").dblclick()  # while the browser still asks whether it may
    page.wait_for_function("document.querySelector('#photo video.live').videoWidth > 0")
    page.get_by_role("button", name="Take the photo").click()
    playwright.expect(page.locator("#verdict .message")).to_contain_text("No face was found")  # it shows a test picture
    assert page.evaluate("document.querySelector('#photo video.live').srcObject") is None
    assert page.evaluate("tracks.map((track) => track.readyState)") == ["ended", "ended"]


def test_a_checkpoint_out_of_reach_does_not_stop_the_app(visit, photos, give):
    page = visit()
    give(page, photos["one.jpg"])
    playwright.expect(verdict(page)).to_be_visible()
    for name, said in (("agasta/virtus", "cannot be reached"), ("/etc", "is not the name of a checkpoint")):
        page.locator("#model input").fill(name)
        page.locator("#model input").press("Enter")
        playwright.expect(page.locator("#verdict .message")).to_contain_text(said)
        playwright.expect(page.locator("#checkpoint")).to_contain_text("No checkpoint judges")
    page.locator("#model input").fill("virtus-fast")
    page.locator("#model input").press("Enter")
    playwright.expect(verdict(page)).to_be_visible()
    playwright.expect(page.locator("#checkpoint")).to_contain_text("virtus-fast")


def test_whole_image_judges_without_a_face(visit, photos, give):
    page = visit()
    give(page, photos["none.png"])
    page.wait_for_selector("#verdict .message")
    page.get_by_label("Whole image").check()
    playwright.expect(page.locator("#verdict .which")).to_have_text("The whole image")


def test_a_phone_never_scrolls_sideways(visit, photos, give, fits):
    for theme in ("light", "dark"):
        page = visit(theme, width=390, height=844)
        assert page.evaluate("document.body.classList.contains('dark')") is (theme == "dark")
        assert fits(page)
    give(page, photos["two.png"])
    wait_for_strip(page)
    playwright.expect(verdict(page)).to_be_in_viewport()
    assert fits(page)


def test_the_keyboard_reaches_the_drop_zone_and_a_busy_server_says_so_there(visit, photos, give):
    page = visit()
    page.locator("#photo input").focus()
    assert page.evaluate("document.activeElement.type") == "file"
    assert page.locator("#photo .drop-zone").evaluate("zone => getComputedStyle(zone).boxShadow") != "none"
    busy = {"detail": "The app is busy: it keeps as many uploads as it can."}
    page.route("**/gradio_api/upload*", lambda route: route.fulfill(status=503, json=busy))
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#photo-status")).to_have_text(busy["detail"])


def test_an_animation_says_which_frames_were_judged(visit, give, tmp_path):
    face = Image.open(HOPPER).convert("RGB")
    frames = [face.rotate(turn) for turn in (1, 2, 3)]
    Image.new("RGB", face.size).save(tmp_path / "title.gif", save_all=True, append_images=frames, duration=200)
    page = visit()
    give(page, tmp_path / "title.gif")
    told = page.locator("#verdict .animation")
    playwright.expect(told).to_contain_text("Its frames at 0.0, 0.2, 0.4, 0.6 s were judged")
    playwright.expect(page.get_by_alt_text("The photo. Faces in it")).to_be_visible()
