"""Comparisons as lines of text: a table with a column for each checkpoint, JSON Lines and CSV for programs."""

from __future__ import annotations

from collections import Counter
from string import ascii_uppercase

from virtus.judging import Agreement, Comparison
from virtus.results import ImageReport
from virtus.scans.rows import JsonRows, Writable, csv_columns, csv_lines, csv_writer, in_one_line, notes_on


def comparison_columns() -> list[str]:
    path, *others = csv_columns()
    return [path, "agreement", *others]


class ComparisonTable:
    """One line a picture: whether they agree, what each says, number of faces, path.

    Above it, which letter stands for which checkpoint. In brackets on which faces they disagree, where there are
    several, and what each notes: see `virtus.scans.rows.TableRows`.
    """

    def __init__(self, stream: Writable):
        self.stream = stream
        self.headed = False

    def write(self, comparison: Comparison) -> None:
        if not self.headed:
            self._write_head(comparison)
        says = "  ".join(f"{_verdict(report):20}" for report in comparison.reports)
        path, faces = comparison.reports[0].path, len(comparison.by_face)
        notes = "".join(f"  ({note})" for note in _notes(comparison))
        self.stream.write(in_one_line(f"{comparison.agreement or '-':9}  {says}  {faces:>5}  {path}{notes}") + "\n")
        self.stream.flush()

    def _write_head(self, comparison: Comparison) -> None:
        for letter, report in zip(ascii_uppercase, comparison.reports, strict=False):
            info = report.checkpoint
            known = [info.revision[:12], f"sha256 {info.sha256[:12]}", *([] if info.calibration else ["uncalibrated"])]
            self.stream.write(f"{letter}: {info.name} ({', '.join(known)})\n")
        letters = "  ".join(f"{letter:20}" for letter in ascii_uppercase[: len(comparison.reports)])
        self.stream.write(f"{'agreement':9}  {letters}  {'faces':>5}  path\n")
        self.headed = True


class ComparisonCsv:
    """One line for each face and checkpoint, the checkpoints' lines on a face together.

    What was said of the whole picture, or of none, is said again at every face.
    """

    def __init__(self, stream: Writable):
        self.stream = stream
        self.writer = csv_writer(stream, comparison_columns())
        self.writer.writeheader()

    def write(self, comparison: Comparison) -> None:
        agreements = comparison.by_face or (None,)
        lines = list(map(csv_lines, comparison.reports))
        for index, agreement in enumerate(agreements):
            on_face = (of_report[min(index, len(of_report) - 1)] for of_report in lines)
            self.writer.writerows(line | {"agreement": agreement or ""} for line in on_face)
        self.stream.flush()


COMPARISON_ROWS = {"table": ComparisonTable, "json": JsonRows, "csv": ComparisonCsv}


def summary(counted: Counter[Agreement | None]) -> str:
    """How often they disagreed, from the number of pictures of each agreement."""
    compared = sum(number for agreement, number in counted.items() if agreement)
    if not compared:
        return "No picture was judged, so there is nothing to compare."
    return (
        f"Of {compared} pictures compared, they disagree in {counted[Agreement.DISAGREE]} (one says real, another "
        f"fake), agree in {counted[Agreement.AGREE]}, and in {counted[Agreement.UNDECIDED]} at least one cannot tell."
    )


def _verdict(report: ImageReport) -> str:
    face = report.decisive_face
    return f"{report.outcome} {face.p_fake:.3f}" if face else str(report.outcome)


def _notes(comparison: Comparison) -> list[str]:
    """What all of them note once, what one of them notes with its letter."""
    by_report = [notes_on(report) for report in comparison.reports]
    common = [note for note in by_report[0] if all(note in notes for notes in by_report)]
    special = [
        f"{letter}: {note}"
        for letter, notes in zip(ascii_uppercase, by_report, strict=False)
        for note in notes
        if note not in common
    ]
    return [*_where(comparison), *common, *special]


def _where(comparison: Comparison) -> list[str]:
    """On which faces, counted from 0, where there are several."""
    at = [str(index) for index, agreement in enumerate(comparison.by_face) if agreement is Agreement.DISAGREE]
    return [f"disagree on face {', '.join(at)}"] if at and len(comparison.by_face) > 1 else []
