"""What the tab `Compare` says, as HTML."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.drawing.test_annotate import luminance
from virtus.app.compare import view as compare_panels
from virtus.app.visitors.photos import AskedCheckpoint, ComparedPhoto, JudgedPhoto
from virtus.drawing.annotate import TONES
from virtus.judging.comparison import Comparison
from virtus.results import Calibration, CheckpointInfo, Explanation, Face, FaceCrop, FaceReport, ImageReport, Outcome

REAL, FAKE, UNSURE, SMALL = Outcome.REAL, Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.FACE_TOO_SMALL
BOX = (0.0, 0.0, 50.0, 50.0)
CALIBRATED = CheckpointInfo("<b>a</b>", "0123456789abcdef", "f" * 64, Calibration(1.0, 0.25, 0.75))
OTHER = CheckpointInfo("b", "local", "e" * 64)
P_FAKE = {REAL: 0.125, FAKE: 0.875, UNSURE: 0.5, SMALL: None}
PICTURE = Image.new("RGB", (32, 32), "navy")


def report(info, *outcomes):
    faces = tuple(FaceReport(BOX, one, Face(BOX, (), 0.99), None, P_FAKE[one]) for one in outcomes)
    return ImageReport(outcomes[0], info, faces, (100, 100))


@pytest.mark.parametrize(
    ("outcomes", "title"),
    [
        ((FAKE, FAKE), "= Fake"),
        ((REAL, FAKE), "≠ Disagree"),
        ((REAL, UNSURE), "? Undecided"),
        ((SMALL, SMALL), "– Too small"),
    ],
)
def test_the_headline_says_whether_they_agree(outcomes, title):
    found = Comparison(tuple(report(info, one) for info, one in zip((CALIBRATED, OTHER), outcomes, strict=True)))
    assert compare_panels.title(found, 0) == title
    html = compare_panels.headline(found, 0)
    assert (title in html) is outcomes[0].judged
    assert "<b>" not in html


def test_one_alone_is_said_to_be_compared_with_nothing():
    html = compare_panels.headline(Comparison((report(OTHER, FAKE),)), 0)
    assert "b says fake." in html
    assert "compared with nothing" in html
    assert "=" not in compare_panels.title(Comparison((report(OTHER, FAKE),)), 0)


def test_faces_they_disagree_on_have_a_colour_of_their_own():
    found = Comparison((report(CALIBRATED, FAKE, FAKE), report(OTHER, FAKE, REAL)))
    assert compare_panels.tone_of(found, 0) is TONES[FAKE]
    assert compare_panels.tone_of(found, 1).colour not in {tone.colour for tone in TONES.values()}
    assert compare_panels.in_words(found) == "The photo. Faces in it: 1 = Fake, 2 ≠ Disagree"


def test_disagreement_is_readable():
    """Contrast of at least 4.5 (WCAG 2.2, AA), as of the outcomes' tones."""
    light, dark = (luminance(colour) for colour in (compare_panels.DISAGREE.ink, compare_panels.DISAGREE.colour))
    assert (light + 0.05) / (dark + 0.05) >= 4.5


SEES_ALL = SimpleNamespace(checkpoint=SimpleNamespace(transform=SimpleNamespace(resize=lambda image: image)))


def answer(info, outcome):
    judged = report(info, outcome)
    crop = FaceCrop(PICTURE, (0, 0, 32, 32), margin=1.8) if outcome.judged else None
    judged = replace(judged, faces=(replace(judged.faces[0], crop=crop),))
    return AskedCheckpoint(info.name, SEES_ALL, JudgedPhoto(PICTURE, judged))


def compared(*answers):
    return ComparedPhoto(PICTURE, answers)


def test_each_card_has_its_own_thresholds_crop_and_map():
    found = compared(answer(CALIBRATED, REAL), answer(OTHER, FAKE))
    heatmap = np.array([[0.0, 1.0]], np.float32)
    maps = {"<b>a</b>": (Explanation("gradcam", heatmap, "real"), PICTURE), "b": "There is no such layer."}
    first, second = compare_panels.cards(found, 0, maps).split("</article>")[:2]
    assert "inconclusive from 0.25 to 0.75" in first
    assert "It sees 1.80 × the face, at 32 × 32 pixels" in first
    assert "for the class “real”" in first
    assert "<b>" not in first
    assert "Uncalibrated" in second
    assert "There is no such layer." in second
    assert "gradcam" in compare_panels.map_caption(maps)
    assert "not tested against chance" in compare_panels.map_caption(maps)


def test_a_card_waits_for_its_map():
    assert "Its map is being drawn…" in compare_panels.cards(compared(answer(OTHER, FAKE)), 0, {})
    assert compare_panels.map_caption({}) == ""


def test_a_checkpoint_that_cannot_be_asked_has_a_card_with_the_reason():
    found = compared(AskedCheckpoint("<i>c</i>", error="It is <i>gone</i>."), answer(OTHER, FAKE))
    html = compare_panels.cards(found, 0, {})
    assert "It is &lt;i&gt;gone&lt;/i&gt;." in html
    assert "&lt;i&gt;c&lt;/i&gt;" in html
    assert html.count("</article>") == 2


def test_without_a_verdict_there_are_no_cards_but_those_of_errors():
    found = compared(AskedCheckpoint("c", error="Gone."), answer(OTHER, SMALL))
    assert compare_panels.cards(found, 0, {}).count("</article>") == 1
