"""The choice of a checkpoint, as a visitor sees it in chromium, and of the fake label, where one does not say it."""

import re

import pytest

from tests.support.hub_server import HubServer
from tests.support.slow_network import ask_twice
from virtus.checkpoints.bundled import bundled_default, bundled_names, bundled_words

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


def test_a_visitor_chooses_of_those_that_come_with_virtus_or_a_label_of_another(start, browser, make_checkpoint):
    """The app of an installation as it is: nothing names a checkpoint."""
    with HubServer() as hub:
        hub.add("owner/unclear", make_checkpoint(labels=("LABEL_0", "LABEL_1")))
        serve = ("-m", "virtus", "serve", "--device", "cpu", "--precision", "float32")
        app = start(*serve, HF_ENDPOINT=hub.url, VIRTUS_CHECKPOINT="")
        page = browser.new_page(reduced_motion="reduce")
        page.goto(app.url)
        chooser, choice = page.locator("#model input"), page.locator("#model-fake")
        playwright.expect(chooser).to_have_value(bundled_default())
        playwright.expect(page.locator("#model")).to_contain_text(" ".join(bundled_words()))
        chooser.click()
        offered = page.get_by_role("option").all_inner_texts()
        assert [name.strip("✓ \n") for name in offered[: len(bundled_names())]] == bundled_names()
        for name in reversed(bundled_names()):
            page.get_by_role("option", name=name).click()
            playwright.expect(page.locator("#checkpoint")).to_contain_text(name)
            chooser.click()
        playwright.expect(choice).to_be_hidden()
        chooser.fill("owner/unclear")
        chooser.press("Enter")
        choice.get_by_text("LABEL_1").click()
        playwright.expect(chooser).to_have_value("owner/unclear#1")
        playwright.expect(page.locator("#checkpoint")).to_contain_text(re.compile("owner/unclear#1"))
        playwright.expect(choice).to_be_hidden()
        page.close()


@pytest.fixture(scope="module")
def unclear(make_checkpoint):
    return str(make_checkpoint(labels=("LABEL_0", "LABEL_1")))


@pytest.fixture(scope="module")
def client(serve_here, unclear):
    return serve_here("virtus-fast", unclear)


def choose(page, name):
    page.locator("#model input").fill(name)
    page.locator("#model input").press("Enter")


def test_another_checkpoint_that_is_chosen_while_labels_are_on_their_way_has_its_own(visit, client, unclear):
    """That choice was dropped: the labels of the one before stood beside it, to be put behind its name."""
    page = visit(url=client.src.rstrip("/"))
    asked = ask_twice(page, "model_labels", lambda: choose(page, unclear), lambda: choose(page, "virtus-fast"))
    assert asked == ["virtus-fast"]
    playwright.expect(page.locator("#model-fake")).to_be_hidden()


def test_of_two_labels_that_are_clicked_quickly_the_last_one_counts(visit, client, unclear):
    page = visit(url=client.src.rstrip("/"))
    choose(page, unclear)
    labels = page.locator("#model-fake label")
    ask_twice(page, "model_fake", labels.first.click, labels.last.click)
    playwright.expect(page.locator("#model input")).to_have_value(f"{unclear}#1")
