"""The row of tabs, in chromium: the address says which is open, and the browser's own buttons lead through them."""

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
# What screen readers are told, from the first on: Gradio takes it away again.
NOTE_WHAT_IS_SAID = """window.spoken = new Set();
new MutationObserver(() => {
    for (const one of document.querySelectorAll("[aria-live]")) spoken.add(one.textContent.trim());
}).observe(document, { childList: true, subtree: true, characterData: true });"""


def is_open(page, name):
    playwright.expect(page.get_by_role("tab", name=name, exact=True)).to_have_attribute("aria-selected", "true")


def test_back_leads_to_the_tab_before_and_what_the_page_holds_is_still_there(visit, photos, give):
    """It led away from the page, and the photo with all that was found of it was gone."""
    page = visit(tab="Analyze")
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#verdict")).to_contain_text("p")
    page.get_by_role("tab", name="Explore", exact=True).click()
    is_open(page, "Explore")
    page.get_by_role("tab", name="About", exact=True).click()
    is_open(page, "About")
    page.go_back()
    is_open(page, "Explore")
    page.locator("#explore .explorer[data-blocks='12']").wait_for()
    page.go_back()
    is_open(page, "Analyze")
    playwright.expect(page.locator("#verdict .verdict")).to_be_visible()
    page.go_forward()
    is_open(page, "Explore")


def test_a_reload_stays_in_the_tab_and_a_link_leads_to_one(visit, server):
    page = visit(tab="Compare")
    page.reload()
    is_open(page, "Compare")
    page.goto(f"{server.url}/#explore")
    page.reload()
    is_open(page, "Explore")
    playwright.expect(page.locator("#explore-note")).to_contain_text("Give a photo in the tab Analyze")
    page.goto(f"{server.url}/#nowhere")
    page.reload()
    is_open(page, "Analyze")


def test_screen_readers_are_told_words_and_no_keys(visit, photos, give):
    """ "common.complete", after answers that Gradio tells of: it has no words for that."""
    page = visit(tab="Analyze")
    give(page, photos["one.jpg"])
    playwright.expect(page.locator("#verdict .verdict")).to_be_visible()
    page.evaluate(NOTE_WHAT_IS_SAID)
    page.get_by_role("button", name="Remove").first.click()
    page.wait_for_function("spoken.has('Done') || spoken.has('common.complete')")
    assert not page.evaluate("spoken.has('common.complete')")
