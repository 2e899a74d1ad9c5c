"""Written reports run again."""

import json
import re
import shutil
from dataclasses import replace

import pytest
import torch
from PIL import Image

from tests.reports.test_record import RECORD, signed_anew
from tests.support.command import virtus_here
from virtus.checkpoints.bundled import RETIRED, RetiredCheckpoint
from virtus.checkpoints.novelty import Novelty, store_novelty
from virtus.cli.commands import main
from virtus.reports.record import CheckpointFacts, ReportSettings, read_record
from virtus.reports.replay import Replay, _at_revision, _pairs, overlap

BOX = [0.0, 0.0, 10.0, 10.0]


def face(p_fake, outcome="fake", box=BOX):
    return {"box_xyxy": box, "p_fake": p_fake, "outcome": outcome}


def held(then, now, **changes):
    """The lines for faces then and now."""
    before = replace(RECORD, report=RECORD.report | {"faces": then})
    after = replace(RECORD, report=RECORD.report | {"faces": now}, **changes)
    found = Replay(before, after, tuple(_pairs(then, now)))
    return found.same, list(found.lines())


def test_overlap():
    assert overlap(BOX, BOX) == 1
    assert overlap(BOX, [5.0, 0.0, 15.0, 10.0]) == pytest.approx(50 / 150)
    assert overlap(BOX, [10.0, 0.0, 20.0, 10.0]) == 0
    assert overlap([3.0, 3.0, 3.0, 3.0], [3.0, 3.0, 3.0, 3.0]) == 0


def test_p_within_the_tolerance_is_the_same():
    assert held([face(0.9)], [face(0.9)]) == (True, ["same: fake", "  face 0: same: fake (p_fake 0.900)"])
    same, lines = held([face(0.9)], [face(0.904)])
    assert (same, lines[1]) == (True, "  face 0: same: fake (p_fake 0.904), fake (p_fake 0.900) then")


def test_p_beyond_it_is_told_with_the_difference():
    same, lines = held([face(0.9)], [face(0.906)])
    assert (same, lines[0]) == (False, "different: fake then, fake now")
    assert lines[1] == "  face 0: different: fake (p_fake 0.900) then, fake (p_fake 0.906) now, p_fake +0.006"


def test_another_outcome_is_different_however_near_p_is():
    assert not held([face(0.5)], [face(0.5, "inconclusive")])[0]


def test_faces_are_matched_by_their_boxes():
    far, moved = [50.0, 0.0, 60.0, 10.0], [51.0, 0.0, 61.0, 10.0]
    assert held([face(0.9), face(0.1, "real", far)], [face(0.1, "real", moved), face(0.9)])[0]
    same, lines = held([face(0.9)], [face(0.9, box=far)])
    assert not same
    assert lines[1:] == [
        "  face 0: in the report only, fake (p_fake 0.900)",
        "  face 1: not in the report, fake (p_fake 0.900)",
    ]


def test_a_face_too_small_is_the_same_without_a_number():
    assert (
        held([face(None, "face_too_small")], [face(None, "face_too_small")])[1][1] == "  face 0: same: face_too_small"
    )


def test_what_was_not_the_same_about_the_runs_is_named():
    other = {"versions": {"virtus": "0.1.0", "torch": "3"}, "precision": "bfloat16", "device": "cuda"}
    assert held([face(0.9)], [face(0.9)], **other)[1][2:] == [
        "  another precision: float32 then, bfloat16 now",
        "  another device: cpu then, cuda now",
        "  another version of torch: 2 then, 3 now",
    ]


def test_another_margin_or_novelty_is_named_where_the_report_says_what_it_was():
    before = replace(RECORD, checkpoint=CheckpointFacts(1.3, None))
    after = replace(RECORD, checkpoint=CheckpointFacts(1.8, "0123abcd"))
    of_pictures = replace(RECORD, checkpoint=CheckpointFacts(None, None))
    assert list(Replay(before, after, ()).lines())[1:] == [
        "  another margin of the face crop: 1.3 then, 1.8 now",
        "  another novelty, by which a face is inconclusive: none then, 0123abcd now",
    ]
    assert list(Replay(of_pictures, before, ()).lines())[1:] == [
        "  another margin of the face crop: whole pictures then, 1.3 now"
    ]
    assert RECORD.checkpoint is None  # as in reports of before
    assert len(list(Replay(RECORD, after, ()).lines())) == len(list(Replay(after, after, ()).lines())) == 1


