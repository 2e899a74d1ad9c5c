"""The command line, most of it by subprocess as users drive it."""

import contextlib
import csv
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from tests.support.command import ROOT, virtus, virtus_here
from tests.support.zips import Entry, make_zip
from virtus.checkpoints.known import CHECKPOINTS
from virtus.cli.commands import main


@pytest.fixture(scope="module")
def scanned(album):
    return virtus("scan", album, album / "missing.png", "--format", "json")


def test_scan_writes_one_object_a_line(scanned):
    rows = {Path(row["path"]).name: row for row in map(json.loads, scanned.stdout.splitlines())}
    assert list(rows) == ["broken.jpg", "face.png", "tiny.png", "wall.png", "missing.png"]
    assert rows["face.png"]["outcome"] in ("real", "fake", "inconclusive")
    (face,) = rows["face.png"]["faces"]
    assert 0 <= face["p_fake"] <= 1
    assert face["outcome"] == rows["face.png"]["outcome"]
    assert len(face["box_xyxy"]) == 4
    assert rows["tiny.png"]["faces"][0]["p_fake"] is None
    unjudged = {name: row["outcome"] for name, row in rows.items() if name != "face.png"}
    assert unjudged == {
        "broken.jpg": "unreadable",
        "tiny.png": "face_too_small",
        "wall.png": "no_face",
        "missing.png": "unreadable",
    }
    assert all(rows[name]["reason"] for name in unjudged)
    assert {row["checkpoint"]["name"] for row in rows.values()} == {"virtus-fast"}
    assert {len(row["checkpoint"]["sha256"]) for row in rows.values()} == {64}


