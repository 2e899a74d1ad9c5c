"""Reports of clips as lines of text, among those of pictures."""

from __future__ import annotations

from virtus.video import PersonReport, VideoReport


def clip_csv_lines(report: VideoReport) -> list[dict]:
    """The columns of `CSV_COLUMNS` for each person, those without a value left out; its quartiles are p_low, p_high."""
    info = report.checkpoint
    row = {"path": report.path, "outcome": report.outcome, "checkpoint": info.name, "sha256": info.sha256}
    row |= {"prior": report.prior, "reason": _joined(report.reason, report.note)}
    return [row | _person_columns(index, person, report) for index, person in enumerate(report.persons)] or [row]


def clip_notes(report: VideoReport) -> list[str]:
    """Why nothing was judged; of the person that decided, in how many frames, its spread, reason and cautions."""
    person = report.decisive_person
    return [note for note in (report.reason, *(_person_notes(person) if person else ()), report.note) if note]


def _person_notes(person: PersonReport) -> tuple[str | None, ...]:
    spread = f"p_fake {person.p_low:.3f} to {person.p_high:.3f} in half of {person.num_counted} frames"
    return spread, person.reason, ", ".join(caution.name.replace("_", " ") for caution in person.cautions)


def _person_columns(index: int, person: PersonReport, report: VideoReport) -> dict:
    row = person.to_json()
    known = {name: "" if row[name] is None else row[name] for name in ("p_fake", "p_low", "p_high", "novelty")}
    known |= {"cautions": ";".join(row["cautions"])}
    known |= {"reason": _joined(person.reason, report.note)} if person.reason else {}
    return {"face": index, "face_outcome": row["outcome"]} | known


def _joined(*sentences: str | None) -> str:
    return " ".join(filter(None, sentences))
