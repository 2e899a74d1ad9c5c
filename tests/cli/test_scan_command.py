"""`scan --out`, stopped, killed and resumed as users would."""

import csv
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.support.command import ROOT, heed_ctrl_c
from virtus.cli import terminal
from virtus.cli.commands import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory, astronaut):
    """40 photos with a face, some of whose names are hard to write."""
    folder = tmp_path_factory.mktemp("many")
    for index in range(40):
        name = os.fsencode(str(folder / f"{index:02}")) + (b"\n,\xff.jpg" if index % 20 == 7 else b".jpg")
        with open(name, "wb") as copy:  # noqa: PTH123 (a name that is no UTF-8)
            copy.write(astronaut.read_bytes())
    return folder


@pytest.fixture
def walls(tmp_path, make_image):
    for index in range(3):
        make_image(seed=index).save(tmp_path / f"{index}.png")
    return tmp_path


def start_and_signal(out, arguments, *, rows, signal_number):
    """Run until there are so many lines; its exit status and standard error."""
    command = [sys.executable, "-m", "virtus", "scan", *map(str, arguments)]
    scan = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, preexec_fn=heed_ctrl_c)
    while scan.poll() is None:
        if out.exists() and out.read_bytes().count(b"\n") >= rows:
            scan.send_signal(signal_number)
            break
        time.sleep(0.01)
    said = scan.communicate()[1]
    return scan.returncode, said


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_scan_is_stopped_killed_and_resumed_and_every_row_is_there_once(folder, make_checkpoint, tmp_path, capsys):
    out = tmp_path / "rows.jsonl"
    arguments = [folder, "--out", out, "--jobs", "2", "--model", make_checkpoint()]
    status, said = start_and_signal(out, arguments, rows=8, signal_number=signal.SIGINT)
    assert status == 130
    assert said.endswith(f"virtus: stopped. {out} is whole; the same command with --resume goes on with it.\n")
    assert len(paths_in(out)) in range(8, 40)  # lines that a reader takes, short of the end
    arguments = [*arguments, "--resume"]
    there = out.read_bytes().count(b"\n")
    status, _ = start_and_signal(out, arguments, rows=there + 8, signal_number=signal.SIGKILL)
    assert status == -signal.SIGKILL
    assert main(["scan", *map(str, arguments)]) == 0
    assert "pictures were done before" in capsys.readouterr().err
    assert paths_in(out) == [f"{folder}/{name}" for name in sorted(os.listdir(folder))]  # noqa: PTH208 (as the walk sorts)


def paths_in(out):
    return [json.loads(line)["path"] for line in out.read_bytes().splitlines()]


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_csv_that_was_stopped_is_whole_and_is_not_gone_on_with(folder, make_checkpoint, tmp_path):
    out = tmp_path / "rows.csv"
    arguments = [folder, "--out", out, "--jobs", "2", "--model", make_checkpoint()]
    status, said = start_and_signal(out, arguments, rows=12, signal_number=signal.SIGINT)
    assert status == 130
    assert said.endswith(f"virtus: stopped. {out} has the rows until then.\n")
    content = out.read_bytes()
    assert len(rows_of(out)) in range(8, 40)  # a table that a reader takes, short of the end
    assert len(content.splitlines()) > len(rows_of(out)) + 1  # names with a line ending in them
    for asked in (out, tmp_path / "new.csv"):
        scan = [sys.executable, "-m", "virtus", "scan", str(folder), "--out", str(asked), "--resume"]
        done = subprocess.run(scan, cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        (line,) = done.stderr.splitlines()
        assert line.endswith(
            "--resume cannot go on with a CSV. Scan to a .jsonl file instead: --out rows.jsonl --resume."
        )
    assert out.read_bytes() == content
    assert not (tmp_path / "new.csv").exists()


def rows_of(out):
    with out.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, strict=True))


