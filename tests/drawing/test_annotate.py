"""Boxes, labels and sizes of the annotated photo, by hand."""

import pytest
from PIL import Image, ImageColor

from virtus.drawing.annotate import TONES, Tone, annotate_faces, fit_display
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Outcome

INFO = CheckpointInfo("name", "revision", "0" * 64)
LARGE = FaceReport((100, 100, 300, 300), Outcome.FAKE, p_fake=0.9)
SMALL = FaceReport((250, 250, 350, 350), Outcome.REAL, p_fake=0.1)


def report(*faces, size=(400, 400)):
    return ImageReport(Outcome.FAKE, INFO, faces, size)


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    parts = (value / 255 for value in ImageColor.getrgb(colour))
    r, g, b = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_readable_tone(outcome):
    tone = TONES[outcome]
    dark, light = sorted((luminance(tone.colour), luminance(tone.ink)))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert tone.word


def test_judged_outcomes_differ_in_colour_and_word():
    judged = [TONES[outcome] for outcome in Outcome if outcome.judged]
    assert len({tone.colour for tone in judged}) == len({tone.word for tone in judged}) == 3


def test_faces_can_be_given_other_tones():
    other = Tone("Other", "#8e2c6e", "#ffffff", "≠")
    shown = annotate_faces(Image.new("RGB", (400, 400)), report(LARGE), [other])
    assert shown.getpixel((101, 200)) == ImageColor.getrgb(other.colour)


def test_the_box_has_the_colour_of_its_outcome():
    photo = Image.new("RGB", (400, 400), "black")
    shown = annotate_faces(photo, report(LARGE))
    assert shown.getpixel((101, 200)) == ImageColor.getrgb(TONES[Outcome.FAKE].colour)
    assert shown.getpixel((200, 200)) == (0, 0, 0)
    assert photo.getpixel((101, 200)) == (0, 0, 0)


def test_a_label_stays_in_the_picture():
    face = FaceReport((380, 0, 400, 30), Outcome.FAKE, p_fake=0.9)
    shown = annotate_faces(Image.new("RGB", (400, 400), "black"), report(face))
    assert ImageColor.getrgb(TONES[Outcome.FAKE].colour) in {shown.getpixel((x, 3)) for x in range(300, 380)}


def test_a_photo_without_faces_is_only_scaled():
    photo = Image.effect_noise((2560, 1280), 50).convert("RGB")
    photo.info["exif"] = b"where it was taken"
    shown = annotate_faces(photo, report(size=photo.size))
    assert shown.size == (1280, 640)
    assert not shown.info
    assert photo.info


@pytest.mark.parametrize(
    ("size", "shown"),
    [((1280, 10), (1280, 10)), ((2560, 1280), (1280, 640)), ((100, 5000), (26, 1280)), ((9, 9), (9, 9))],
)
def test_display_size(size, shown):
    assert fit_display(Image.new("RGB", size)).size == shown
