"""What the app says, in words and in HTML."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from virtus.results import Calibration, CheckpointInfo, Explanation, Face, FaceReport, ImageReport, Label, Outcome
from virtus.ui import panels
from virtus.ui.photo_input import caption, example_files

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
    assert panels.words(face) == words


def test_the_verdict_has_bar_threshold_and_the_word_uncalibrated():
    html = panels.verdict(ImageReport(Outcome.FAKE, INFO, (judged(0.87, Outcome.FAKE),)), 0)
    assert "width: 87.0%" in html
    assert "left: 50.0%; width: 0.0%" in html
    assert "Uncalibrated" in html


def test_a_calibrated_verdict_shows_the_band_and_what_it_promises():
    info = replace(INFO, calibration=Calibration(1.5, real_below=0.25, fake_above=0.75))
    html = panels.verdict(ImageReport(Outcome.INCONCLUSIVE, info, (judged(0.5, Outcome.INCONCLUSIVE),)), 0)
    assert "left: 25.0%; width: 50.0%" in html
    assert "inconclusive from 0.25 to 0.75" in html
    assert "cannot tell" in html
    assert "Uncalibrated" not in html


def test_a_face_that_is_too_small_has_no_number():
    report = ImageReport(Outcome.REAL, INFO, (judged(0.1, Outcome.REAL), judged(None, Outcome.FACE_TOO_SMALL)))
    assert "too small" in panels.verdict(report, 1)
    assert "%" not in panels.verdict(report, 1)
    assert panels.in_words(report) == "The photo. Faces in it: 1 Real: 90 %, 2 Too small"


def test_texts_from_outside_are_escaped():
    assert "<b>" not in panels.checkpoint(INFO)
    assert "<i>" not in panels.message("<i>", "<i>", "error")


def test_the_caption_tells_class_and_empty_maps():
    flat, uneven = np.zeros((2, 2), np.float32), np.eye(2, dtype=np.float32)
    assert "“fake”" in panels.map_caption(Explanation("gradcam", uneven, Label.FAKE), "words")
    assert "the map is empty" in panels.map_caption(Explanation("gradcam", flat, Label.FAKE), "words")
    assert "for no class" in panels.map_caption(Explanation("rollout", uneven, None), "words")


def test_examples_are_the_pictures_of_the_folder(tmp_path):
    for name in ("fake-a.jpg", "grace-hopper.jpg", "b.png", "README.md"):
        (tmp_path / name).touch()
    assert [path.name for path in example_files(tmp_path)] == ["b.png", "grace-hopper.jpg", "fake-a.jpg"]
    assert caption(Path("grace-hopper.jpg")) == "Grace Hopper"
    assert caption(Path("fake-collins-in-hopper.jpg")) == "Fake: Collins in Hopper"