def test_the_suffix_or_the_format_says_how_rows_are_written(make_checkpoint, walls, capsys):
    scan = ["scan", str(walls), "--whole-image", "--model", str(make_checkpoint())]
    capsys.readouterr()
    assert main([*scan, "--out", str(walls / "a.jsonl")]) == 0
    assert main([*scan, "--out", str(walls / "b"), "--format", "json"]) == 0
    assert main([*scan, "--out", str(walls / "c.csv")]) == 0
    assert main([*scan, "--format", "json"]) == 0
    shown = capsys.readouterr()
    assert (walls / "a.jsonl").read_text() == (walls / "b").read_text() == shown.out
    ends = [line for line in shown.err.splitlines() if " left out: " not in line]  # of the rows themselves
    assert ends == [f"virtus: {walls}/{name} has rows of 3: 3 real" for name in ("a.jsonl", "b", "c.csv")]
    by_json, by_csv = [json.loads(line) for line in shown.out.splitlines()], rows_of(walls / "c.csv")
    assert [row["path"] for row in by_json] == [row["path"] for row in by_csv] == sorted(map(str, walls.glob("*.png")))
    assert [row["settings"] for row in by_json] == [
        ["float32" if not _has_bfloat16() else "bfloat16", "whole_image"]
    ] * 3
    assert [row["settings"].split(";") for row in by_csv] == [row["settings"] for row in by_json]


def _has_bfloat16():
    from virtus.models.hardware import has_bfloat16_units, resolve_device

    return has_bfloat16_units(resolve_device())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--resume", "name it by --out"),
        ("--out rows.txt", "Give it the suffix .jsonl or .csv"),
        ("--out rows.jsonl --format table", "Give it the suffix .jsonl or .csv"),
        ("--out rows.jsonl --format csv", "would not be csv by its suffix"),
        ("--out rows.csv --model a --model b", "for rows by one checkpoint"),
        ("--out rows.csv --report out.html", "for rows by one checkpoint"),
        ("--out nowhere/rows.csv", "cannot be written (No such file or directory)"),
        ("--out there.csv", "there.csv is there already. Name another file."),
        ("--out there.jsonl", "there.jsonl is there already. Go on with it by --resume, or name another file."),
        ("--out there.jsonl --resume", "Row 1 of there.jsonl is none that this scan would write"),
        ("--out rows --format csv --resume", "Scan to a .jsonl file instead"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_sentence(options, message, walls, make_checkpoint, capsys, monkeypatch):
    monkeypatch.chdir(walls)
    there = [walls / "there.csv", walls / "there.jsonl"]
    for file in there:
        file.write_text("something else")
    monkeypatch.setenv("VIRTUS_CHECKPOINT", str(make_checkpoint()))
    assert main(["scan", ".", "--whole-image", *options.split()]) == 2
    (error,) = capsys.readouterr().err.splitlines()[-1:]
    assert message in error
    assert [file.read_text() for file in there] == ["something else"] * 2
    assert not (walls / "rows.csv").exists()


def test_a_resumed_scan_that_was_not_all_judged_says_so_by_its_status(make_checkpoint, walls, capsys):
    (walls / "broken.jpg").write_bytes(b"")
    scan = ["scan", str(walls), "--whole-image", "--model", str(make_checkpoint()), "--out", str(walls / "a.jsonl")]
    assert main(scan) == 1
    assert main([*scan, "--resume"]) == 1
    assert "virtus: 4 pictures were done before" in capsys.readouterr().err
    assert main([*scan, "--resume", "--prior", "0.1"]) == 2
    assert "with --prior 0.5, not 0.1" in capsys.readouterr().err
    assert main([*scan[:2], *scan[3:], "--resume"]) == 2
    assert "not " in capsys.readouterr().err
    assert len((walls / "a.jsonl").read_text().splitlines()) == 4


def test_what_is_left_out_is_said_and_shown_by_the_status(make_checkpoint, walls, capsys):
    scan = ["scan", str(walls), "--whole-image", "--model", str(make_checkpoint())]
    (walls / "Thumbs.db").write_bytes(b"other")
    assert main(scan) == 0
    assert capsys.readouterr().err == f"virtus: 1 other file was left out: {walls}/Thumbs.db.\n"
    (walls / "gone\n.jpg").symlink_to(walls / "nowhere")
    for more in ([], ["--model", str(make_checkpoint(kind="deit"))], ["--out", str(walls / "rows.jsonl")]):
        assert main([*scan, *more]) == 1
        said = capsys.readouterr().err.splitlines()
        assert f"virtus: 1 link to nowhere was left out: {walls}/gone\\n.jpg. Mend such a link, or remove it." in said


def test_a_mistyped_path_leaves_no_file_behind(make_checkpoint, tmp_path, capsys):
    out = tmp_path / "rows.jsonl"
    for more in ([], ["--resume"]):
        assert main(["scan", str(tmp_path / "a.jgp"), "--out", str(out), "--model", str(make_checkpoint()), *more]) == 2
        assert "There is nothing to judge by the name" in capsys.readouterr().err
    assert not out.exists()


def test_a_log_gets_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "LINE_EVERY_S", 0)
    assert list(terminal.progress(12, done=7)(iter("abc"))) == ["a", "b", "c"]
    lines = capsys.readouterr().err.splitlines()
    assert [line.partition(" done")[0] for line in lines] == ["virtus: 8 of 12", "virtus: 9 of 12", "virtus: 10 of 12"]


