"""The tab `Compare` as a visitor sees it, in chromium."""

import re

import pytest

from tests.support.slow_network import ask_twice

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def chip(page):
    return page.locator("#compare-headline .chip")


def card(page, name):
    return page.locator("#compare-cards article").filter(has=page.get_by_role("heading", name=name, exact=True))


def add(page, name):
    page.locator("#compare-models input").fill(name)
    page.locator("#compare-models input").press("Enter")


def test_upload_to_disagreement_and_maps_and_another_method_to_others(visit, photos, give, opposites):
    page = visit(tab="Compare")
    playwright.expect(page.locator("#compare-headline")).to_contain_text("Your comparison appears here")
    give(page, photos["one.jpg"])
    playwright.expect(chip(page)).to_have_text("≠ Disagree")
    said = page.locator("#compare-headline .who")
    playwright.expect(said).to_contain_text(re.compile(f"{opposites[0]} says? real"))
    playwright.expect(said).to_contain_text(re.compile(f"{opposites[1]} says? fake"))
    for name, verdict, margin in ((opposites[0], "Real: over 99 %", "1.30"), (opposites[1], "Fake: over 99 %", "1.00")):
        own = card(page, name)
        playwright.expect(own.locator(".chip")).to_contain_text(verdict)
        playwright.expect(own.locator(".bar")).to_have_attribute("aria-label", re.compile("from 0.25 to 0.75"))
        playwright.expect(own).to_contain_text(f"It sees {margin} × the face")
        playwright.expect(own.get_by_alt_text(f"Map of {name}")).to_be_visible()
    playwright.expect(page.locator("#compare-cards article")).to_have_count(3)
    playwright.expect(page.locator("#compare-caption")).to_contain_text("not tested against chance")
    assert page.locator("#compare-cards img").evaluate_all("all => all.every(one => one.naturalWidth > 0)")

    shown = card(page, opposites[1]).get_by_alt_text(f"Map of {opposites[1]}")
    playwright.expect(shown).to_be_visible()
    before = shown.get_attribute("src")
    page.locator("#compare-method input").click()
    page.get_by_role("option", name="evidence", exact=True).click()
    playwright.expect(page.locator("#compare-caption")).to_contain_text("Vermilion speaks for fake")
    playwright.expect(shown).not_to_have_attribute("src", before)
    playwright.expect(chip(page)).to_have_text("≠ Disagree")


def test_one_out_of_reach_has_a_card_with_the_reason_beside_those_that_work(visit, photos, give, opposites):
    page = visit(tab="Compare")
    add(page, "agasta/virtus")
    give(page, photos["one.jpg"])
    playwright.expect(chip(page)).to_have_text("≠ Disagree")
    playwright.expect(card(page, "agasta/virtus")).to_contain_text("cannot be reached")
    playwright.expect(card(page, opposites[0]).locator(".chip")).to_contain_text("Real")
    playwright.expect(page.get_by_test_id("toast-body")).to_have_count(0)


def test_each_face_is_compared_for_itself(visit, photos, give):
    page = visit(tab="Compare")
    give(page, photos["two.png"])
    playwright.expect(page.locator("#compare-headline .which")).to_have_text("Face 1 of 2")
    playwright.expect(page.locator("#compare-annotated img")).to_have_attribute("alt", re.compile("1 ≠ Disagree, 2 ≠"))
    before = page.locator("#compare-cards img").first.get_attribute("src")
    page.locator("#compare-face label").nth(1).click()
    playwright.expect(page.locator("#compare-headline .which")).to_have_text("Face 2 of 2")
    playwright.expect(page.locator("#compare-cards img").first).not_to_have_attribute("src", before)
    playwright.expect(page.get_by_alt_text(re.compile("^Map of"))).to_have_count(3)


def test_a_click_while_the_answer_to_the_one_before_is_under_way_counts(visit, photos, give):
    """The answer moved the list of faces back, from which the last click was read only then."""
    page = visit(tab="Compare")
    give(page, photos["two.png"])
    faces = page.locator("#compare-face input")
    playwright.expect(faces.first).to_be_checked()
    *_, asked = ask_twice(page, "choose_compared", faces.nth(1).click, faces.first.click)
    assert asked == 0
    playwright.expect(page.locator("#compare-headline .which")).to_have_text("Face 1 of 2")
    playwright.expect(faces.first).to_be_checked()


def test_a_photo_without_a_face_gets_our_sentence_and_no_card(visit, photos, give):
    page = visit(tab="Compare")
    give(page, photos["none.png"])
    playwright.expect(page.locator("#compare-headline .message")).to_contain_text("No face was found")
    playwright.expect(page.locator("#compare-cards article")).to_have_count(0)
    playwright.expect(page.locator("#compare-maps")).to_have_count(0)
    page.get_by_role("button", name="Remove", exact=True).click()
    playwright.expect(page.locator("#compare-headline")).to_contain_text("Your comparison appears here")


def test_a_phone_never_scrolls_sideways(visit, photos, give, fits):
    page = visit("dark", width=390, height=844, tab="Compare")
    assert fits(page)
    give(page, photos["two.png"])
    playwright.expect(page.get_by_alt_text(re.compile("^Map of"))).to_have_count(3)
    playwright.expect(chip(page)).to_be_in_viewport()
    assert fits(page)
