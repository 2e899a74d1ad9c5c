"""What a photo's file says of itself, in the running app: by its API and in chromium."""

import pytest
from gradio_client import Client, handle_file
from PIL import Image

from tests.app.conftest import HOPPER
from virtus.provenance.findings import UNKNOWN

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
GENERATOR = "Image generator: AUTOMATIC1111, or a program that writes as it does, model realVis_v5"


@pytest.fixture(scope="module")
def tagged(tmp_path_factory):
    """A photo of a real face whose file says that a generator made it, and where."""
    path = tmp_path_factory.mktemp("tagged") / "tagged.jpg"
    with Image.open(HOPPER) as photo:
        exif = photo.getexif()
        exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0jane\nSteps: 20, Sampler: Euler a, Model: realVis_v5"
        exif.get_ifd(0x8825)[2] = (51.0, 28.0, 40.12)
        photo.save(path, exif=exif, quality=95)
    return path


def test_the_endpoint(server, tagged):
    client = Client(server.url, verbose=False)
    answer = client.predict(handle_file(str(tagged)), api_name="/provenance")
    assert answer["known"] is True
    (finding,) = answer["findings"]
    assert (finding["kind"], finding["what"], finding["where"]) == ("generator", GENERATOR, "EXIF UserComment")
    answer = client.predict(handle_file(str(HOPPER)), api_name="/provenance")
    assert answer == {"known": False, "statement": UNKNOWN, "findings": []}
    assert "provenance" not in client.predict(handle_file(str(tagged)), api_name="/analyze")


@pytest.mark.browser
def test_a_generators_tag_stands_beside_a_real_verdict(visit, give, tagged):
    page = visit()
    playwright.expect(page.locator("#provenance")).to_have_count(0)
    give(page, tagged)
    panel = page.locator("#provenance .provenance")
    playwright.expect(panel).to_contain_text("1 finding, not part of the verdict")
    playwright.expect(page.locator("#verdict .verdict")).to_have_attribute("data-outcome", "real")
    meaning = panel.locator(".meaning")
    playwright.expect(meaning).to_be_hidden()
    panel.get_by_text(GENERATOR).press("Enter")
    playwright.expect(meaning).to_be_visible()
    assert "jane" not in page.locator("#provenance").inner_text()
    assert page.locator("#provenance [style*='--tone']").count() == 0
    page.get_by_role("button", name="Remove").click()
    playwright.expect(page.locator("#provenance")).to_have_count(0)


@pytest.mark.browser
def test_a_plain_photo_is_unknown_on_a_phone_below_the_verdict(visit, photos, give, fits):
    page = visit(width=390, theme="dark")
    give(page, photos["one.jpg"])
    panel = page.locator("#provenance .provenance")
    playwright.expect(panel).to_contain_text("Nothing: origin unknown")
    playwright.expect(panel.get_by_text(UNKNOWN)).to_be_hidden()
    panel.get_by_text("What the file says of itself").click()
    playwright.expect(panel.get_by_text(UNKNOWN)).to_be_visible()
    playwright.expect(page.locator("#verdict .verdict")).to_be_visible()
    assert panel.bounding_box()["y"] > page.locator("#verdict").bounding_box()["y"]
    assert fits(page)