def test_what_all_take_is_said_once_when_it_is_known(monkeypatch, capsys):
    monkeypatch.setattr(terminal, "ESTIMATE_AFTER_S", 0)
    estimates = []
    assert list(terminal.progress(12, estimated=lambda s: estimates.append(s) or "Long.")(iter("abc"))) == list("abc")
    assert capsys.readouterr().err == "virtus: Long.\n"
    assert len(estimates) == 1
    assert list(terminal.progress(12)(iter("abc"))) == list("abc")
    assert capsys.readouterr().err == ""


@pytest.fixture
def offers(bundle, make_checkpoint, walls, capsys):
    """The lines in which a scan by a checkpoint of that name offers the fast one."""
    bundle("virtus-base", "virtus-fast", folder=make_checkpoint())

    def say(name, *more):
        scan = ["scan", str(walls), "--whole-image", "--precision", "float32", "--model", name, *more]
        assert main(scan) == 0
        return [line for line in capsys.readouterr().err.splitlines() if "--model virtus-fast" in line]

    return say


def test_a_long_scan_by_the_better_checkpoint_offers_the_fast_one(offers, monkeypatch):
    assert offers("auto") == []
    monkeypatch.setattr(terminal, "ESTIMATE_AFTER_S", 0)
    assert offers("auto") == []
    monkeypatch.setattr("virtus.cli.scan.LONG_SCAN_S", 0)
    for name in ("auto", "virtus-base"):
        (said,) = offers(name)
        assert said.startswith("virtus: All of it takes about ")
        assert " s with virtus-base, " in said
    assert offers("virtus-fast") == []


def test_many_frames_of_clips_by_the_better_checkpoint_offer_the_fast_one(offers):
    (said,) = offers("auto", "--frames", "200")
    assert said.startswith("virtus: 200 frames of a clip take long with virtus-base")
    assert offers("virtus-fast", "--frames", "200") == []


def test_the_time_left_is_that_of_what_is_left():
    # 100 in 50 s are 2 a second; of 10,300 the 100 done before and these are done.
    assert terminal.progress_line(100, 100, 10_300, 50) == "virtus: 200 of 10,300 done, 2.0 img/s, 1:24:10 left"
    assert terminal.progress_line(100, 0, None, 50) == "virtus: 100 done, 2.0 img/s"
