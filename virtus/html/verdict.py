"""Verdicts as HTML, on a face in a photo and on a person in a clip, for the app and for written reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from virtus.checkpoints import EVEN
from virtus.drawing import TONES
from virtus.html.templates import percent, render_part
from virtus.judging import thresholds_of
from virtus.results import Calibration, CheckpointInfo, FaceReport, ImageReport, Outcome
from virtus.video import PersonReport, VideoReport, thresholds_of_person

if TYPE_CHECKING:
    from markupsafe import Markup

NOT_EVIDENCE = "It is the model's opinion, not evidence."
HOW_MANY_FRAMES = (
    "The number is the median of the frames; the thick line holds the middle half of them. "
    "Frames of one clip are much alike: all of them together are no surer than one photo."
)


def face_words(face: FaceReport | PersonReport) -> str:
    """A verdict in a few words: "Fake: 87 %", "Too small"."""
    word = TONES[face.outcome].word
    if face.p_fake is None or face.outcome is Outcome.INCONCLUSIVE:
        return word
    return f"{word}: {percent(1 - face.p_fake if face.outcome is Outcome.REAL else face.p_fake)}"


def photo_words(report: ImageReport) -> str:
    """What the annotated photo shows, for those who do not see it."""
    faces = (f"{number} {face_words(face)}" for number, face in enumerate(report.faces, start=1))
    return f"The photo. Faces in it: {', '.join(faces) or 'none'}"


def face_verdict(report: ImageReport, index: int) -> Markup:
    """The chosen face of a judged photo: its verdict and its probability bar."""
    face = report.faces[index]
    if face.p_fake is None:
        sentence = "Choose another face, or a larger photo."
        return message_panel("This face is too small to be judged", sentence, face.outcome)
    several = f"Face {index + 1} of {len(report.faces)}" if len(report.faces) > 1 else "The face"
    several += ", which decides the photo" if len(report.faces) > 1 and index == report.decided_by else ""
    steady, interval, spread = face.stability, None, ""
    if steady:
        interval = steady.low, steady.high
        spread = f", from {steady.low:.3f} to {steady.high:.3f} under small harmless changes"
    used = thresholds_of(report, index)
    return _verdict(
        face,
        used,
        which=several if face.face else "The whole image",
        interval=interval,
        spread=spread,
        doubts=[*([report.note] if report.note else []), *(caution.sentence for caution in face.cautions)],
        trust=f"{_basis(report, face, used)} {_assumption(report.prior, 'photos')} {NOT_EVIDENCE}",
    )


def person_verdict(report: VideoReport, index: int) -> Markup:
    """The chosen person of a judged clip: its verdict, and the bar with its spread."""
    person = report.persons[index]
    if person.p_fake is None or person.p_low is None or person.p_high is None:
        sentence = "Choose another person, or a larger clip."
        return message_panel("This face is too small to be judged", sentence, person.outcome)
    who = f"Person {index + 1} of {len(report.persons)}" if len(report.persons) > 1 else "The person"
    judged = f"{person.num_counted} of {len(report.times_s)} frames judged"
    used = thresholds_of_person(report, index)
    return _verdict(
        person,
        used,
        which=f"{who} · {judged} · {report.duration_s:.1f} s of clip",
        interval=(person.p_low, person.p_high),
        spread=f", half of the frames from {person.p_low:.3f} to {person.p_high:.3f}",
        doubts=[*([report.note] if report.note else []), *(caution.sentence for caution in person.cautions)],
        trust=f"{_basis(report, person, used)} {HOW_MANY_FRAMES} {_assumption(report.prior, 'clips')} {NOT_EVIDENCE}",
    )


def animation_verdict(report: VideoReport) -> Markup:
    """A picture that moves, given as a photo: the verdict on the person who decides, and which frames were judged."""
    person = report.decisive_person
    if person is None or person.key_frame is None:
        return not_judged(report)
    times = ", ".join(f"{time_s:.1f}" for time_s in report.times_s)
    shown = f"{person.key_frame.time_s:.1f}"
    told = render_part("verdict.html", "animation", times=times, shown=shown)
    return person_verdict(report, report.persons.index(person)) + told


def message_panel(title: str, sentence: str, outcome: Outcome | str) -> Markup:
    """A panel without a number: why nothing was judged; `outcome` is "error" where something went wrong."""
    return render_part("verdict.html", "message", title=title, sentence=sentence, outcome=outcome)


def not_judged(report: ImageReport | VideoReport) -> Markup:
    """The panel for a photo or a clip without a verdict: unreadable, no face, or too small ones."""
    return message_panel(
        TONES[report.outcome].word, " ".join(filter(None, (report.reason, report.note))), report.outcome
    )


def checkpoint_line(info: CheckpointInfo | None) -> Markup:
    """The line that says which weights judge; None where none can."""
    return render_part("verdict.html", "checkpoint", info=info)


def band_words(thresholds: Calibration) -> str:
    """Where nothing can be told, or the one threshold."""
    low, high = thresholds.real_below, thresholds.fake_above
    return f"threshold {low:.2f}" if low == high else f"inconclusive from {low:.2f} to {high:.2f}"


def _verdict(
    face: FaceReport | PersonReport,
    used: Calibration,
    *,
    which: str,
    interval: tuple[float, float] | None,
    spread: str,
    doubts: Iterable[str],
    trust: str,
) -> Markup:
    return render_part(
        "verdict.html",
        "verdict",
        outcome=face.outcome,
        which=which,
        words=face_words(face),
        p_fake=face.p_fake,
        used=used,
        band=band_words(used),
        interval=interval,
        spread=spread,
        doubts=doubts,
        trust=trust,
    )


def _basis(report: ImageReport | VideoReport, face: FaceReport | PersonReport, used: Calibration) -> str:
    """What the outcome rests on, and what the thresholds promise."""
    if face.reason:
        return face.reason
    if report.checkpoint.calibration is None:
        return "Uncalibrated: the threshold is 0.5 for want of a better one."
    if face.outcome is Outcome.INCONCLUSIVE:
        band = f"between {used.real_below:.2f} and {used.fake_above:.2f}"
        return f"This model cannot tell: {band} it would err too often."
    unlike = "On other kinds of photos it errs more often."
    return f"Calibrated: beyond its thresholds it erred at most one time in twenty on photos like its own. {unlike}"


def _assumption(prior: float, what: str) -> str:
    """What every number takes for granted."""
    others = "." if prior != EVEN else ", as many as are real."
    return f"The number assumes that {percent(prior)} of {what} like this are fake{others}"
