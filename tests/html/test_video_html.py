import re
from dataclasses import replace

import pytest

from virtus.html.filmstrip import StripFrame, filmstrip_html
from virtus.html.verdict import face_words, not_judged, person_verdict
from virtus.results import Calibration, CheckpointInfo, FaceReport, Outcome
from virtus.video.report import Sight, VideoReport
from virtus.video.verdict import judge_person

USED = Calibration(temperature=1.0, real_below=0.2, fake_above=0.8)
INFO = CheckpointInfo("some/model", "abc", "0" * 64, USED)
FRAMES = [StripFrame(f"data:,{at}", at * 2.0, (200, 100)) for at in range(5)]


def person_of(*p_fakes, novelties=()):
    novelties = dict(enumerate(novelties))
    sights = []
    for at, p_fake in enumerate(p_fakes):
        outcome = Outcome.FAKE if p_fake is not None else Outcome.FACE_TOO_SMALL
        face = FaceReport((50, 25, 100, 75), outcome, p_fake=p_fake, novelty=novelties.get(at))
        sights.append(Sight(at, at * 2.0, face))
    return judge_person(sights, USED)


def report_of(*persons, complete=True, outcome=Outcome.FAKE):
    return VideoReport(outcome, INFO, persons, (0.0, 2.0, 4.0, 6.0, 8.0), duration_s=10.0, complete=complete)


def test_the_verdict_comes_with_its_spread_and_what_it_is_worth():
    html = person_verdict(report_of(person_of(0.9, 0.95, 0.85)), 0)
    assert 'data-outcome="fake"' in html
    assert "Fake: 90 %" in html
    assert "The person · 3 of 5 frames judged · 10.0 s of clip" in html
    assert "half of the frames from 0.877 to 0.929" in html
    assert "no surer than one photo" in html
    assert "is cut off" not in html


def test_a_person_of_several_says_which():
    report = report_of(person_of(0.9, 0.95, 0.85), person_of(0.1, 0.15, 0.05))
    assert "Person 2 of 2" in person_verdict(report, 1)
    assert [face_words(person) for person in report.persons] == ["Fake: 90 %", "Real: 90 %"]


def test_of_several_persons_the_band_reaches_to_what_so_many_ask_for():
    persons = [person_of(0.9, 0.95, 0.85), person_of(0.1, 0.15, 0.05), person_of(0.9)]
    report = report_of(*persons)
    report = replace(report, checkpoint=replace(INFO, calibration=replace(USED, fake_above_among=(0.93,))))
    assert "inconclusive from 0.20 to 0.93" in person_verdict(report, 0)
    assert "inconclusive from 0.20 to 0.80" in person_verdict(report, 2)  # seen in passing: it does not count


def test_a_reason_stands_in_the_verdict():
    html = person_verdict(report_of(person_of(0.1, 0.1, 0.9, 0.9)), 0)
    assert "The frames contradict each other: 2 came out as real and 2 as fake" in html
    assert face_words(person_of(0.1, 0.1, 0.9, 0.9)) == "Inconclusive"


def test_a_broken_tail_is_said_beside_every_verdict():
    said = "only what can be read of its first 10.0 s was judged"
    assert said in person_verdict(report_of(person_of(0.9, 0.95, 0.85), complete=False), 0)
    assert said in not_judged(report_of(outcome=Outcome.NO_FACE, complete=False))


def test_who_is_too_small_has_no_number():
    html = person_verdict(report_of(person_of(None, None)), 0)
    assert "too small to be judged" in html
    assert "Probability" not in html


def test_an_unreadable_clip_is_escaped():
    html = not_judged(VideoReport(Outcome.UNREADABLE, INFO, reason="<b>no</b>"))
    assert "&lt;b&gt;no&lt;/b&gt;" in html
    assert "Not readable" in html


def test_the_plot_has_every_frame_at_its_time_and_p():
    html = filmstrip_html(person_of(0.9, None, 0.95, 0.5), FRAMES, 10.0, USED)
    points = re.findall(r'data-frame="(\d)">.*?<circle cx="([\d.]+)%" cy="([\d.]+)%" r="6"', html)
    assert [(int(frame), float(x), float(y)) for frame, x, y in points] == [
        (0, 0, pytest.approx(10)), (2, 40, pytest.approx(5)), (3, 60, pytest.approx(50))
    ]  # fmt: skip
    assert html.count('class="ring"') == 1
    assert '<rect class="band" x="0" width="100%" y="20.0%" height="60.0%">' in html


def test_the_plot_is_said_in_words():
    html = filmstrip_html(person_of(0.9, 0.95, 0.5, 0.1), FRAMES, 10.0, USED)
    (said,) = re.findall(r'<svg role="img" aria-label="([^"]*)"', html)
    assert said.startswith(
        "p of fake over time in 4 frames: 1 real, 1 inconclusive, 2 fake. Median 0.75, least 0.10 at 6.0 s"
    )
    assert said.endswith("most 0.95 at 2.0 s; inconclusive from 0.20 to 0.80.")


def test_every_frame_can_be_chosen_also_without_the_person():
    html = filmstrip_html(person_of(0.9, 0.95, 0.85), FRAMES, 10.0, USED)
    labels = re.findall(r'<button [^>]*aria-label="([^"]*)" aria-pressed="(\w+)"', html)
    assert [pressed for _, pressed in labels] == ["false", "true", "false", "false", "false"]
    assert labels[0][0] == "At 0.0 s: Fake, p of fake 0.900"
    assert labels[4][0] == "At 8.0 s: the person is not seen"
    assert html.count("left: 25.0%; top: 25.0%; width: 25.0%; height: 50.0%") == 4  # three small, one large


def test_frames_that_do_not_count_are_hollow():
    html = filmstrip_html(person_of(0.9, 0.95, 0.85, 0.9, novelties=(0.5, 1.5, 0.5, 0.5)), FRAMES, 10.0, USED)
    assert html.count('fill="none" stroke="#') == 1
