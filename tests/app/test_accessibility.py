"""Each tab, empty and with a result, against the rules of WCAG 2.2 A and AA that a program can check (axe-core)."""

import pytest

from tests.support.clips import scene, write_clip

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}


# Over the night's gradient axe cannot say what a contrast is: here it is as bright everywhere as at its brightest.
FLAT = ".dark, .dark * { --body-background-fill: #3b1d6e !important; --body-background-fill-dark: #3b1d6e !important }"
AT_ONCE = "* { transition: none !important }"  # the colours change when night falls


@pytest.fixture
def violations():
    """What is wrong with a page by day and by night: the rule, the element and why, for each."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")

    def find(page):
        page.add_style_tag(content=FLAT + AT_ONCE)
        return _find(page, dark=True) + _find(page, dark=False)

    def _find(page, dark):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        response = axe.Axe().run(page, options=RULES).response
        unsure = [one for one in _nodes(response["incomplete"]) if "gradient" in one[2] and one[1] != ["h1"]]
        return _nodes(response["violations"]) + unsure  # the heading's letters are a gradient themselves

    return find


def _nodes(found):
    def said(node):
        return " ".join(check["message"] for check in node["any"] + node["all"] + node["none"])

    return [(one["id"], node["target"], said(node)) for one in found for node in one["nodes"]]


def test_a_verdict_and_its_maps(visit, photos, give, violations):
    page = visit()
    assert violations(page) == []
    give(page, photos["two.png"])
    page.wait_for_selector(".usual .method:last-child .layer[src]")
    page.locator("#settings").get_by_text("Settings of the verdict").click()
    assert violations(page) == []
    page.get_by_role("tab", name="Explore", exact=True).click()
    page.locator("#explore .explorer[data-blocks='12']").wait_for(timeout=60_000)
    assert violations(page) == []


def test_the_other_tabs(visit, photos, give, violations, tmp_path):
    page = visit(tab="Batch")
    assert violations(page) == []
    give(page, photos["one.jpg"], photos["none.png"])
    page.wait_for_selector("#batch-downloads a")
    assert violations(page) == []
    page.get_by_role("tab", name="Video", exact=True).click()
    assert violations(page) == []
    frames = [scene(("hopper", at, 200), ("collins", 240, 200)) for at in (0, 4, 8)]
    give(page, write_clip(tmp_path / "clip.mp4", frames, codec="libx264"))
    page.wait_for_selector("#telling img")
    assert violations(page) == []
    page.get_by_role("tab", name="Compare", exact=True).click()
    assert violations(page) == []
    give(page, photos["one.jpg"])
    page.wait_for_selector("#compare-cards img")
    assert violations(page) == []
    page.get_by_role("tab", name="About", exact=True).click()
    page.get_by_text("All figures of the model card").click()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_tabs_are_seen_on_a_phone(visit, theme):
    page = visit(theme, width=360, height=740)
    tabs = [
        page.get_by_role("tab", name=name, exact=True)
        for name in ("Analyze", "Explore", "Batch", "Video", "Compare", "About")
    ]
    for tab in tabs:
        playwright.expect(tab).to_be_visible()
    assert len({tab.bounding_box()["y"] for tab in tabs}) == 1  # on one line
    assert tabs[0].evaluate("tab => getComputedStyle(tab).fontFamily").startswith("system-ui")  # by night as by day
