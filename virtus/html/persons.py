"""A verdict on a person in a clip as HTML. Every text from outside is escaped."""

from __future__ import annotations

from html import escape

from virtus.checkpoints import at_prior
from virtus.drawing import TONES
from virtus.html.verdict import assumed, bar, chip, listed, message, percent, promise
from virtus.results import Outcome
from virtus.video import PersonReport, VideoReport

TOO_SMALL = "Choose another person, or a larger clip."
NOT_MORE = "Frames of one clip are much alike: all of them together are no surer than one photo."


def person_words(person: PersonReport) -> str:
    """A person's verdict in a few words: "Fake: 87 %", "Too small"."""
    word = TONES[person.outcome].word
    if person.p_fake is None or person.outcome is Outcome.INCONCLUSIVE:
        return word
    return f"{word}: {percent(1 - person.p_fake if person.outcome is Outcome.REAL else person.p_fake)}"


def person_verdict(report: VideoReport, index: int) -> str:
    """The chosen person of a judged clip: its verdict, and the bar with its spread."""
    person = report.persons[index]
    if person.p_fake is None:
        return message("This face is too small to be judged", TOO_SMALL, person.outcome)
    used = at_prior(report.checkpoint.calibration, report.prior)
    spread = f", half of the frames from {person.p_low:.3f} to {person.p_high:.3f}"
    doubts = [*([report.note] if report.note else []), *(caution.sentence for caution in person.cautions)]
    interval = (person.p_low, person.p_high)
    return f"""<section class="panel verdict" aria-label="Verdict" data-outcome="{person.outcome}">
<p class="which">{_which(report, index)}</p>
<h2>{chip(person.outcome, person_words(person))}</h2>
{bar(person.p_fake, TONES[person.outcome].colour, used, interval=interval, under=spread)}
{listed(doubts)}
<p class="fine trust">{escape(_how_sure(report, person))}</p>
</section>"""


def clip_not_judged(report: VideoReport) -> str:
    """The panel for a clip without a verdict: unreadable, no face, or too small ones."""
    said = " ".join(filter(None, (report.reason, report.note)))
    return message(TONES[report.outcome].word, said, report.outcome)


def _which(report: VideoReport, index: int) -> str:
    person, total = report.persons[index], len(report.times_s)
    who = f"Person {index + 1} of {len(report.persons)}" if len(report.persons) > 1 else "The person"
    return f"{who} · {person.num_counted} of {total} frames judged · {report.duration_s:.1f} s of clip"


def _how_sure(report: VideoReport, person: PersonReport) -> str:
    """What the number is, what the outcome rests on, and what the number assumes."""
    said = person.reason or promise(person.outcome, report.checkpoint.calibration, report.prior)
    median = "The number is the median of the frames; the thick line holds the middle half of them."
    return f"{said} {median} {NOT_MORE} {assumed(report.prior, 'clips')} It is the model's opinion, not evidence."
