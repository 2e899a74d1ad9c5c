"""What is said of a map to those who do not see it, in chromium."""

import re

import pytest

from tests.app.analyze.test_analyze_tab import choose_method, wait_for_strip

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def test_of_a_map_that_is_highest_in_the_background_it_is_said_that_models_keep_notes_there(visit, photos, give):
    """Where taking a square away moves the logit, it is evidence and no note."""
    page = visit()
    give(page, photos["one.jpg"])
    wait_for_strip(page)
    readout = page.locator("#map-frame .readout")
    expected = {"gradcam": ("left eye", 0), "rollout": ("background", 1), "evidence": ("background", 0)}
    for name, (first, has_notes) in expected.items():
        choose_method(page, name)
        playwright.expect(page.locator(f'.method[data-method="{name}"]')).to_have_attribute("aria-pressed", "true")
        playwright.expect(readout).to_have_text(re.compile(f"^Highest: {first} "))
        assert ("keep notes" in readout.inner_text()) == has_notes, name
