"""The choice of the fake label, as a visitor sees it in chromium: a checkpoint on the Hub does not say it."""

import re

import pytest

from tests.support.hub_server import HubServer

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def test_a_choice_appears_for_unclear_labels_and_stands_behind_the_name(start, browser, make_checkpoint):
    with HubServer() as hub:
        hub.add("owner/unclear", make_checkpoint(labels=("LABEL_0", "LABEL_1")))
        app = start("-m", "virtus", "serve", "--device", "cpu", "--precision", "float32", HF_ENDPOINT=hub.url)
        page = browser.new_page(reduced_motion="reduce")
        page.goto(app.url)
        chooser, choice = page.locator("#model input"), page.locator("#model-fake")
        playwright.expect(page.locator("#checkpoint")).to_contain_text("virtus-fast")
        playwright.expect(choice).to_be_hidden()
        chooser.fill("owner/unclear")
        chooser.press("Enter")
        choice.get_by_text("LABEL_1").click()
        playwright.expect(chooser).to_have_value("owner/unclear#1")
        playwright.expect(page.locator("#checkpoint")).to_contain_text(re.compile("owner/unclear#1"))
        playwright.expect(choice).to_be_hidden()
        page.close()
