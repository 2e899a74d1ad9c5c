"""The tab `Batch` as a visitor sees it, in chromium."""

import csv
import io
import json
import re
import zipfile
from collections import Counter

import pytest
from gradio_client import Client, handle_file

from tests.support.slow_network import SlowWay, asks
from tests.support.zips import Entry, make_zip
from virtus.app import build_app
from virtus.app.server.serving import launch_settings
from virtus.app.visitors.detectors import Detectors
from virtus.app.widgets import faster

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def given(photos):
    names = ("one.jpg", "two.png", "none.png", "text.jpg")
    return [photos[name] for name in names]


def names(page):
    return page.locator("#batch-board tbody tr:visible .photo button").all_inner_texts()


def done(page, said):
    playwright.expect(page.locator("#batch-board .said")).to_have_text(said)
    playwright.expect(page.locator("#batch-downloads a")).to_have_count(2)


def download(page, word):
    with page.expect_download() as waiting:
        page.locator("#batch-downloads a", has_text=word).click()
    return waiting.value.suggested_filename, waiting.value.path().read_bytes()


def test_many_photos_to_a_table_and_files(visit, give, given, server):
    page = visit(tab="Batch")
    playwright.expect(page.locator("#batch-board .empty")).to_be_visible()
    give(page, *given)
    done(page, "4 photos looked at")
    rows = page.locator("#batch-board tbody tr")
    assert names(page) == ["grace-hopper.jpg", "two.png", "none.png", "text.jpg"]
    playwright.expect(rows.nth(2)).to_contain_text("No face was found")
    playwright.expect(rows.nth(3)).to_contain_text("not a picture")
    assert [rows.nth(at).locator("td.number").first.inner_text() for at in (2, 3)] == ["", ""]

    client = Client(server.url, verbose=False)
    reports, _ = client.predict([handle_file(str(path)) for path in given], api_name="/batch")
    name, lines = download(page, "JSON Lines")
    assert re.fullmatch(r"virtus-batch-[\d-]+\.jsonl", name)
    written = [json.loads(line) for line in lines.decode().splitlines()]
    assert [row.pop("settings")[0] for row in written] == ["float32"] * 4
    assert written == [
        {key: value for key, value in report.items() if key != "name"} | {"path": report["name"]} for report in reports
    ]
    name, table = download(page, "CSV")
    assert name.endswith(".csv")
    faces = [
        (report["name"], str(face["p_fake"])) for report in reports for face in report["faces"] or [{"p_fake": ""}]
    ]
    assert [(row["path"], row["p_fake"]) for row in csv.DictReader(io.StringIO(table.decode()))] == faces


def test_photos_that_are_taken_away_before_they_are_looked_at_leave_nothing(visit, give, given):
    """The board said "Stopped: 0 of 4 photos looked at", and offered to judge again what was not there."""
    page = visit(tab="Batch")
    way = SlowWay(page, "begin_batch")
    with page.expect_request(way.is_asked):
        give(page, *given)
    page.get_by_role("button", name="Remove", exact=True).click()
    with page.expect_request(asks(page, "finish_batch")):
        way.end()
    playwright.expect(page.locator("#batch-board .empty")).to_be_visible()
    playwright.expect(page.locator("#batch-again")).to_be_hidden()


def test_outcomes_are_counted_faces_are_small_and_rows_are_sorted_and_filtered(visit, give, given):
    page = visit(tab="Batch")
    give(page, *given)
    done(page, "4 photos looked at")
    outcomes = page.locator("#batch-board tbody .chip").all_inner_texts()
    counts = Counter(outcome.partition(" ")[2] for outcome in outcomes)
    shown = page.get_by_role("group", name="Show only").get_by_role("button").all_inner_texts()
    shown = [" ".join(text.split()) for text in shown]
    assert shown[0] == "All 4"
    assert Counter(text.partition(" ")[2] for text in shown[1:]) == Counter(f"{word} {n}" for word, n in counts.items())
    line = page.locator("#batch-board .so-far")
    assert line.evaluate("line => line.scrollHeight <= line.clientHeight")  # nothing is cut off
    said = page.locator("#batch-board .live").inner_text()
    assert said.startswith("4 photos looked at. ")
    assert all(f"{number} {word.lower()}" in said for word, number in counts.items())
    faces = page.locator("#batch-board .photo img")
    assert faces.count() == 3  # a text has none
    assert faces.evaluate_all("all => all.every(one => one.naturalWidth === 96 && one.naturalHeight === 96)")

    heads = page.locator("#batch-board th")
    page.locator("#batch-board").get_by_role("button", name="Photo").press("Enter")
    assert names(page) == ["grace-hopper.jpg", "none.png", "text.jpg", "two.png"]
    assert [head.get_attribute("aria-sort") for head in heads.all()] == ["ascending", "none", "none", "none"]
    page.locator("#batch-board").get_by_role("button", name="p of fake").click()
    numbers = page.locator("#batch-board tbody tr td:nth-child(3)").all_inner_texts()
    assert numbers[2:] == ["", ""]
    assert float(numbers[0]) >= float(numbers[1])
    page.locator("#batch-board").get_by_role("button", name="p of fake").click()
    assert page.locator("#batch-board tbody tr td:nth-child(3)").all_inner_texts() == [*numbers[1::-1], "", ""]
    only = page.get_by_role("group", name="Show only").get_by_role("button", name="No face found 1")
    only.click()
    assert names(page) == ["none.png"]
    playwright.expect(only).to_have_attribute("aria-pressed", "true")
    page.get_by_role("group", name="Show only").get_by_role("button", name="All 4").click()
    assert len(names(page)) == 4


