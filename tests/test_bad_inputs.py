"""The corpus of bad inputs: every file through the readers, some of each family and every name through the CLI."""

import csv
import io
import json
import random

import pytest

from tests.corpus import FAMILIES, Expected, make_inputs, write_inputs
from tests.corpus.doors import clean_log, faults, of_rows
from tests.corpus.names import NAMES, make_names
from tests.support.command import virtus
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import ImageError, InputError, VideoError
from virtus.media.archives import open_archive
from virtus.media.images import load_image
from virtus.media.listing import list_files
from virtus.provenance import credentials, read_provenance
from virtus.scans.rows import ROWS
from virtus.video.analysis import analyze_files
from virtus.video.reading import read_clip

SAMPLE = 6  # of each family, through the command line
PICTURES = tuple(name for name in FAMILIES if name not in ("clips", "zips"))
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::RuntimeWarning")  # Pillow's, of damage


@pytest.fixture(scope="module")
def corpus():
    return make_inputs()


@pytest.fixture(scope="module")
def checkpoint(make_checkpoint):
    return make_checkpoint()


def test_there_are_more_than_a_thousand_and_always_the_same(corpus):
    assert sum(map(len, corpus.values())) > 1500
    for name in ("cut", "flipped", "clips", "zips"):
        again = list(FAMILIES[name](random.Random(f"0 {name}")))
        assert again == corpus[name]
        assert list(FAMILIES[name](random.Random(f"1 {name}"))) != again


@pytest.mark.parametrize("family", PICTURES)
def test_a_picture_is_read_or_refused_with_a_reason(corpus, family):
    wrong = []
    for one in corpus[family]:
        try:
            refused = load_image(one.data).mode != "RGB"
        except ImageError as exc:
            refused = len(str(exc)) > 10
        wrong += [] if one.allows(refused) else [one.name]
    assert wrong == []


@pytest.mark.parametrize("family", PICTURES)
def test_what_it_says_of_its_origin_is_read_and_can_be_shown_whatever_it_is(corpus, family, monkeypatch):
    monkeypatch.setattr(credentials, "can_read", lambda: False)  # would start a process for each
    findings = [finding for one in corpus[family] for finding in read_provenance(one.data).findings]
    assert "".join(finding.what + finding.where for finding in findings).isprintable()


def test_a_clip_gives_frames_or_is_refused_with_a_reason(corpus):
    wrong = []
    for one in corpus["clips"]:
        try:
            with read_clip(one.data, num_frames=3) as reader:
                refused = not list(reader.frames())
        except VideoError as exc:
            refused = len(str(exc)) > 10
        wrong += [] if one.allows(refused) else [one.name]
    assert wrong == []


def test_a_zip_gives_its_files_or_is_refused_with_a_reason(corpus, tmp_path):
    wrong = []
    for path, one in write_inputs(tmp_path / "zips", corpus["zips"]).items():
        try:
            refused = [file.read() for file in open_archive(path).files] == []
        except InputError as exc:
            refused = len(str(exc)) > 10
        wrong += [] if one.allows(refused) else [one.name]
    assert wrong == []


def test_a_scan_has_one_sound_answer_to_each(corpus, tmp_path, checkpoint):
    rng, expected = random.Random(0), {}
    for family, inputs in corpus.items():
        written = write_inputs(tmp_path / family, rng.sample(inputs, SAMPLE))
        expected |= {str(path): one.expected for path, one in written.items()}
    expected |= make_names(tmp_path / "names")
    options = ["--model", checkpoint, "--whole-image", "--format", "json", "--frames", 2]
    done = virtus("scan", *options, "--", *expected)
    assert (done.returncode, clean_log(done.stderr)) == (1, [])
    answers = of_rows(done.stdout.removesuffix("\n").split("\n"))
    wrong = {path: faults(outcome, answers.get(path)) for path, outcome in expected.items()}
    assert {path: said for path, said in wrong.items() if said} == {}
    assert len(answers) == len(expected)


def test_no_name_breaks_a_row(tmp_path, checkpoint):
    """In a folder, so that links in circles, pipes and the like are met too."""
    made = make_names(tmp_path / "names")
    readable = sum(outcome is Expected.READ for outcome in made.values()) - 1  # less the pattern
    detector = Detector(load_checkpoint(str(checkpoint), device="cpu"))
    reports = list(analyze_files(detector, list_files([str(tmp_path / "names")]), whole=True))
    paths = [report.path for report in reports]
    assert len(set(paths)) == len(paths) == readable + 2  # and a file that is too large, and a folder that is too deep
    written = {name: io.StringIO(newline="") for name in ROWS}
    for name, stream in written.items():
        rows = ROWS[name](stream)
        for report in reports:
            rows.write(report)
    assert [json.loads(row)["path"] for row in written["json"].getvalue().removesuffix("\n").split("\n")] == paths
    assert [row["path"] for row in csv.DictReader(io.StringIO(written["csv"].getvalue(), newline=""))] == paths
    _, *lines = written["table"].getvalue().removesuffix("\n").split("\n")
    assert len(lines) == len(paths)
    assert all(line.isprintable() for line in lines)


def test_the_names_are_what_they_are_meant_to_be():
    assert len(set(NAMES)) == len(NAMES)
    assert max(map(len, NAMES)) == 255
