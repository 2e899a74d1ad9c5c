"""The summary picture and its words, computed by hand for a few made-up reports."""

import io
from datetime import date

import pytest
from PIL import Image

from virtus.annotate import TONES
from virtus.results import CheckpointInfo, FaceCrop, FaceReport, ImageReport, Outcome
from virtus.summary_picture import (
    BAR_HEIGHT,
    LARGE,
    MARGIN,
    NUM_FIRST,
    THUMBNAIL_SIDE,
    WIDTH,
    count_outcomes,
    draw_summary,
    first_to_look_at,
    make_entry,
    summary_in_words,
)

INFO = CheckpointInfo("tiny", "local", "0123456789abcdef")
BAR_TOP = MARGIN + LARGE + 36


def judged(name, outcome, p_fake, colour="red"):
    crop = FaceCrop(Image.new("RGB", (80, 60), colour), (0, 0, 80, 60))
    face = FaceReport((0, 0, 80, 60), outcome, crop=crop, p_fake=p_fake)
    return make_entry(ImageReport(outcome, INFO, (face,), path=name), Image.new("RGB", (200, 100), "white"))


def unjudged(name, outcome, photo=None):
    return make_entry(ImageReport(outcome, INFO, path=name, reason="why"), photo)


def mixed():
    return [
        judged("a/real.jpg", Outcome.REAL, 0.05),
        judged("weak.jpg", Outcome.FAKE, 0.91),
        judged("unsure.jpg", Outcome.INCONCLUSIVE, 0.97),
        judged("a/strong.jpg", Outcome.FAKE, 0.99),
        unjudged("text.jpg", Outcome.UNREADABLE),
    ]


def colour_of(outcome):
    return tuple(int(TONES[outcome].colour[at : at + 2], 16) for at in (1, 3, 5))


def test_outcomes_are_counted_gravest_first():
    counts = count_outcomes(entry.report for entry in mixed())
    assert list(counts.items()) == [
        (Outcome.FAKE, 2),
        (Outcome.INCONCLUSIVE, 1),
        (Outcome.REAL, 1),
        (Outcome.UNREADABLE, 1),
    ]


def test_fakes_come_first_then_what_could_not_be_told_by_falling_p():
    assert [entry.report.path for entry in first_to_look_at(mixed())] == ["a/strong.jpg", "weak.jpg", "unsure.jpg"]
    many = [judged(f"{at}.jpg", Outcome.FAKE, at / 100) for at in range(NUM_FIRST + 3)]
    assert [entry.report.path for entry in first_to_look_at(many)] == [f"{at}.jpg" for at in range(8, 2, -1)]


def test_the_words_say_what_the_picture_shows():
    assert summary_in_words(mixed()) == (
        "5 photos: 2 fake, 1 inconclusive, 1 real, 1 not readable. "
        "Look at these first: a/strong.jpg, Fake, p 0.990; weak.jpg, Fake, p 0.910; unsure.jpg, Inconclusive, p 0.970."
    )
    assert summary_in_words([unjudged("none.jpg", Outcome.NO_FACE)]) == "1 photo: 1 no face found."


def test_the_bar_has_each_outcomes_share_of_the_width():
    picture = draw_summary(mixed(), made_on=date(2026, 11, 21))
    y = BAR_TOP + 6
    fifth = (WIDTH - 2 * MARGIN) / 5
    row = [picture.getpixel((round(MARGIN + (at + 0.2) * fifth), y)) for at in range(5)]
    order = (Outcome.FAKE, Outcome.FAKE, Outcome.INCONCLUSIVE, Outcome.REAL, Outcome.UNREADABLE)
    assert row == [colour_of(outcome) for outcome in order]
    for at in (2, 3, 4):  # a gap before each of them but the first
        assert picture.getpixel((round(MARGIN + at * fifth) - 2, y)) == (255, 255, 255)
    assert picture.getpixel((WIDTH - MARGIN + 2, y)) == (255, 255, 255)
    assert picture.getpixel((MARGIN + 5, BAR_TOP + BAR_HEIGHT + 3)) == (255, 255, 255)


def test_thumbnails_are_of_the_face_that_decided_in_the_outcomes_frame():
    entries = [judged("a.jpg", Outcome.FAKE, 0.99, "lime"), judged("b.jpg", Outcome.REAL, 0.01, "red")]
    picture = draw_summary(entries, made_on=date(2026, 11, 21))
    colours = {colour for _, colour in picture.getcolors(2**20)}
    assert any(green > 200 > 100 > max(red, blue) for red, green, blue in colours)
    assert not any(red > 200 > 60 > max(green, blue) for red, green, blue in colours)  # the real one is not shown


def test_a_single_one_among_hundreds_is_still_seen():
    entries = [judged("a.jpg", Outcome.FAKE, 0.99)] + [unjudged("b.jpg", Outcome.NO_FACE)] * 999
    picture = draw_summary(entries, made_on=date(2026, 11, 21))
    assert picture.getpixel((MARGIN + 1, BAR_TOP + 6)) == colour_of(Outcome.FAKE)


@pytest.mark.parametrize("name", ["x" * 500, "Łódź 東京.jpg", "", "a/b/c.jpg"])
def test_any_name_fits(name):
    picture = draw_summary([judged(name, Outcome.FAKE, 0.99)], made_on=date(2026, 11, 21))
    assert picture.width == WIDTH
    right = picture.crop((WIDTH - MARGIN + 1, 0, WIDTH, picture.height))
    assert right.getcolors() == [(right.width * right.height, (255, 255, 255))]


def test_an_entry_keeps_no_picture_but_a_small_one():
    photo = Image.new("RGB", (3000, 2000), "blue")
    photo.info["exif"] = b"Exif\0\0secret place"
    entry = unjudged("a.jpg", Outcome.NO_FACE, photo)
    with Image.open(io.BytesIO(entry.thumbnail)) as small:
        assert small.size == (THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    assert b"secret" not in entry.thumbnail
    assert judged("a.jpg", Outcome.FAKE, 0.9).report.faces[0].crop is None
    assert unjudged("a.jpg", Outcome.UNREADABLE).thumbnail is None
