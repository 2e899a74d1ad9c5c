"""Parts of a face rubbed out in the tab `Explore`, in chromium."""

import re

import pytest

from tests.support.explorer import OWN, P, at, canvas, names_of, said

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
GREY = (124, 116, 104)  # on which the input of virtus-fast is centred


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
