"""Written reports as JSON: kept whole, and refused where they are not what was written."""

import hashlib
import json
from dataclasses import replace

import pytest

from virtus.errors import InputError
from virtus.reports.record import CheckpointFacts, PhotoFacts, ReportRecord, ReportSettings, read_record

FACE = {"box_xyxy": [1.0, 2.0, 90.5, 91.0], "p_fake": 0.875, "outcome": "fake", "reason": "Ünlike."}
CHECKPOINT = {"name": "owner/name", "revision": "ab" * 20, "sha256": "cd" * 32, "calibration": None}
RECORD = ReportRecord(
    time="2026-01-02T03:04:05+00:00",
    photo=PhotoFacts("a photo.jpg", "ef" * 32, 1234, (100, 120)),
    settings=ReportSettings(methods=("rollout",), options={"rollout": {"head": 1}}, prior=0.25),
    device="cpu",
    precision="float32",
    versions={"virtus": "0.1.0", "torch": "2"},
    report={
        "path": "a photo.jpg",
        "outcome": "fake",
        "checkpoint": CHECKPOINT,
        "prior": 0.25,
        "image_size": [100, 120],
        "faces": [FACE],
    },
    provenance={"known": False, "statement": "Unknown.", "findings": []},
)


def signed_anew(change) -> str:
    """The record's JSON after a change, with a digest that fits: what a forger, or another program, may write."""
    content = json.loads(RECORD.to_json())
    change(content)
    mark = {"virtus_report": content.pop("virtus_report")}
    content.pop("digest")
    plain = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps(mark | content | {"digest": hashlib.sha256(plain.encode()).hexdigest()})


def test_a_record_comes_back_as_it_was():
    assert ReportRecord.from_json(RECORD.to_json()) == RECORD
    assert ReportRecord.from_json(signed_anew(lambda _: None)) == RECORD
    unreadable = replace(RECORD, photo=replace(RECORD.photo, size=None))
    assert ReportRecord.from_json(unreadable.to_json()) == unreadable
    for facts in (CheckpointFacts(1.8, "0123abcd"), CheckpointFacts(None, None)):
        known = replace(RECORD, checkpoint=facts)
        assert ReportRecord.from_json(known.to_json()) == known


def test_a_record_of_before_checkpoints_were_written_down_is_read():
    assert ReportRecord.from_json(signed_anew(lambda row: row.pop("checkpoint"))) == RECORD


@pytest.mark.parametrize("text", ["", "[]", "no JSON", "{}", b"\xff\xfe\x00", "[" * 100_000, '{"virtus_report": true}'])
def test_a_foreign_file_is_refused(text):
    with pytest.raises(InputError, match="This is no report of Virtus"):
        ReportRecord.from_json(text)


def test_an_edited_record_is_refused():
    text = RECORD.to_json()
    for edited in (text.replace("0.875", "0.125"), text.replace('"prior": 0.25', '"prior": 0.5', 1)):
        assert edited != text
        with pytest.raises(InputError, match="changed after it was made"):
            ReportRecord.from_json(edited)


def test_a_record_of_a_later_version_is_refused():
    with pytest.raises(InputError, match="later version of Virtus"):
        ReportRecord.from_json(RECORD.to_json().replace('"virtus_report": 1', '"virtus_report": 2'))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda row: row.pop("time"), "other entries"),
        (lambda row: row.update(more=1), "other entries"),
        (lambda row: row["photo"].update(sha256="AB" * 32), "sha256"),
        (lambda row: row["photo"].update(size=[0, 10]), "size"),
        (lambda row: row["settings"].update(prior=1.0), "prior"),
        (lambda row: row["settings"].update(whole="no"), "whole"),
        (lambda row: row["settings"].update(methods="all"), "methods"),
        (lambda row: row["versions"].update(torch=2), "versions"),
        (lambda row: row["report"].update(outcome="guilty"), "report"),
        (lambda row: row["report"]["checkpoint"].update(name=None), "report"),
        (lambda row: row["report"]["faces"][0].update(p_fake=1.5), "report"),
        (lambda row: row["report"]["faces"][0].update(p_fake=float("nan")), "report"),
        (lambda row: row["report"]["faces"][0].update(p_fake=None), "report"),
        (lambda row: row["report"]["faces"][0].update(outcome="face_too_small"), "report"),
        (lambda row: row["report"]["faces"][0].update(box_xyxy=[1, 2, 3]), "report"),
        (lambda row: row["report"].update(faces=[[]]), "report"),
        (lambda row: row["report"].pop("faces"), "report is wrong"),
        (lambda row: row["report"]["checkpoint"].update(sha256="ab"), "report"),
        (lambda row: row["photo"].update(more=1), "photo has other entries"),
        (lambda row: row["photo"].update(num_bytes=True), "num_bytes is wrong"),
        (lambda row: row["settings"].update(methods="all"), "methods is no list"),
        (lambda row: row["settings"].update(target="both"), "target is wrong"),
        (lambda row: row.update(versions=[]), "versions is wrong"),
        (lambda row: row.update(provenance=None), "provenance is wrong"),
        (lambda row: row.update(checkpoint={"margin": 0.0, "novelty": None}), "checkpoint is wrong"),
        (lambda row: row.update(checkpoint={"margin": 1.3, "novelty": "\x1b[31m"}), "checkpoint is wrong"),
    ],
)
def test_a_record_of_another_form_is_refused(change, what):
    with pytest.raises(InputError, match=f"not as Virtus writes it.*{what}"):
        ReportRecord.from_json(signed_anew(change))


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        read_record(tmp_path / "missing.json")
