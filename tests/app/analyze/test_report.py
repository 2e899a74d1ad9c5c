"""Written reports: the endpoint, the button, and the page itself in a browser."""

import hashlib
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from virtus.app.analyze.report_panel import _start_anew
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.reports.document import draft, with_tested_maps
from virtus.reports.record import ReportSettings, read_record
from virtus.reports.replay import replay_record


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


def report(client, path, **options):
    page, beside = client.predict(handle_file(str(path)), methods="", api_name="/report", **options)
    return Path(page), read_record(Path(beside))


def test_the_endpoint_answers_a_page_and_its_json(client, photos):
    page, record = report(client, photos["one.jpg"], prior=0.25)
    data = photos["one.jpg"].read_bytes()
    assert record.photo.sha256 == hashlib.sha256(data).hexdigest()
    assert record.photo.name == "grace-hopper.jpg"
    assert record.settings.prior == 0.25
    (face,) = record.report["faces"]
    assert face["stability"]["low"] <= face["p_fake"] <= face["stability"]["high"]
    assert record.photo.sha256 in page.read_text()


def test_the_endpoint_draws_the_maps_that_are_asked_for(client, photos):
    with pytest.raises(AppError, match="There is no method 'voodoo'"):
        client.predict(handle_file(str(photos["one.jpg"])), methods="voodoo", api_name="/report")


def test_what_cannot_be_judged_has_a_report_without_a_number(client, photos):
    for name, outcome in (("none.png", "no_face"), ("text.jpg", "unreadable")):
        page, record = report(client, photos[name])
        assert record.report["outcome"] == outcome
        assert "Probability of fake" not in page.read_text()


@pytest.mark.parametrize("nothing", [None, ""])
def test_without_a_photo_no_report_is_offered(nothing):
    """Gradio makes "" of a value that was taken away."""
    group, status, *files = _start_anew(nothing)
    assert not group.visible
    assert status == ""
    assert not any(file.visible for file in files)


@pytest.mark.browser
def test_a_report_is_downloaded_and_can_be_replayed(visit, give, photos, tmp_path):
    page = visit()
    assert page.locator("#report").count() == 0
    give(page, photos["one.jpg"])
    page.get_by_label("With maps").uncheck()
    page.get_by_role("button", name="Make a report").click()
    saved = {}
    for kind in ("page", "json"):
        page.locator(f"#report-{kind}").wait_for(timeout=60_000)
        with page.expect_download() as download:
            page.locator(f"#report-{kind}").click()
        saved[kind] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[kind])
    assert {file.name for file in saved.values()} == {"grace-hopper-virtus.html", "grace-hopper-virtus.json"}
    assert "grace-hopper.jpg" in saved["page"].read_text()
    assert replay_record(read_record(saved["json"]), photos["one.jpg"].read_bytes(), device="cpu").same
    give(page, photos["none.png"])  # another photo: that report is not offered any more
    page.locator("#report-page").wait_for(state="hidden")


@pytest.fixture(scope="module")
def page_file(make_checkpoint, photos, tmp_path_factory):
    """A page about two faces, with maps, of a file whose name is a trap."""
    detector = Detector(load_checkpoint(str(make_checkpoint()), device="cpu", precision="float32"))
    name = "<img src=x onerror=document.title=1>.jpg"
    document = draft(detector, photos["two.png"].read_bytes(), name=name, settings=ReportSettings())
    page, _ = with_tested_maps(detector, document).save(tmp_path_factory.mktemp("page") / "out.html")
    return page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_the_page_asks_for_nothing_and_breaks_no_rule_of_its_own(browser, page_file, fits, width, theme):
    with browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme) as context:
        page, requests, said = context.new_page(), [], []
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto(page_file.as_uri())
        assert {url for url in requests if not url.startswith("data:image/")} == {page_file.as_uri()}
        assert said == []
        assert "<img src=x onerror=document.title=1>.jpg" in page.title()
        assert page.locator("img").count() == 7
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0 && image.alt)")
        assert fits(page)
        with page.expect_download() as download:
            page.get_by_text("Save the JSON of this report").click()
        assert read_record(download.value.path()) == read_record(page_file.with_suffix(".json"))


@pytest.mark.browser
def test_the_page_may_not_load_what_would_be_put_into_it(browser, page_file, tmp_path):
    spoilt = tmp_path / "spoilt.html"
    intruders = '<script>document.title = "run"</script><img src="http://127.0.0.1:9/a.png"></body>'
    spoilt.write_text(page_file.read_text().replace("</body>", intruders))
    with browser.new_context() as context:
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto(spoilt.as_uri())
        assert page.title().startswith("Virtus: ")
        assert len([text for text in said if "Content Security Policy" in text]) == 2
