"""Comparisons as table, JSON Lines and CSV, and `scan` with several checkpoints."""

import csv
import io
import json
from collections import Counter
from dataclasses import replace

import pytest
from PIL import Image

from tests.support.command import virtus_here
from virtus.cli.commands import main
from virtus.judging.comparison import Agreement, Comparison
from virtus.results import Calibration, Caution, CheckpointInfo, FaceReport, ImageReport, Outcome
from virtus.scans.comparison_rows import ComparisonCsv, ComparisonTable, summary

CALIBRATED = CheckpointInfo("virtus-fast", "bundled", "ab" * 32, Calibration(1.0, 0.25, 0.75))
OTHER = CheckpointInfo("owner/name", "0123456789abcdef", "cd" * 32)
SAYS_REAL = {"temperature": 1.0, "bias": -20.0, "real_below": 0.25, "fake_above": 0.75}
SMALL, TURNED = Caution("small", "Small."), Caution("turned_away", "Turned.")


def face(outcome, p_fake, *cautions):
    return FaceReport((0.0, 0.0, 9.0, 9.0), outcome, p_fake=p_fake, cautions=cautions)


def picture(info, *faces, outcome=Outcome.FAKE):
    return ImageReport(outcome, info, faces, (100, 100), "a, b.jpg")


TWO_FACES = Comparison(
    (
        picture(CALIBRATED, face(Outcome.FAKE, 0.875, SMALL), face(Outcome.REAL, 0.125)),
        picture(OTHER, face(Outcome.FAKE, 0.75, SMALL, TURNED), face(Outcome.FAKE, 0.625)),
    )
)
NO_FACE = Comparison(
    tuple(replace(picture(one, outcome=Outcome.NO_FACE), path="c.jpg", reason="None.") for one in (CALIBRATED, OTHER))
)


def written(rows_class):
    stream = io.StringIO()
    rows = rows_class(stream)
    for comparison in (TWO_FACES, NO_FACE):
        rows.write(comparison)
    return stream.getvalue()


def test_the_table_has_a_column_for_each_and_says_where_they_disagree():
    first, second, head, row, last = written(ComparisonTable).splitlines()
    assert first == "A: virtus-fast (bundled, sha256 abababababab)"
    assert second == "B: owner/name (0123456789ab, sha256 cdcdcdcdcdcd, uncalibrated)"
    assert head.split() == ["agreement", "A", "B", "faces", "path"]
    assert row.split()[:6] == ["disagree", "fake", "0.875", "fake", "0.750", "2"]
    assert row.endswith("a, b.jpg  (disagree on face 1)  (face 0 decided)  (A: small)  (B: small, turned away)")
    assert last.split() == ["-", "no_face", "no_face", "0", "c.jpg", "(None.)"]


def test_csv_is_one_line_a_face_and_checkpoint():
    rows = list(csv.DictReader(io.StringIO(written(ComparisonCsv))))
    assert list(rows[0]) == [
        *"path agreement outcome face face_outcome p_fake p_low p_high flips x0 y0 x1 y1".split(),
        *"cautions novelty whole_image checkpoint sha256 prior reason decided_by".split(),
    ]
    assert [(row["face"], row["checkpoint"], row["agreement"], row["p_fake"]) for row in rows] == [
        ("0", "virtus-fast", "agree", "0.875"),
        ("0", "owner/name", "agree", "0.75"),
        ("1", "virtus-fast", "disagree", "0.125"),
        ("1", "owner/name", "disagree", "0.625"),
        ("", "virtus-fast", "", ""),
        ("", "owner/name", "", ""),
    ]
    assert {row["path"] for row in rows[:4]} == {"a, b.jpg"}


def test_the_summary_counts_pictures():
    counted = Counter([Agreement.DISAGREE, Agreement.AGREE, Agreement.AGREE, Agreement.UNDECIDED, None])
    assert summary(counted).startswith("Of 4 pictures compared, they disagree in 1 (")
    assert "agree in 2, and in 1 at least one cannot tell." in summary(counted)
    assert summary(Counter([None])).startswith("No picture was judged")


@pytest.fixture
def two_models(make_checkpoint):
    folders = [make_checkpoint(own={"calibration": SAYS_REAL | {"bias": bias}}) for bias in (-20.0, 20.0)]
    return [word for folder in folders for word in ("--model", folder)]


@pytest.fixture
def album(make_image, tmp_path):
    make_image().save(tmp_path / "face.png")
    (tmp_path / "broken.png").write_bytes(b"")
    return tmp_path


def test_scan_by_two_checkpoints(two_models, album):
    done = virtus_here("scan", *two_models, album, "--whole-image", "--format", "json")
    broken, judged = map(json.loads, done.stdout.splitlines())
    assert (judged["agreement"], [report["outcome"] for report in judged["reports"]]) == ("disagree", ["real", "fake"])
    assert [report["checkpoint"]["name"] for report in judged["reports"]] == [str(name) for name in two_models[1::2]]
    assert (broken["agreement"], {report["outcome"] for report in broken["reports"]}) == (None, {"unreadable"})
    assert "Of 1 pictures compared, they disagree in 1" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize(("form", "said"), [("table", "disagree   real 0.000"), ("csv", "face.png,disagree,real,0,")])
def test_scan_by_two_checkpoints_in_other_forms(two_models, album, capsys, form, said):
    command = ["scan", *map(str, two_models), str(album / "face.png"), "--whole-image", "--format", form]
    assert main(command) == 0
    assert said in capsys.readouterr().out


def test_one_model_is_a_scan_as_ever(two_models, album, capsys):
    assert main(["scan", *map(str, two_models[:2]), str(album / "face.png"), "--whole-image", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "real"


def test_the_same_model_twice_is_wrong_use(two_models, album, capsys):
    assert main(["scan", *map(str, two_models[:2] * 2), str(album), "--whole-image"]) == 2
    out, err = capsys.readouterr()
    assert "was named twice" in err
    assert out == ""


def test_faces_are_compared_one_by_one(two_models, astronaut, tmp_path, capsys):
    photo = Image.new("RGB", (1024, 512))
    with Image.open(astronaut) as one:
        photo.paste(one, (0, 0))
        photo.paste(one.resize((200, 200)), (700, 200))  # its face is too small
    photo.save(tmp_path / "two.png")
    main(["scan", *map(str, two_models), str(tmp_path / "two.png"), "--format", "json"])
    row = json.loads(capsys.readouterr().out)
    assert row["by_face"] == ["disagree", None]
    assert [len(report["faces"]) for report in row["reports"]] == [2, 2]
