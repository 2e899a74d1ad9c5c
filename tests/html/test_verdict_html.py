"""Verdicts on faces, in words and in HTML."""

from dataclasses import replace

import pytest

from virtus.cli.text import verdict_lines
from virtus.html.verdict import checkpoint_line, face_verdict, face_words, message_panel, photo_words
from virtus.results import Calibration, Caution, CheckpointInfo, Face, FaceReport, ImageReport, Outcome, Stability

BOX = (0.0, 0.0, 50.0, 50.0)
FACE = Face(BOX, (), 0.99)
INFO = CheckpointInfo("<b>name</b>", "0123456789abcdef", "f" * 64)


def judged(p_fake, outcome):
    return FaceReport(BOX, outcome, FACE, None, p_fake)


@pytest.mark.parametrize(
    ("face", "words"),
    [
        (judged(0.87, Outcome.FAKE), "Fake: 87 %"),
        (judged(0.08, Outcome.REAL), "Real: 92 %"),
        (judged(0.5, Outcome.INCONCLUSIVE), "Inconclusive"),
        (judged(0.9999, Outcome.FAKE), "Fake: over 99 %"),
        (judged(0.0001, Outcome.REAL), "Real: over 99 %"),
        (judged(None, Outcome.FACE_TOO_SMALL), "Too small"),
    ],
)
def test_words(face, words):
    assert face_words(face) == words


def test_the_verdict_has_bar_threshold_and_the_word_uncalibrated():
    html = face_verdict(ImageReport(Outcome.FAKE, INFO, (judged(0.87, Outcome.FAKE),)), 0)
    assert "width: 87.0%" in html
    assert "left: 50.0%; width: 0.0%" in html
    assert "Uncalibrated" in html


def test_a_calibrated_verdict_shows_the_band_and_what_it_promises():
    info = replace(INFO, calibration=Calibration(1.5, real_below=0.25, fake_above=0.75))
    html = face_verdict(ImageReport(Outcome.INCONCLUSIVE, info, (judged(0.5, Outcome.INCONCLUSIVE),)), 0)
    assert "left: 25.0%; width: 50.0%" in html
    assert "inconclusive from 0.25 to 0.75" in html
    assert "cannot tell" in html
    assert "Uncalibrated" not in html


def test_of_several_faces_the_band_reaches_to_what_so_many_ask_for():
    """It ended below a p that was inconclusive beside it, and a face unlike all others had one at all."""
    info = replace(INFO, calibration=Calibration(1.5, real_below=0.25, fake_above=0.75, fake_above_among=(0.9,)))
    faces = (judged(0.8, Outcome.INCONCLUSIVE), judged(0.1, Outcome.REAL))
    report = ImageReport(Outcome.INCONCLUSIVE, info, faces)
    assert "left: 25.0%; width: 65.0%" in face_verdict(report, 0)
    assert "inconclusive from 0.25 to 0.90)" in list(verdict_lines(report))[1]
    unlike = replace(faces[0], cautions=(Caution("unfamiliar", "Unlike."),))
    report = replace(report, faces=(unlike,))
    assert "left: 0.0%; width: 100.0%" in face_verdict(report, 0)
    assert "inconclusive from 0.00 to 1.00)" in list(verdict_lines(report))[1]


def test_a_face_that_is_too_small_has_no_number():
    report = ImageReport(Outcome.REAL, INFO, (judged(0.1, Outcome.REAL), judged(None, Outcome.FACE_TOO_SMALL)))
    assert "too small" in face_verdict(report, 1)
    assert "%" not in face_verdict(report, 1)
    assert photo_words(report) == "The photo. Faces in it: 1 Real: 90 %, 2 Too small"


def test_of_several_faces_the_one_that_decides_is_named():
    report = ImageReport(Outcome.FAKE, INFO, (judged(0.1, Outcome.REAL), judged(0.9, Outcome.FAKE)))
    assert "Face 2 of 2, which decides the photo" in face_verdict(report, 1)
    assert "decides" not in face_verdict(report, 0)
    assert next(verdict_lines(report)) == "fake (face 1 decided)"
    alone = replace(report, faces=report.faces[1:])
    assert "decides" not in face_verdict(alone, 0)
    assert next(verdict_lines(alone)) == "fake"


def test_texts_from_outside_are_escaped():
    assert "<b>" not in checkpoint_line(INFO)
    assert "<i>" not in message_panel("<i>", "<i>", "error")


def test_a_moved_prior_moves_the_band_with_the_number():
    # logit(0.75) + logit(0.1) = ln 3 - ln 9 = -ln 3: the thresholds 0.25 and 0.75 go to 1/28 and 0.25, kept at 0.5
    info = replace(INFO, calibration=Calibration(1.0, real_below=0.25, fake_above=0.75))
    report = ImageReport(Outcome.INCONCLUSIVE, info, (judged(0.1, Outcome.INCONCLUSIVE),), prior=0.1)
    html = face_verdict(report, 0)
    assert "left: 3.6%; width: 46.4%" in html
    assert "assumes that 10 % of photos like this are fake." in html
    even = face_verdict(replace(report, prior=0.5), 0)
    assert "50 % of photos like this are fake, as many as are real" in even


def test_the_stability_interval_is_on_the_bar_and_in_words():
    face = replace(judged(0.87, Outcome.FAKE), stability=Stability({"JPEG 50": 0.7}, low=0.7, high=0.87, flips=False))
    html = face_verdict(ImageReport(Outcome.FAKE, INFO, (face,)), 0)
    assert '<div class="interval" style="left: 70.0%; width: 17.0%">' in html
    assert html.count("from 0.700 to 0.870 under small harmless changes") == 2  # seen, and read aloud
    assert "interval" not in face_verdict(ImageReport(Outcome.FAKE, INFO, (judged(0.87, Outcome.FAKE),)), 0)


def test_cautions_and_reasons_are_said_and_escaped():
    cautions = (Caution("small", "The <i>face</i> is small."),)
    face = replace(judged(0.9, Outcome.INCONCLUSIVE), cautions=cautions, reason="It <i>flips</i>.")
    html = face_verdict(ImageReport(Outcome.INCONCLUSIVE, INFO, (face,)), 0)
    assert "<li>The &lt;i&gt;face&lt;/i&gt; is small.</li>" in html
    assert "It &lt;i&gt;flips&lt;/i&gt;." in html
    assert "cautions" not in face_verdict(ImageReport(Outcome.FAKE, INFO, (judged(0.87, Outcome.FAKE),)), 0)