@pytest.fixture(scope="module")
def checkpoint(make_checkpoint, tmp_path_factory):
    return shutil.copytree(make_checkpoint(), tmp_path_factory.mktemp("own") / "checkpoint")


@pytest.fixture(scope="module")
def written(checkpoint, astronaut, tmp_path_factory):
    """A report by the command line, as users make it: its JSON."""
    page = tmp_path_factory.mktemp("report") / "out.html"
    done = virtus_here("explain", astronaut, "--report", page, "--model", checkpoint, "--methods", "rollout")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == [str(page), str(page.with_suffix(".json"))]
    assert page.read_text().startswith("<!doctype html>")
    return page.with_suffix(".json")


def test_a_report_is_the_same_again(written, astronaut):
    done = virtus_here("replay", written, astronaut)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].startswith("same: ")
    assert len(done.stdout.splitlines()) == 2


def test_another_calibration_is_different_and_is_named(written, checkpoint, astronaut, tmp_path, capsys):
    other = shutil.copytree(checkpoint, tmp_path / "other")
    used = {"temperature": 1.0, "bias": 6.0, "real_below": 0.3, "fake_above": 0.7}
    (other / "virtus.json").write_text(json.dumps({"calibration": used}))
    assert main(["replay", str(written), str(astronaut), "--model", str(other)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("different: ")
    assert "another calibration of the checkpoint" in said


def test_another_margin_and_novelty_are_named(written, checkpoint, astronaut, tmp_path, capsys):
    other, fitted = shutil.copytree(checkpoint, tmp_path / "other"), Novelty(1, torch.zeros(32), torch.eye(32), 2.5)
    (other / "virtus.json").write_text(json.dumps({"margin": 1.8}))
    store_novelty(other, fitted, sha256=json.loads(written.read_text())["report"]["checkpoint"]["sha256"])
    main(["replay", str(written), str(astronaut), "--model", str(other)])
    said = capsys.readouterr().out
    assert "another margin of the face crop: 1.3 then, 1.8 now" in said
    assert f"another novelty, by which a face is inconclusive: none then, {fitted.digest()} now" in said
    main(["replay", str(written), str(astronaut)])
    assert "another" not in capsys.readouterr().out


def test_other_weights_are_refused_and_both_are_named(written, make_checkpoint, astronaut, capsys):
    own = json.loads(written.read_text())["report"]["checkpoint"]
    assert main(["replay", str(written), str(astronaut), "--model", str(make_checkpoint(seed=1))]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "These are other weights" in said.err
    found = re.findall(r"[0-9a-f]{64}", said.err)
    assert own["sha256"] in found
    assert len(set(found)) == 2


def test_weights_of_an_earlier_release_are_refused_with_the_release(
    written, make_checkpoint, astronaut, tmp_path, capsys, monkeypatch
):
    own = json.loads(written.read_text())["report"]["checkpoint"]
    monkeypatch.setitem(RETIRED, "old", RetiredCheckpoint("0.7.1", (own["sha256"],)))
    assert main(["replay", str(written), str(astronaut), "--model", str(make_checkpoint(seed=1))]) == 2
    assert f"with {own['sha256']}. old came with Virtus up to release 0.7.1" in capsys.readouterr().err
    named = tmp_path / "named.json"
    named.write_text(signed_anew(lambda row: row["report"]["checkpoint"].update(name="old", revision="bundled")))
    assert main(["replay", str(named), str(astronaut), "--anyway"]) == 2
    assert capsys.readouterr().err.startswith("virtus: old came with Virtus up to release 0.7.1")


def test_another_photo_is_refused_unless_asked_for_anyway(written, astronaut, tmp_path, capsys):
    again = tmp_path / "again.png"
    Image.open(astronaut).save(again)
    assert main(["replay", str(written), str(again)]) == 2
    assert "This is not the photo of the report" in capsys.readouterr().err
    assert main(["replay", str(written), str(again), "--anyway"]) in (0, 1)
    assert "another photo: sha256" in capsys.readouterr().out


def test_what_is_no_report_cannot_be_replayed(written, astronaut, tmp_path, capsys):
    edited, later = tmp_path / "edited.json", tmp_path / "forged.json"
    edited.write_text(written.read_text().replace('"prior": 0.5', '"prior": 0.6'))
    later.write_text(signed_anew(lambda row: row["report"].update(faces=None)))
    for file, sentence in ((edited, "changed after"), (later, "not as Virtus"), (astronaut, "no report of Virtus")):
        assert main(["replay", str(file), str(astronaut)]) == 2
        assert sentence in capsys.readouterr().err


def test_a_commit_of_the_hub_is_asked_for_as_it_was():
    on_hub = {"name": "owner/name", "revision": "ab" * 20}
    assert _at_revision(on_hub) == ("owner/name@" + "ab" * 20, None)
    assert _at_revision(on_hub | {"name": "owner/name@main"}) == ("owner/name@main", None)
    assert _at_revision(on_hub | {"name": "owner/name#1"}) == ("owner/name@" + "ab" * 20, "1")
    assert _at_revision({"name": "virtus-fast", "revision": "bundled"}) == ("virtus-fast", None)
    assert _at_revision({"name": "a/folder", "revision": "local"}) == ("a/folder", None)


def test_a_report_of_what_is_no_picture_has_no_number_and_can_be_replayed(checkpoint, tmp_path, capsys):
    broken, page = tmp_path / "broken.jpg", tmp_path / "out.html"
    broken.write_bytes(b"not a picture")
    assert main(["explain", str(broken), "--report", str(page), "--model", str(checkpoint)]) == 1
    assert "Probability of fake" not in page.read_text()
    assert main(["replay", str(page.with_suffix(".json")), str(broken)]) == 0
    assert "same: unreadable" in capsys.readouterr().out
    assert main(["explain", str(broken), "--report", str(broken), "--model", str(checkpoint)]) == 2
    assert broken.read_bytes() == b"not a picture"


def test_scan_writes_the_report_of_one_picture(checkpoint, astronaut, tmp_path, capsys):
    page = tmp_path / "scan.html"
    asked = ["scan", str(astronaut), "--report", str(page), "--model", str(checkpoint), "--prior", "0.4"]
    assert main([*asked, "--format", "json"]) == 0
    row = json.loads(capsys.readouterr().out)
    record = read_record(page.with_suffix(".json"))
    assert row["path"] == str(astronaut)
    assert record.report["path"] == astronaut.name
    assert record.settings == ReportSettings(prior=0.4)
    assert row["faces"][0]["p_fake"] == record.report["faces"][0]["p_fake"]
    assert row["faces"][0]["stability"]
    assert [one["faithfulness"]["num_random"] for one in record.report["faces"][0]["explanations"]] == [99, 99]
    assert main(["replay", str(page.with_suffix(".json")), str(astronaut)]) == 0


@pytest.mark.parametrize("asked", ["a.jpg b.jpg", "a.jpg --model virtus-fast --model agasta/virtus", "clip.mp4"])
def test_scan_writes_no_report_of_several_or_of_a_clip(tmp_path, capsys, asked):
    assert main(["scan", *asked.split(), "--report", str(tmp_path / "scan.html")]) == 2
    assert "A report is " in capsys.readouterr().err
    assert not any(tmp_path.iterdir())


def test_scan_writes_no_report_of_a_clip_whose_name_says_nothing(tmp_path, capsys):
    (tmp_path / "clip").write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    assert main(["scan", str(tmp_path / "clip"), "--report", str(tmp_path / "scan.html")]) == 2
    assert "this is a clip" in capsys.readouterr().err
