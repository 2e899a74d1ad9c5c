"""The tab `About`: a card's words as safe HTML, and the page as a visitor sees it."""

import re
from dataclasses import replace

import pytest

from virtus.app.about.tab import about, card_html
from virtus.checkpoints.bundled import bundled_folder, bundled_words
from virtus.checkpoints.card import Card, Measured, read_card
from virtus.results import Calibration, CheckpointInfo

INFO = CheckpointInfo("some/model", "c0ffee", "0" * 64)


def test_tags_and_pictures_of_a_card_are_only_words():
    found = card_html('<img src=x onerror=alert(1)> ![tracked](https://x.example/a.png) <script>"</script>')
    assert "<img" not in found
    assert "<script" not in found
    assert "tracked" in found
    assert "x.example" not in found


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "http://x.example", "train.json", "//x"]
)
def test_only_links_to_secure_pages_stay(address):
    assert "href" not in card_html(f"[words]({address})")
    assert "words" in card_html(f"[words]({address})")


def test_a_link_tells_its_page_nothing():
    found = card_html("[words](https://x.example)")
    assert 'href="https://x.example"' in found
    assert 'rel="noopener noreferrer nofollow"' in found


def test_the_page_says_what_the_bundled_ones_know_and_cost():
    assert " ".join(bundled_words()) in about(INFO, None)


def test_a_checkpoint_without_a_card_says_so():
    page = about(INFO, None)
    assert "brings no measured figures" in page
    assert "brings no word on what it is for" in page
    assert "not calibrated" in page


def test_figures_and_band_are_those_of_the_checkpoint():
    card = Card({"Limits": "- Not **evidence**."}, (Measured("<faces>", {"AUC": 0.5}),))
    page = about(replace(INFO, calibration=Calibration(1.0, 0.25, 0.75)), card)
    assert "&lt;faces&gt;" in page
    assert "<dd>0.500</dd>" in page
    assert "Below 0.25 a face is called real, from 0.75 on fake, and between them nothing." in page
    assert "<strong>evidence</strong>" in page
    assert "brings no word on what it is for" not in page


@pytest.mark.browser
@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 390)])
def test_the_page_has_the_bundled_cards_figures(visit, fits, theme, width):
    page = visit(theme, width=width, tab="About")
    assert page.locator("#about .tiles li").count() >= 3
    measured = {one.dataset: one.figures for one in read_card(bundled_folder("virtus-fast")).measured}
    auc = next(figures["AUC"] for name, figures in measured.items() if name.startswith("openforensics"))
    assert re.search(rf"AUC\s*{auc:.3f}", page.locator("#about .tiles").inner_text())
    page.get_by_text("All figures of the model card").click()
    assert page.locator("#about details table").first.is_visible()
    assert fits(page)
