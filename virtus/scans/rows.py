"""Reports as lines of text: a table to read, JSON Lines and CSV for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Protocol

from virtus.results import FaceReport, ImageReport
from virtus.scans.clip_rows import clip_csv_lines, clip_notes
from virtus.video import PersonReport, VideoReport

CSV_COLUMNS = [
    *"path outcome face face_outcome p_fake p_low p_high flips x0 y0 x1 y1".split(),
    *"cautions novelty checkpoint sha256 prior reason".split(),
]
SETTINGS = "settings"
SCAN_COLUMNS = [*CSV_COLUMNS, SETTINGS]


class Writable(Protocol):
    """What rows are written to: standard output, a file."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...


class JsonRows:
    """One JSON object a line, one line a picture or clip.

    Args:
        settings: a list that every row has as `settings`: what else it depends on.
    """

    def __init__(self, stream: Writable, *, settings: Sequence[str] = ()):
        self.stream = stream
        self.common = {SETTINGS: list(settings)} if settings else {}

    def write(self, report: ImageReport | VideoReport) -> None:
        self.stream.write(json.dumps(report.to_json() | self.common, ensure_ascii=False) + "\n")
        self.stream.flush()


class CsvRows:
    """One line a face, numbered from 0, largest first; one line for a picture without faces. Of clips, persons.

    Args:
        settings: as in `JsonRows`; with `;` between them.
    """

    def __init__(self, stream: Writable, *, settings: Sequence[str] = ()):
        self.stream = stream
        self.common = {SETTINGS: ";".join(settings)} if settings else {}
        self.writer = csv_writer(stream, SCAN_COLUMNS if settings else CSV_COLUMNS)
        self.writer.writeheader()

    def write(self, report: ImageReport | VideoReport) -> None:
        self.writer.writerows(line | self.common for line in csv_lines(report))
        self.stream.flush()


class TableRows:
    """One line a picture or clip: outcome, p of the face or person that decided it, number of these, path.

    In brackets why nothing was judged, or what p of the face does under small changes, its reason, and its cautions.
    """

    def __init__(self, stream: Writable):
        self.stream = stream
        self.stream.write(f"{'outcome':14}  {'p_fake':>6}  {'faces':>5}  path\n")

    def write(self, report: ImageReport | VideoReport) -> None:
        decisive, count = _decisive(report)
        p_fake = f"{decisive.p_fake:.3f}" if decisive else ""
        notes = "".join(f"  ({note})" for note in notes_on(report))
        self.stream.write(in_one_line(f"{report.outcome:14}  {p_fake:>6}  {count:>5}  {report.path}{notes}") + "\n")
        self.stream.flush()


def in_one_line(text: str) -> str:
    """With the codes of what would end the line, turn it round, or command a terminal: names may hold anything."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


ROWS = {"table": TableRows, "json": JsonRows, "csv": CsvRows}


class _LineFeeds:
    """Ends lines with a line feed alone. The writer is told of both characters: it quotes only what it knows."""

    def __init__(self, stream: Writable):
        self.stream = stream

    def write(self, line: str) -> None:
        self.stream.write(line.removesuffix("\r\n") + "\n")


def csv_writer(stream: Writable, columns: Sequence[str]) -> csv.DictWriter:
    """Rows as dicts to lines; a name with a line ending in it stands within quotes."""
    return csv.DictWriter(_LineFeeds(stream), columns, restval="", lineterminator="\r\n")


def csv_lines(report: ImageReport | VideoReport) -> list[dict]:
    """`CSV_COLUMNS` of each face or person, those without a value left out."""
    if isinstance(report, VideoReport):
        return clip_csv_lines(report)
    info = report.checkpoint
    row = {"path": report.path, "outcome": report.outcome, "checkpoint": info.name, "sha256": info.sha256}
    row |= {"prior": report.prior, "reason": report.reason or ""}
    return [row | _face_columns(index, face) for index, face in enumerate(report.faces)] or [row]


def notes_on(report: ImageReport | VideoReport) -> list[str]:
    """Why nothing was judged; of the face or person that decided, its interval, its reason and its cautions."""
    if isinstance(report, VideoReport):
        return clip_notes(report)
    face = report.decisive_face
    return [note for note in (report.reason, *(_face_notes(face) if face else ())) if note]


def _decisive(report: ImageReport | VideoReport) -> tuple[FaceReport | PersonReport | None, int]:
    """Who decided, of how many."""
    if isinstance(report, VideoReport):
        return report.decisive_person, len(report.persons)
    return report.decisive_face, len(report.faces)


def _face_notes(face: FaceReport) -> tuple[str | None, ...]:
    cautions = ", ".join(caution.name.replace("_", " ") for caution in face.cautions)
    return face.stability and face.stability.in_words(), face.reason, cautions


def _face_columns(index: int, face: FaceReport) -> dict:
    row = face.to_json()
    box = dict(zip(("x0", "y0", "x1", "y1"), row["box_xyxy"], strict=True))
    known = {name: "" if row.get(name) is None else row[name] for name in ("p_fake", "novelty")}
    known["cautions"] = ";".join(row.get("cautions", ()))
    known |= {"reason": face.reason} if face.reason else {}
    if steady := row.get("stability"):
        known |= {"p_low": steady["low"], "p_high": steady["high"], "flips": str(steady["flips"]).lower()}
    return {"face": index, "face_outcome": row["outcome"]} | known | box