def test_scan_looks_into_zips_and_none_ends_it(album, make_checkpoint, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        made.write(album / "face.png", "in/face.png")
        made.write(album / "broken.jpg", "broken.jpg")
    make_zip(tmp_path / "bad.zip", [Entry(b"../evil.jpg")])
    asked = [tmp_path / "bad.zip", tmp_path / "a.zip", album / "face.png"]
    how = ["--format", "json", "--whole-image", "--model", make_checkpoint(), "--device", "cpu"]
    done = virtus_here("scan", *asked, *how)
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    named = [tmp_path / "bad.zip", tmp_path / "a.zip/broken.jpg", tmp_path / "a.zip/in/face.png", album / "face.png"]
    assert [row["path"] for row in rows] == [str(path) for path in named]
    assert [row["outcome"] for row in rows[:2]] == ["unreadable"] * 2
    assert "This zip is refused" in rows[0]["reason"]
    assert rows[2] | {"path": ""} == rows[3] | {"path": ""}


def test_a_scan_of_a_zip_goes_on_where_it_stopped(make_checkpoint, album, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as made:
        for name in ("a.png", "b.png", "in/c.png"):
            made.write(album / "wall.png", name)
    asked = ["scan", str(tmp_path / "a.zip"), "--whole-image", "--model", str(make_checkpoint()), "--device", "cpu"]
    asked += ["--out", str(tmp_path / "rows.jsonl")]
    assert main(asked) == 0
    rows = (tmp_path / "rows.jsonl").read_text()
    assert [json.loads(row)["path"] for row in rows.splitlines()] == [
        f"{tmp_path}/a.zip/{name}" for name in ("a.png", "b.png", "in/c.png")
    ]
    (tmp_path / "rows.jsonl").write_text(rows[:-20])
    assert main([*asked, "--resume"]) == 0
    before, after = (
        [json.loads(row) for row in text.splitlines()] for text in (rows, (tmp_path / "rows.jsonl").read_text())
    )
    p_before, p_after = ([face.pop("p_fake") for row in part for face in row["faces"]] for part in (before, after))
    assert after == before
    assert p_after == pytest.approx(p_before, abs=2e-6)  # alone, or with others in a batch: its last digit


def test_a_report_of_a_photo_in_a_zip_is_refused(capsys, tmp_path):
    make_zip(tmp_path / "a.zip", [Entry(b"a.jpg")])
    assert main(["scan", str(tmp_path / "a.zip"), "--report", str(tmp_path / "out.html")]) == 2
    assert "this is a zip: unpack it" in capsys.readouterr().err


def test_scan_says_by_its_status_that_some_were_not_judged_and_what_was_left_out(scanned):
    assert scanned.returncode == 1
    assert re.fullmatch(r"virtus: 1 other file was left out: \S+notes\.txt\.\n", scanned.stderr)


def read_all(screen: int) -> bytes:
    """What a terminal shows: one read gives a part of it. Its end is an error on Linux."""
    parts = []
    with open(screen, "rb", buffering=0) as stream, contextlib.suppress(OSError):
        while part := stream.read(100_000):
            parts.append(part)
    return b"".join(parts)


def test_a_terminal_gets_a_progress_bar_and_whole_lines(album):
    import pty
    import termios

    screen, terminal = pty.openpty()
    termios.tcsetwinsize(terminal, (24, 120))
    command = [sys.executable, "-m", "virtus", "scan", str(album / "wall.png"), str(album / "missing.png")]
    done = subprocess.run(command, stdout=terminal, stderr=terminal, cwd=ROOT, check=False)
    os.close(terminal)
    shown = read_all(screen).decode()
    assert done.returncode == 1
    assert "100%" in shown
    lines = [line.rsplit("\r", 1)[-1] for line in shown.split("\r\n")]
    assert any(line.startswith("no_face") for line in lines)
    assert any(line.startswith("unreadable") for line in lines)


def test_whole_images_are_all_judged(make_checkpoint, album, capsys):
    status = main(["scan", str(album / "wall.png"), "--whole-image", "--model", str(make_checkpoint())])
    head, row = capsys.readouterr().out.splitlines()
    assert status == 0
    assert head.split() == ["outcome", "p_fake", "faces", "path"]
    assert row.split()[0] in ("real", "fake")
    assert row.split()[3] == str(album / "wall.png")


def test_csv_has_a_line_for_each_face(make_checkpoint, album, capsys):
    main(["scan", str(album), "--format", "csv", "--model", str(make_checkpoint())])
    rows = {Path(row["path"]).name: row for row in csv.DictReader(io.StringIO(capsys.readouterr().out))}
    assert float(rows["face.png"]["x1"]) > float(rows["face.png"]["x0"])
    assert 0 <= float(rows["face.png"]["p_fake"]) <= 1
    assert (rows["tiny.png"]["face_outcome"], rows["tiny.png"]["p_fake"]) == ("face_too_small", "")
    assert (rows["wall.png"]["face"], rows["wall.png"]["outcome"]) == ("", "no_face")
    assert rows["broken.jpg"]["reason"]


def test_prior_and_stability_reach_every_format(make_checkpoint, album, tmp_path, capsys):
    options = ["--whole-image", "--stability", "--model", str(make_checkpoint())]
    scan = ["scan", str(album / "wall.png"), *options]
    even, rare = _said(capsys, *scan, "--format", "json"), _said(capsys, *scan, "--format", "json", "--prior", "0.01")
    (before,), (after,) = even["faces"], rare["faces"]
    odds = [row["p_fake"] / (1 - row["p_fake"]) for row in (before, after)]
    assert odds[1] == pytest.approx(odds[0] / 99, rel=1e-3)
    assert (even["prior"], rare["prior"]) == (0.5, 0.01)
    assert after["stability"]["low"] <= after["p_fake"] <= after["stability"]["high"]
    main([*scan, "--format", "csv", "--prior", "0.01"])
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    steady = after["stability"]
    assert (float(row["p_low"]), float(row["p_high"]), row["prior"]) == (steady["low"], steady["high"], "0.01")
    assert row["flips"] == str(steady["flips"]).lower()
    main([*scan, "--prior", "0.01"])
    assert f"(p_fake {steady['low']:.3f} to {steady['high']:.3f} under small changes)" in capsys.readouterr().out
    main(
        [
            "explain",
            str(album / "wall.png"),
            *options,
            "--methods",
            "rollout",
            "--out",
            str(tmp_path),
            "--prior",
            "0.01",
        ]
    )
    assert "under small changes" in capsys.readouterr().out
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert (manifest["prior"], manifest["faces"][0]["stability"]) == (0.01, steady)


def _said(capsys, *arguments):
    main(list(arguments))
    return json.loads(capsys.readouterr().out)


def test_evaluate_prints_metrics_and_writes_rows(make_checkpoint, tmp_path, capsys):
    for label in ("Real", "Fake"):
        (tmp_path / label).mkdir()
        for index in range(2):
            Image.effect_noise((60, 60), 40 + index).save(tmp_path / label / f"{index}.png")
    out = tmp_path / "rows.jsonl"
    command = ["evaluate", str(tmp_path), "--whole-image", "--model", str(make_checkpoint()), "--out", str(out)]
    assert main([*command, "--json"]) == 0
    metrics = json.loads(capsys.readouterr().out)
    keys = {"accuracy", "macro_f1", "auc", "confusion", "num_images", "num_judged", "outcomes", "checkpoint", "prior"}
    assert set(metrics) == keys
    assert (metrics["num_images"], metrics["num_judged"]) == (4, 4)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["label"] for row in rows] == ["fake", "fake", "real", "real"]
    assert main(command) == 0
    assert "4 of 4 pictures judged" in capsys.readouterr().out
    assert main([*command[:-1], str(tmp_path)]) == 2  # a folder, which is seen before anything is judged
    shown = capsys.readouterr()
    assert (shown.out, shown.err.startswith(f"virtus: {tmp_path} is a folder: --out is a file")) == ("", True)
    (tmp_path / "file").write_text("")
    below = tmp_path / "file" / "rows.jsonl"
    assert main([*command[:-1], str(below)]) == 2  # what took hours to find out is said all the same
    shown = capsys.readouterr()
    assert "4 of 4 pictures judged" in shown.out
    assert f"virtus: {below} cannot be written" in shown.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["scan", "x.jpg", "--model", "no-such-thing"], "There is no checkpoint 'no-such-thing'"),
        (["scan", "x.jpg", "--device", "cuda:77"], "There is no device 'cuda:77'"),
        (["explain", "missing.jpg", "--out", "nowhere"], "There is no such file"),
        (["explain", "missing.jpg"], "--out DIR, --report FILE.html"),
        (["explain", "missing.jpg", "--report", "missing.html"], "There is no such file"),
        (["replay", "missing.json", "x.jpg"], "cannot be read"),
        (
            ["explain", "missing.jpg", "--out", "nowhere", "--methods", "rollout", "--layer", "3"],
            "--layer is of gradcam",
        ),
        (["explore", "missing.jpg", "--out", "nowhere", "--fill", "drop"], "--fill is of what --flip takes away"),
        (["scan", "missing.mp4", "--frames", "301"], "At most 300 frames of a clip are judged, not 301"),
        (["evaluate", "missing"], "There is no folder"),
        (["serve", "--auth", "justme"], "USER:PASSWORD"),
    ],
)
def test_wrong_use_is_one_sentence_and_status_2(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        *("", "scan", "scan x --format xml", "explain x --out y --opacity 2", "dance"),
        *("serve --port 99999", "scan x --prior 0", "evaluate x --prior 1", "explain x --out y --prior many"),
    ],
)
def test_wrong_words_are_status_2(words):
    with pytest.raises(SystemExit) as stopped:
        main(words.split())
    assert stopped.value.code == 2


