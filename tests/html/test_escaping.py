"""Texts from outside are words wherever they are shown: a file's name, a label, EXIF, a card, a reason, a name."""

from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import numpy as np
import pytest
from jinja2 import UndefinedError
from PIL import Image

from tests.support.provenance_files import exif, picture
from train.report.document import Paragraph, Picture, ReportDocument, Section, Table
from virtus.app.about.tab import about
from virtus.app.compare.view import cards, headline
from virtus.app.compare.view import map_caption as compared_caption
from virtus.app.video.view import key_frame
from virtus.app.visitors.photos import AskedCheckpoint, ComparedPhoto, JudgedPhoto
from virtus.bundled import ASSETS
from virtus.checkpoints.card import Card, Measured
from virtus.html.filmstrip import StripFrame, filmstrip_html
from virtus.html.maps import map_caption
from virtus.html.maps import test_progress as progress
from virtus.html.provenance import provenance_panel
from virtus.html.templates import render_part
from virtus.html.verdict import checkpoint_line, face_verdict, message_panel, not_judged, person_verdict
from virtus.judging.comparison import Comparison
from virtus.provenance.reading import read_provenance
from virtus.reports.page import write_page
from virtus.reports.record import PhotoFacts, ReportRecord, ReportSettings
from virtus.results import (
    Calibration,
    Caution,
    CheckpointInfo,
    Explanation,
    Face,
    FaceCrop,
    FaceReport,
    ImageReport,
    Outcome,
    Stability,
)
from virtus.video.report import PersonReport, Sight, VideoReport

TRAP = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>"
BOX = (0.0, 0.0, 8.0, 8.0)
PICTURE = Image.new("RGB", (8, 8), "navy")
CROP = FaceCrop(PICTURE, (0, 0, 8, 8), margin=1.3)
THRESHOLDS = Calibration(1.0, 0.25, 0.75)
INFO = CheckpointInfo(TRAP, TRAP, TRAP, THRESHOLDS)
MAP = Explanation("gradcam", np.eye(2, dtype=np.float32), TRAP)
FACE = FaceReport(
    BOX,
    Outcome.FAKE,
    Face(BOX, (), 0.99),
    CROP,
    p_fake=0.9,
    explanations=(MAP,),
    cautions=(Caution(TRAP, TRAP),),
    stability=Stability({TRAP: 0.9}, 0.9, 0.9, flips=False),
    reason=TRAP,
)
PHOTO = ImageReport(Outcome.FAKE, INFO, (FACE, FACE), (8, 8), path=TRAP, reason=TRAP)
PERSON = PersonReport(Outcome.FAKE, (Sight(0, 0.0, FACE),), 0.9, 0.8, 1.0, 1, 0, None, FACE.cautions, TRAP)
CLIP = VideoReport(Outcome.FAKE, INFO, (PERSON,), (0.0,), duration_s=1.0, path=TRAP, reason=TRAP)
CARD = Card({"Limits": TRAP, "How good it is": f"[{TRAP}](javascript:x) ![{TRAP}](x)"}, (Measured(TRAP, {"AUC": 0.5}),))


def exif_panel():
    return provenance_panel(read_provenance(picture("JPEG", exif=exif(Make=TRAP, Model=TRAP))), unfolded=True)


def compared():
    report, sees_all = replace(PHOTO, faces=(replace(FACE, crop=CROP),)), SimpleNamespace(resize=lambda image: image)
    detector = SimpleNamespace(checkpoint=SimpleNamespace(transform=sees_all))
    answers = AskedCheckpoint(TRAP, detector, JudgedPhoto(PICTURE, report)), AskedCheckpoint("gone", error=TRAP)
    comparison, shown, drawn = Comparison((report, report)), ComparedPhoto(PICTURE, answers), {TRAP: (MAP, PICTURE)}
    parts = headline(comparison, 0), cards(shown, 0, drawn), cards(shown, 0, {TRAP: TRAP}), compared_caption(drawn)
    return "".join(parts)


def written_report():
    facts = PhotoFacts(TRAP, "0" * 64, 1, (8, 8))
    settings = ReportSettings(options={"gradcam": {"layer": TRAP}})
    record = ReportRecord("2026-01-02T03:04:05+00:00", facts, settings, TRAP, TRAP, {TRAP: TRAP}, {}, {})
    return write_page(record, PHOTO, PICTURE, read_provenance(picture("JPEG", exif=exif(Make=TRAP))))


def training_report():
    with TemporaryDirectory() as folder:
        PICTURE.save(Path(folder) / "x.png")
        blocks = [Paragraph(TRAP), Table([TRAP, TRAP], [[TRAP, (TRAP, TRAP)]], TRAP), Picture("x.png", TRAP, TRAP)]
        return ReportDocument(TRAP, TRAP, [Section(TRAP, blocks)]).to_html(Path(folder))


MADE = {
    "face": lambda: face_verdict(PHOTO, 0),
    "message": lambda: message_panel(TRAP, TRAP, TRAP),
    "photo without a verdict": lambda: not_judged(PHOTO),
    "checkpoint": lambda: checkpoint_line(INFO),
    "person": lambda: person_verdict(CLIP, 0),
    "clip without a verdict": lambda: not_judged(CLIP),
    "filmstrip": lambda: filmstrip_html(PERSON, [StripFrame(TRAP, 0.0, (8, 8))], 1.0, THRESHOLDS),
    "key frame": lambda: key_frame(PERSON),
    "map": lambda: map_caption(MAP) + progress(TRAP, 1, 2),
    "EXIF": exif_panel,
    "comparison": compared,
    "about": lambda: about(INFO, CARD),
    "chosen of a batch": lambda: render_part("batch.html", "chosen", name=TRAP, verdicts=[face_verdict(PHOTO, 0)]),
    "loading": lambda: render_part("loading.html", "loading", name=TRAP),
    "not loaded": lambda: render_part("loading.html", "failed", reason=TRAP),
    "written report": written_report,
    "training report": training_report,
}


class Tags(HTMLParser):
    """The names of all elements, and of the attributes that browsers run."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.handlers = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.handlers += [name for name, value in attrs if name.startswith("on") or "javascript:" in (value or "")]


@pytest.mark.parametrize("made", MADE.values(), ids=MADE)
def test_no_text_from_outside_becomes_an_element(made):
    html = made()
    assert "alert(1)" in html  # the text is there, as words
    tags = Tags(html)
    assert "script" not in tags.elements
    assert tags.handlers == []
    assert "<script" not in html


@pytest.mark.parametrize("script", sorted((ASSETS / "scripts").glob("*.js")), ids=lambda script: script.name)
def test_scripts_of_the_page_write_texts_and_never_markup(script):
    """So a batch's rows, which come to the page as data, cannot bring elements with them."""
    code = script.read_text(encoding="utf-8")
    writers = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(")
    assert [writer for writer in writers if writer in code] == []


def test_a_value_that_is_missing_is_an_error_and_no_empty_place():
    with pytest.raises(UndefinedError, match="sentence"):
        render_part("verdict.html", "message", title="A title", outcome="error")
