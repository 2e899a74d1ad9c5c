"""Reports as lines of text: a table to read, JSON Lines and CSV for programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from typing import Any, Protocol

from virtus.results import FaceReport, ImageReport
from virtus.schema import Row, columns_of
from virtus.video import PersonReport, VideoReport

BEFORE = "path outcome face face_outcome p_fake p_low p_high flips x0 y0 x1 y1 cautions novelty".split()
AFTER = "checkpoint sha256 prior reason decided_by".split()
ELSEWHERE = "outcome box_xyxy confidence stability reason".split()
"""Keys of a face's JSON that are no columns, or stand under another name or place."""
SETTINGS = "settings"


def csv_columns(face: type[FaceReport] = FaceReport) -> list[str]:
    """Of a line on a face or person; keys of its JSON that are named nowhere above stand before the checkpoint."""
    more = [key.name for key in columns_of(face) if key.name not in {*BEFORE, *AFTER, *ELSEWHERE}]
    return [*BEFORE, *more, *AFTER]


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

    def write(self, report: Row) -> None:
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
        self.writer = csv_writer(stream, [*csv_columns(), *self.common])
        self.writer.writeheader()

    def write(self, report: ImageReport | VideoReport) -> None:
        self.writer.writerows(line | self.common for line in csv_lines(report))
        self.stream.flush()


class TableRows:
    """One line a picture or clip: outcome, p of the face or person that decided it, number of these, path.

    In brackets why nothing was judged, or which face of several decided, counted from 0, what p of it does under small
    changes, its reason, and its cautions.
    """

    def __init__(self, stream: Writable):
        self.stream = stream
        self.stream.write(f"{'outcome':14}  {'p_fake':>6}  {'faces':>5}  path\n")

    def write(self, report: ImageReport | VideoReport) -> None:
        decisive, count = _decisive(report), len(_parts(report))
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
    """Dicts to lines, without keys that are no columns; a name with a line ending in it stands in quotes."""
    return csv.DictWriter(_LineFeeds(stream), columns, restval="", extrasaction="ignore", lineterminator="\r\n")


def csv_lines(report: ImageReport | VideoReport) -> list[dict[str, Any]]:
    """`csv_columns` of each face or person, and other keys."""
    note, info = report.note, report.checkpoint
    common = {"path": report.path, "outcome": report.outcome, "checkpoint": info.name, "sha256": info.sha256}
    common |= {"prior": report.prior, "reason": _joined(report.reason, note), "decided_by": report.decided_by}
    lines = [
        _cells(index, part) | common | {"reason": _joined(part.reason or report.reason, note)}
        for index, part in enumerate(_parts(report))
    ]
    return lines or [common]


def _cells(index: int, part: FaceReport | PersonReport) -> dict[str, Any]:
    """What is nested in its JSON stands side by side here. A person's quartiles are p_low and p_high."""
    row = part.to_json()
    steady = row.get("stability") or {}
    cells = row | {"face": index, "face_outcome": row["outcome"], "cautions": ";".join(row.get("cautions", ()))}
    cells |= dict(zip(("x0", "y0", "x1", "y1"), row.get("box_xyxy", ()), strict=False))
    cells |= {"p_low": steady["low"], "p_high": steady["high"], "flips": steady["flips"]} if steady else {}
    return {name: str(cell).lower() if isinstance(cell, bool) else cell for name, cell in cells.items()}


def notes_on(report: ImageReport | VideoReport) -> list[str]:
    """Why nothing was judged; of the face or person that decided, which it is, interval, reason and cautions."""
    notes = [report.reason]
    if decisive := _decisive(report):
        if len(_parts(report)) > 1:
            notes.append(f"{'person' if isinstance(report, VideoReport) else 'face'} {report.decided_by} decided")
        cautions = ", ".join(caution.name.replace("_", " ") for caution in decisive.cautions)
        notes += [_interval(decisive), decisive.reason, cautions]
    return [note for note in (*notes, report.note) if note]


def _interval(part: FaceReport | PersonReport) -> str | None:
    if isinstance(part, PersonReport):
        if part.num_counted == 1:
            return "by 1 frame"
        return f"p_fake {part.p_low:.3f} to {part.p_high:.3f} in half of {part.num_counted} frames"
    return part.stability and part.stability.in_words()


def _parts(report: ImageReport | VideoReport) -> Sequence[FaceReport | PersonReport]:
    return report.persons if isinstance(report, VideoReport) else report.faces


def _decisive(report: ImageReport | VideoReport) -> FaceReport | PersonReport | None:
    return report.decisive_person if isinstance(report, VideoReport) else report.decisive_face


def _joined(*sentences: str | None) -> str:
    return " ".join(filter(None, sentences))