def test_a_row_shows_its_analysis_and_of_quick_choices_the_last_one_counts(visit, give, given):
    """Gradio sends one that had to wait for another with the other's row."""
    page = visit(tab="Batch")
    give(page, *given)
    done(page, "4 photos looked at")
    rows = page.locator("#batch-board tbody tr")
    for choices, last in (((1, 0, 2, 3), "text.jpg"), ((1, 0), "grace-hopper.jpg")):
        for at in choices:
            rows.nth(at).get_by_role("button").press("Enter")
        playwright.expect(page.locator("#batch-verdicts .chosen")).to_have_text(last)
    playwright.expect(rows.first).to_have_attribute("aria-current", "true")

    page.get_by_role("button", name="two.png").press("Enter")
    playwright.expect(page.locator("#batch-verdicts .chosen")).to_have_text("two.png")
    playwright.expect(page.locator("#batch-verdicts .verdict")).to_have_count(2)
    playwright.expect(page.locator("#batch-boxed img")).to_have_attribute("alt", re.compile("Faces in it: 1 .*, 2 "))
    playwright.expect(page.locator("#batch-caption")).to_contain_text("is not tested here")
    playwright.expect(page.locator("#batch-map img").first).to_have_attribute("src", re.compile(r"\.jpg$"))
    page.locator("#batch-board tbody tr").nth(3).locator(".chip").click()
    playwright.expect(page.locator("#batch-verdicts .message")).to_contain_text("not a picture")
    assert "%" not in page.locator("#batch-verdicts").inner_text()
    playwright.expect(page.locator("#batch-boxed")).to_have_count(0)
    playwright.expect(page.locator("#batch-map")).to_have_count(0)
    playwright.expect(page.locator("#batch-board tbody tr[aria-current]")).to_have_count(1)


def test_zips_good_and_bad(visit, give, photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as made:
        made.write(photos["one.jpg"], "in/<script>one<script>.jpg")
        made.writestr("notes.txt", "x")
    page = visit(tab="Batch")
    failed = page.locator("#batch-board .message")
    give(page, make_zip(tmp_path / "bad.zip", [Entry(b"../evil.jpg", b"x")]))
    playwright.expect(failed).to_contain_text("bad.zip: This zip is refused")
    playwright.expect(page.locator("#batch-board .results")).to_be_hidden()
    give(page, tmp_path / "album.zip")
    done(page, "1 photo looked at. 1 other file was left out: album.zip/notes.txt.")
    playwright.expect(failed).to_be_hidden()
    assert names(page) == ["album.zip/in/<script>one<script>.jpg"]
    page.locator("#batch-board tbody tr").click()
    playwright.expect(page.locator("#batch-verdicts .chosen")).to_have_text("album.zip/in/<script>one<script>.jpg")


def test_a_batch_can_be_stopped_and_keeps_what_it_has(visit, give, photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as made:
        for at in range(150):
            made.write(photos["one.jpg"], f"{at:03}.jpg")
    page = visit(tab="Batch")
    give(page, tmp_path / "many.zip")
    page.locator("#batch-board tbody tr").first.wait_for()
    page.get_by_role("button", name="Stop", exact=True).click()
    playwright.expect(page.locator("#batch-board .said")).to_have_text(re.compile(r"^Stopped: \d+ of 150 photos"))
    number = len(names(page))
    assert 1 <= number < 150
    _, lines = download(page, "JSON Lines")
    assert len(lines.splitlines()) == number
    page.get_by_role("button", name="Judge these again").click()
    playwright.expect(page.locator("#batch-photos")).to_have_js_property("inert", True)
    playwright.expect(page.locator("#batch-board .said")).to_contain_text("150 photos")
    page.get_by_role("button", name="Stop", exact=True).click()
    playwright.expect(page.get_by_role("button", name="Judge these again")).to_be_visible()
    give(page, photos["none.png"])
    done(page, "1 photo looked at")
    assert names(page) == ["none.png"]


@pytest.fixture
def offering(bundle, make_checkpoint, monkeypatch):
    """The address of an app where virtus-fast is offered from the first photo on."""
    bundle("virtus-base", "virtus-fast", folder=make_checkpoint())
    monkeypatch.setattr(faster, "LONG_S", 0)
    app = build_app(Detectors("virtus-base", device="cpu", precision="float32"))
    app.launch(prevent_thread_lock=True, quiet=True, **launch_settings())
    yield app.local_url.rstrip("/")
    app.close()


def test_a_batch_begins_anew_with_the_fast_checkpoint(visit, give, photos, tmp_path, offering):
    """It was stopped, and no more."""
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as made:
        for at in range(60):
            made.write(photos["one.jpg"], f"{at:03}.jpg")
    page = visit(tab="Batch", url=offering)
    give(page, tmp_path / "many.zip")
    page.get_by_role("button", name="take virtus-fast").click()
    done(page, "60 photos looked at")
    assert len(names(page)) == 60
    _, lines = download(page, "JSON Lines")
    judges = {json.loads(line)["checkpoint"]["name"] for line in lines.decode().splitlines()}
    assert judges == {"virtus-fast"}
    playwright.expect(page.get_by_role("button", name="Judge these again")).to_be_visible()


def test_a_phone_never_scrolls_sideways(visit, give, given, fits):
    for theme in ("light", "dark"):
        page = visit(theme, width=390, height=844, tab="Batch")
        assert fits(page)
    give(page, *given)
    done(page, "4 photos looked at")
    assert fits(page)
    table = page.locator("#batch-board .table")
    assert table.evaluate("table => table.scrollWidth <= table.clientWidth")
    page.locator("#batch-board tbody tr").nth(1).click()
    playwright.expect(page.locator("#batch-verdicts .chosen")).to_be_in_viewport()
    playwright.expect(page.locator("#batch-caption .caption")).to_be_visible()
    assert fits(page)
