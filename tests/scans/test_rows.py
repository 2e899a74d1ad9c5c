import csv
import io
import json
from dataclasses import replace

from virtus.results import Caution, CheckpointInfo, FaceReport, ImageReport, Outcome, Stability
from virtus.scans.rows import CsvRows, JsonRows, TableRows

INFO = CheckpointInfo("virtus-fast", "bundled", "ab" * 32)
TWO_FACES = ImageReport(
    Outcome.FAKE,
    INFO,
    (
        FaceReport((0.0, 0.0, 90.0, 90.0), Outcome.REAL, p_fake=0.125),
        FaceReport((10.0, 0.0, 60.0, 60.0), Outcome.FAKE, p_fake=0.875),
    ),
    (100, 100),
    "a, b.jpg",
)
NO_FACE = ImageReport(Outcome.NO_FACE, INFO, (), (100, 100), "c.jpg", "No face was found.")


def written(rows_class) -> str:
    stream = io.StringIO()
    rows = rows_class(stream)
    for report in (TWO_FACES, NO_FACE):
        rows.write(report)
    return stream.getvalue()


def test_the_table_shows_the_p_that_decided():
    head, first, second = written(TableRows).splitlines()
    assert head.split() == ["outcome", "p_fake", "faces", "path"]
    assert first.split() == ["fake", "0.875", "2", "a,", "b.jpg", "(face", "1", "decided)"]
    assert second == f"{'no_face':14}  {'':6}  {0:5}  c.jpg  (No face was found.)"


def test_a_name_in_the_table_neither_ends_the_line_nor_commands_the_terminal():
    name = "two\nlines\r\x1b[2J\x9b\u2028\u202egpj.exe \\ \udcff é😀.jpg"
    stream = io.StringIO()
    TableRows(stream).write(replace(NO_FACE, path=name))
    shown = r"two\nlines\r\x1b[2J\x9b\u2028\u202egpj.exe \ \udcff é😀.jpg"
    assert stream.getvalue().splitlines()[1].endswith(f"  {shown}  (No face was found.)")


def test_json_is_one_object_a_line():
    assert [json.loads(line) for line in written(JsonRows).splitlines()] == [TWO_FACES.to_json(), NO_FACE.to_json()]


def test_an_unsteady_face_is_shown_with_interval_and_reason():
    stability = Stability({"mirrored": 0.25}, low=0.25, high=0.875, flips=True)
    face = FaceReport((0.0, 0.0, 9.0, 9.0), Outcome.INCONCLUSIVE, p_fake=0.875, stability=stability, reason="It flips.")
    report = ImageReport(Outcome.INCONCLUSIVE, INFO, (face,), (9, 9), "d.jpg", prior=0.25)
    table, lines = io.StringIO(), io.StringIO()
    TableRows(table).write(report)
    CsvRows(lines).write(report)
    assert table.getvalue().endswith("d.jpg  (p_fake 0.250 to 0.875 under small changes)  (It flips.)\n")
    (row,) = csv.DictReader(io.StringIO(lines.getvalue()))
    assert (row["p_low"], row["p_high"], row["flips"], row["prior"]) == ("0.25", "0.875", "true", "0.25")
    assert row["reason"] == "It flips."


def test_csv_is_one_line_a_face():
    rows = list(csv.DictReader(io.StringIO(written(CsvRows))))
    assert list(rows[0]) == [
        *"path outcome face face_outcome p_fake p_low p_high flips x0 y0 x1 y1".split(),
        *"cautions novelty whole_image checkpoint sha256 prior reason decided_by".split(),
    ]
    assert [(row["path"], row["face"], row["p_fake"], row["x0"]) for row in rows] == [
        ("a, b.jpg", "0", "0.125", "0.0"),
        ("a, b.jpg", "1", "0.875", "10.0"),
        ("c.jpg", "", "", ""),
    ]
    assert rows[2]["reason"] == "No face was found."
    assert [row["decided_by"] for row in rows] == ["1", "1", ""]


def test_cautions_and_the_reason_of_a_face_stand_in_table_and_csv():
    cautions = (Caution("turned_away", "Turned."), Caution("unfamiliar", "Unlike."))
    face = FaceReport(
        (0.0, 0.0, 9.0, 9.0), Outcome.INCONCLUSIVE, p_fake=0.5, novelty=1.25, cautions=cautions, reason="Why."
    )
    report, stream, table = (
        ImageReport(Outcome.INCONCLUSIVE, INFO, (face,), (9, 9), "d.jpg"),
        io.StringIO(),
        io.StringIO(),
    )
    CsvRows(stream).write(report)
    (row,) = csv.DictReader(io.StringIO(stream.getvalue()))
    assert (row["cautions"], row["novelty"], row["reason"]) == ("turned_away;unfamiliar", "1.25", "Why.")
    TableRows(table).write(report)
    assert table.getvalue().endswith("d.jpg  (Why.)  (turned away, unfamiliar)\n")