@pytest.mark.parametrize("command", ["evaluate", "calibrate --data"])
def test_an_empty_name_is_not_the_working_folder(command, capsys):
    """A variable that was not set had all that lay there judged."""
    with pytest.raises(SystemExit) as stopped:
        main([*command.split(), ""])
    assert stopped.value.code == 2
    assert "is empty: name a folder, or . for this one" in capsys.readouterr().err


def test_of_animations_it_is_said_that_the_first_frame_alone_was_looked_at(make_checkpoint, tmp_path, capsys):
    """It stood in the rows alone."""
    first, second = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    for label in ("Real", "Fake"):
        (tmp_path / label).mkdir()
        first.save(tmp_path / label / "two.gif", save_all=True, append_images=[second])
    how, gif = ["--model", str(make_checkpoint()), "--whole-image"], str(tmp_path / "Real" / "two.gif")
    main(["explain", gif, *how, "--out", str(tmp_path / "out")])
    assert "  This is an animation, and only the first of its 2 frames" in capsys.readouterr().out
    main(["evaluate", str(tmp_path), *how])
    assert "virtus: of 2 animations only the first frame was looked at" in capsys.readouterr().err
    main(["explore", gif, *how, "--out", str(tmp_path / "out")])
    assert "virtus: This is an animation, and only the first of its 2 frames" in capsys.readouterr().err


def test_a_place_that_cannot_be_used_is_named(tmp_path, make_checkpoint, album, capsys):
    (tmp_path / "cache").write_text("")
    how = ["--model", str(make_checkpoint()), "--out", str(tmp_path / "cache" / "rows.jsonl")]
    assert main(["scan", str(album / "face.png"), *how]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith("virtus: ")


def test_doctor_shows_what_it_knows(capsys):
    assert main(["doctor", "virtus-fast"]) == 0
    shown = capsys.readouterr().out
    assert "virtus-fast can judge." in shown
    assert "0 is real, 1 is fake" in shown


def test_doctor_lists_the_known_checkpoints(capsys):
    assert main(["doctor", "--list"]) == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert head.split() == ["checkpoint", "family", "judges", "margin", "fake", "licence", "ignored"]
    assert [row.split()[0] for row in rows[: len(CHECKPOINTS)]] == list(CHECKPOINTS)
    assert "pictures" in next(row for row in rows if row.startswith("buildborderless/CommunityForensics"))


def test_doctor_refuses_with_the_cause(make_checkpoint, capsys):
    folder = make_checkpoint(labels=("cat", "dog"))
    assert main(["doctor", str(folder)]) == 1
    shown = capsys.readouterr().out
    assert shown.startswith("refused:")
    assert "'cat' and 'dog'" in shown


def test_the_environment_names_what_auto_means(make_checkpoint, album, capsys, monkeypatch):
    folder = str(make_checkpoint(kind="deit"))
    monkeypatch.setenv("VIRTUS_CHECKPOINT", folder)
    main(["scan", str(album / "wall.png"), "--whole-image", "--format", "json"])
    assert json.loads(capsys.readouterr().out)["checkpoint"]["name"] == folder
