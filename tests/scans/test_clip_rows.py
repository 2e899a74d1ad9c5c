import csv
import io
import json

import pytest

from tests.support.clips import numbered, scene, write_clip
from tests.support.command import virtus_here
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.scans.rows import ROWS
from virtus.video.analysis import analyze_files


@pytest.fixture(scope="module")
def files(tmp_path_factory, astronaut):
    """A photo, a clip of two persons, one without a face, one that is cut off, and one that is none; in this order."""
    folder = tmp_path_factory.mktemp("files")
    two = [scene(("hopper", 0, 200), ("collins", 240, 200))] * 4
    cut = write_clip(folder / "cut.mp4", [scene(("collins", 4 * at, 200)) for at in range(24)], movflags="faststart")
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size * 6 // 10])
    (folder / "text.mov").write_text("no clip")
    clips = [
        write_clip(folder / "two.webm", two, codec="libvpx-vp9"),
        write_clip(folder / "none.mkv", numbered(6)),
        cut,
    ]
    return [str(path) for path in (astronaut, *clips, folder / "text.mov", astronaut)]


@pytest.fixture(scope="module")
def reports(files, make_checkpoint):
    detector = Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))
    return list(analyze_files(detector, files, num_frames=4))


def written(form, reports):
    stream = io.StringIO()
    rows = ROWS[form](stream)
    for report in reports:
        rows.write(report)
    return stream.getvalue()


def test_pictures_and_clips_come_in_their_order(reports, files):
    assert [report.path for report in reports] == files
    rows = [json.loads(line) for line in written("json", reports).splitlines()]
    assert [row.get("kind") for row in rows] == [None, "video", "video", "video", "video", None]
    assert [len(row.get("persons", ())) for row in rows] == [0, 2, 0, 1, 0, 0]
    assert rows[0] == rows[-1]
    assert "only what can be read" in rows[3]["note"]
    assert "not a clip that can be read" in rows[4]["reason"]


def test_csv_has_a_line_for_each_person(reports, files):
    rows = list(csv.DictReader(io.StringIO(written("csv", reports))))
    assert [row["path"] for row in rows] == [files[0], *[files[1]] * 2, *files[2:]]
    _, hopper, collins, none, cut, text, _ = rows
    for row, person in zip((hopper, collins), reports[1].persons, strict=True):
        assert (row["face_outcome"], float(row["p_fake"])) == (person.outcome, pytest.approx(person.p_fake, abs=1e-6))
        assert float(row["p_low"]) <= float(row["p_fake"]) <= float(row["p_high"])
        assert row["x0"] == ""
    assert [row["face"] for row in rows] == ["0", "0", "1", "", "0", "", "0"]
    assert (none["outcome"], none["p_fake"]) == ("no_face", "")
    assert "only what can be read" in cut["reason"]
    assert text["outcome"] == "unreadable"


def test_the_table_has_a_line_for_each_clip(reports, files):
    _, photo, two, none, cut, text, _ = written("table", reports).splitlines()
    person = reports[1].decisive_person
    assert two.split()[:4] == [str(reports[1].outcome), f"{person.p_fake:.3f}", "2", files[1]]
    assert f"(p_fake {person.p_low:.3f} to {person.p_high:.3f} in half of 4 frames)" in two
    assert "in half of" not in photo
    assert none.startswith("no_face")
    assert "in any of the 4 frames" in none
    assert "is cut off or damaged" in cut
    assert text.startswith("unreadable")


def test_scan_judges_clips_among_pictures(files, make_checkpoint):
    how = ["--model", make_checkpoint(), "--precision", "float32", "--format", "json", "--frames", 3]
    done = virtus_here("scan", *files[:2], *how)
    photo, clip = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0, done.stderr
    assert len(photo["faces"]) == 1
    assert (len(clip["times_s"]), [person["num_frames"] for person in clip["persons"]]) == (3, [3, 3])


@pytest.mark.parametrize("frames", ["0", "-1", "x", "2.5"])
def test_frames_are_a_whole_number(frames):
    from virtus.cli.commands import build_parser

    with pytest.raises(SystemExit):
        build_parser().parse_args(["scan", "a.mp4", f"--frames={frames}"])


def test_more_frames_than_are_judged_are_said_to_be(make_checkpoint, files):
    detector = Detector(load_checkpoint(str(make_checkpoint()), precision="float32"))
    (report,) = analyze_files(detector, files[1:2], num_frames=301)
    assert report.reason == "At most 300 frames are judged, not 301."
