"""Written reports: what is in them, what is not, and where they may be written."""

import base64
import hashlib
import io
import json
import re
from dataclasses import replace

import pytest
from PIL import Image

from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import InputError
from virtus.media.images import load_image
from virtus.reports.document import draft, with_tested_maps
from virtus.reports.record import ReportRecord, ReportSettings
from virtus.results import Faithfulness

TRAP = "<img src=x onerror=alert(1)>.jpg"


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), device="cpu", precision="float32"))


@pytest.fixture(scope="module")
def photo(astronaut):
    """A JPEG whose EXIF tells a place."""
    exif = Image.Exif()
    exif[0x010E], exif[0x010F] = "a secret place", "Camera & Sons"
    buffer = io.BytesIO()
    load_image(astronaut).save(buffer, "JPEG", exif=exif)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def document(detector, photo):
    settings = ReportSettings(methods=("rollout", "evidence"), prior=0.25)
    return with_tested_maps(detector, draft(detector, photo, name=f"/home/me/{TRAP}", settings=settings))


@pytest.fixture(scope="module")
def unreadable(detector):
    return draft(detector, b"not a picture", name="broken.jpg", settings=ReportSettings())


def pictures(html):
    found = re.findall(r'src="data:image/(\w+);base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for _, data in found]


def as_png(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def test_the_record_says_what_was_judged_and_how(document, detector, photo):
    record = document.record
    assert record.photo.name == TRAP
    assert record.photo.sha256 == hashlib.sha256(photo).hexdigest()
    assert (record.photo.num_bytes, record.photo.size) == (len(photo), (512, 512))
    assert (record.device, record.precision) == ("cpu", "float32")
    assert record.report["prior"] == 0.25
    assert record.report["path"] == TRAP
    assert record.report["checkpoint"]["sha256"] == detector.checkpoint.info.sha256
    assert {"virtus", "python", "torch", "facenet-pytorch", "pillow"} <= set(record.versions)
    (face,) = record.report["faces"]
    assert face["stability"]["low"] <= face["p_fake"] <= face["stability"]["high"]
    assert [one["method"] for one in face["explanations"]] == ["rollout", "evidence"]
    assert all(0.01 <= one["faithfulness"]["p_value"] <= 1 for one in face["explanations"])
    assert "Camera & Sons" in record.provenance["findings"][0]["what"]
    assert ReportRecord.from_json(document.json) == record


def test_the_page_shows_photo_face_and_maps_without_metadata(document):
    shown = pictures(document.html)
    assert len(shown) == 4
    assert all(not image.getexif() and "exif" not in image.info for image in shown)
    assert b"secret" not in b"".join(as_png(image) for image in shown)


def test_the_page_says_all_that_the_record_says(document):
    html, record = document.html, document.record
    (face,) = record.report["faces"]
    steady = face["stability"]
    for said in (
        record.photo.sha256,
        record.report["checkpoint"]["sha256"],
        f"<strong>{face['p_fake']:.3f}</strong>, from {steady['low']:.3f} to {steady['high']:.3f} under small harmless",
        "Uncalibrated",
        "25 % of photos like this are fake",
        record.versions["torch"],
        "a hint, not evidence",
        "Camera &amp; Sons",
        "docs/reports.md",
    ):
        assert said in html
    assert html.count('<p class="trust ') == 2
    assert "the gravest of its faces" not in html


def test_the_page_lets_nothing_in(document):
    html = document.html
    assert "<img src=x" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;.jpg" in html
    assert "<script" not in html
    assert "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'" in html
    assert {link[:5] for link in re.findall(r'(?:src|href)="([^"]*)"', html)} == {"data:"}
    assert "url(" not in html
    assert "@import" not in html


def test_the_page_holds_its_json(document):
    (data,) = re.findall(r'href="data:application/json;base64,([^"]+)"', document.html)
    assert base64.b64decode(data).decode() == document.json


def test_where_nothing_was_judged_the_page_has_no_number(detector, unreadable):
    wall = draft(detector, as_png(Image.new("RGB", (200, 200), "navy")), name="wall.png", settings=ReportSettings())
    for document, outcome, word in ((unreadable, "unreadable", "Not readable"), (wall, "no_face", "No face found")):
        assert document.record.report["outcome"] == outcome
        assert word in document.html
        assert document.report.reason in document.html
        assert "Probability of fake" not in document.html
        assert ReportRecord.from_json(document.json) == document.record


def test_a_face_too_small_has_no_number(detector, astronaut):
    small = load_image(astronaut).resize((200, 200))
    document = draft(detector, as_png(small), name="tiny.png", settings=ReportSettings())
    assert document.record.report["outcome"] == "face_too_small"
    assert "Probability of fake" not in document.html
    assert "too small to be judged" in document.html


def test_maps_can_be_kept_to_the_largest_faces(detector, astronaut):
    photo = load_image(astronaut)
    both = Image.new("RGB", (924, 512))
    both.paste(photo, (0, 0))
    both.paste(photo.resize((412, 412)), (512, 0))
    settings = ReportSettings(methods=("rollout",), num_mapped=1)
    document = draft(detector, as_png(both), name="two.png", settings=settings)
    assert [len(face.explanations) for face in document.report.faces] == [1, 0]
    measured = []

    def measure(_detector, crop, explanations):
        measured.append(crop)
        return [Faithfulness(0.25, 0.75, 0.5, False, 99) for _ in explanations]

    tested = with_tested_maps(detector, document, measure=measure)
    assert measured == [document.report.faces[0].crop]
    assert "the gravest of its faces" in document.html
    assert "Not tested" in document.html
    assert "Not tested" not in tested.html
    assert "Maps were drawn of the largest face only" in tested.html


def test_a_name_that_is_no_text_is_made_one(detector, tmp_path):
    document = draft(detector, b"", name="C:\\photos\\caf\udce9.jpg", settings=ReportSettings())
    assert document.record.photo.name == "caf?.jpg"
    document.save(tmp_path / "out.html")


def test_a_report_takes_the_place_of_an_older_one_only(unreadable, tmp_path):
    page, beside = unreadable.save(tmp_path / "out.html")
    assert (page, beside) == (tmp_path / "out.html", tmp_path / "out.json")
    later = replace(unreadable, record=replace(unreadable.record, time="2030-01-01T00:00:00+00:00"))
    later.save(page)
    assert json.loads(beside.read_text())["time"] == "2030-01-01T00:00:00+00:00"
    beside.write_text("{}")
    with pytest.raises(InputError, match="no report of Virtus"):
        later.save(page)
    assert beside.read_text() == "{}"
    with pytest.raises(InputError, match=r"ends in \.html"):
        later.save(tmp_path / "photo.jpg")
