"""Where a scan goes on, and what its file of rows holds at any moment."""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from virtus.checkpoints.bundled import RETIRED, RetiredCheckpoint
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.checkpoints.novelty import Novelty
from virtus.errors import InputError
from virtus.results import CheckpointInfo, FaceReport, ImageReport, Outcome
from virtus.scans.rows import JsonRows
from virtus.scans.rows_file import Maker, RowsFile, Start, go_on, maker_of, settings_of
from virtus.video.report import VideoReport

INFO = CheckpointInfo("virtus-fast", "bundled", "ab" * 32)
MAKER = Maker(INFO.sha256, 0.5, ("float32", "whole_image"))
FACES = (
    FaceReport((0.0, 0.0, 90.0, 90.0), Outcome.REAL, p_fake=0.125),
    FaceReport((10.0, 0.0, 60.0, 60.0), Outcome.FAKE, p_fake=0.875),
)


def report(path, num_faces=1):
    if num_faces == 0:
        return ImageReport(Outcome.NO_FACE, INFO, (), (100, 100), path, "No face was found.")
    return ImageReport(Outcome.REAL, INFO, FACES[:num_faces], (100, 100), path)


def write(path, reports, start=None, settings=MAKER.settings):
    start = start or Start([])
    with RowsFile(path, keep=start.keep, resumable=True) as stream:
        rows = JsonRows(stream, settings=settings)
        for one in reports:
            rows.write(one)


@pytest.fixture
def names(tmp_path):
    """Files that are there, and empty: of a scan that resumes only the names count."""
    names = [str(tmp_path / name) for name in ("a.jpg", "b,\n\r\"c'.jpg", "d\udce9.jpg", "é \u2028.jpg", "f.jpg")]
    for name in names:
        with open(name, "wb"):  # noqa: PTH123 (a name that is no UTF-8)
            pass
    return names


def test_whatever_is_cut_off_is_done_again_and_nothing_else(names, tmp_path):
    """At bytes all over the file, and at all about the ends of lines."""
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    reports = [report(name, num_faces) for name, num_faces in zip(names, (1, 2, 0, 2, 1), strict=True)]
    write(whole, reports)
    content = whole.read_bytes()
    ends = [at + near for at, byte in enumerate(content) if byte == ord("\n") for near in (0, 1, 2)]
    for size in {*range(0, len(content), 11), *ends, len(content)} - {len(content) + 1}:
        cut.write_bytes(content[:size])
        start = go_on(cut, names, MAKER)
        remaining = list(start.remaining)
        assert remaining == names[len(names) - len(remaining) :]
        write(cut, reports[len(reports) - len(remaining) :], start)
        assert cut.read_bytes() == content


def test_a_picture_is_not_done_again_once_it_is_known_to_be_whole(names, tmp_path):
    file = tmp_path / "rows"
    write(file, [report(names[0], 2), report(names[1], 2)])
    start = go_on(file, names, MAKER)
    assert list(start.remaining) == names[2:]
    assert (start.num_gone, start.all_judged) == (0, True)
    file.unlink()
    write(file, [report(names[0], 2), report(names[1], 0)])
    start = go_on(file, names, MAKER)
    assert list(start.remaining) == names[2:]
    assert not start.all_judged


def test_clips_have_rows_among_those_of_pictures(names, tmp_path):
    file = tmp_path / "rows"
    clip = VideoReport(Outcome.UNREADABLE, INFO, path=names[0], reason="There is no video in it.")
    write(file, [clip])
    content = file.read_bytes()
    start = go_on(file, names, MAKER)
    assert (list(start.remaining), start.all_judged) == (names[1:], False)
    file.write_bytes(content[: len(content) - 3])
    assert list(go_on(file, names, MAKER).remaining) == names


def test_a_removed_file_keeps_its_row_and_new_ones_after_it_are_judged(names, tmp_path):
    file = tmp_path / "rows"
    gone = [str(tmp_path / "0.jpg"), str(tmp_path / "z.jpg")]
    write(file, [report(name, 0) for name in (gone[0], names[0], names[1], gone[1])])
    start = go_on(file, names, MAKER)
    assert (list(start.remaining), start.num_done, start.num_gone) == (names[2:], 4, 2)


def test_a_new_file_between_done_ones_is_refused_by_name(names, tmp_path):
    file = tmp_path / "rows"
    write(file, [report(name, 0) for name in (names[0], names[4])])
    before = file.read_bytes()
    with pytest.raises(InputError, match=r"(?s)picture 2 in it is .*f\.jpg, but .* comes there now"):
        go_on(file, names, MAKER)
    with pytest.raises(InputError, match="but nothing comes there now"):
        go_on(file, names[:1], MAKER)
    assert file.read_bytes() == before


def test_a_new_file_before_a_done_one_that_is_no_utf_8_is_refused_by_name(names, tmp_path):
    """On disk it is looked for by its bytes, not by the codes that messages have for them."""
    file = tmp_path / "rows"
    write(file, [report(names[0]), report(names[2])])
    with pytest.raises(InputError, match=r"(?s)picture 2 in it is .*d\\udce9\.jpg, but .*b,.* comes there now"):
        go_on(file, names[:3], MAKER)


def test_a_name_that_reads_like_the_code_of_a_byte_is_another_name(names, tmp_path):
    file, alike = tmp_path / "rows", str(tmp_path / "d\\udce9.jpg")
    Path(alike).touch()
    write(file, [report(names[0]), report(names[2])])
    with pytest.raises(InputError, match="picture 2 in it is"):
        go_on(file, [names[0], alike], MAKER)


def test_rows_of_none_of_the_files_are_refused(names, tmp_path):
    file = tmp_path / "rows"
    write(file, [report("elsewhere/a.jpg"), report("elsewhere/b.jpg")])
    with pytest.raises(InputError, match="rows of none of the files"):
        go_on(file, names, MAKER)


def test_a_member_is_not_gone_while_its_archive_is_there(tmp_path):
    (tmp_path / "photos.zip").write_bytes(b"")
    file, member = tmp_path / "rows", f"{tmp_path}/photos.zip/in/b.jpg"
    write(file, [report(member)])
    with pytest.raises(InputError, match=r"a\.jpg comes there now"):
        go_on(file, [f"{tmp_path}/photos.zip/in/a.jpg", member], MAKER)


def test_rows_by_weights_of_an_earlier_release_are_refused_with_the_release(names, tmp_path, monkeypatch):
    monkeypatch.setitem(RETIRED, "old", RetiredCheckpoint("0.7.1", (MAKER.sha256,)))
    write(tmp_path / "rows", [report(names[0])])
    said = "by the weights with sha256 abababababab, .* or name another file. old came with Virtus up to release 0.7.1"
    with pytest.raises(InputError, match=said):
        go_on(tmp_path / "rows", names, Maker("cd" * 32, 0.5, MAKER.settings))


@pytest.mark.parametrize(
    ("now", "said"),
    [
        (Maker("cd" * 32, 0.5, MAKER.settings), "by the weights with sha256 abababababab, not cdcdcdcdcdcd"),
        (Maker(INFO.sha256, 0.01, MAKER.settings), r"with --prior 0.5, not 0.01"),
        (Maker(INFO.sha256, 0.5, ("bfloat16",)), "with the settings float32, whole_image, not bfloat16"),
    ],
)
def test_rows_of_another_maker_are_refused(now, said, names, tmp_path):
    file = tmp_path / "rows"
    write(file, [report(name, 0) for name in names])
    with pytest.raises(InputError, match=said):
        go_on(file, names, now)


@pytest.fixture
def checkpoint(make_checkpoint):
    return load_checkpoint(str(make_checkpoint()), precision="float32")


def settings(checkpoint, *, whole=False):
    return settings_of(Detector(checkpoint), whole=whole, stability=False)


def test_settings_name_a_margin_that_is_not_the_usual_one_where_there_is_a_crop(checkpoint):
    wide = replace(checkpoint, margin=1.8)
    of_pictures = replace(wide, info=replace(wide.info, judges="pictures"))
    assert (settings(checkpoint), settings(wide)) == (("float32",), ("float32", "margin_1.8"))
    assert settings(wide, whole=True) == settings(of_pictures) == ("float32", "whole_image")


def test_settings_tell_one_novelty_from_another(checkpoint):
    known = Novelty(1, torch.zeros(32), torch.eye(32), 2.5)
    other = replace(known, mean=torch.ones(32))
    (digest, *_), (another, *_) = said = [settings(replace(checkpoint, novelty=one))[1:] for one in (known, other)]
    assert [len(words) for words in said] == [1, 1]
    assert digest == f"novelty_{known.digest()}" != another
    assert settings(replace(checkpoint, novelty=known), whole=True) == ("float32", "whole_image", digest)


def test_a_margin_or_novelty_of_after_the_stop_is_refused(checkpoint, names, tmp_path):
    file, before = tmp_path / "rows", maker_of(Detector(checkpoint), settings(checkpoint))
    reports = [ImageReport(Outcome.NO_FACE, checkpoint.info, (), (100, 100), names[0])]
    write(file, reports, settings=before.settings)
    assert list(go_on(file, names, before).remaining) == names[1:]
    fitted = Novelty(1, torch.zeros(32), torch.eye(32), 2.5)
    for now in (replace(checkpoint, margin=1.8), replace(checkpoint, novelty=fitted)):
        with pytest.raises(InputError, match=r"with the settings float32, not float32, (margin_1\.8|novelty_\w{8})\."):
            go_on(file, names, maker_of(Detector(now), settings(now)))


@pytest.mark.parametrize("content", [b"notes", b"\x89PNG\r\n", b"{}\n", b"path,outcome\na,b\n", b'{"path": 1}\n'])
def test_what_is_no_file_of_rows_is_refused_and_stays(content, tmp_path):
    file = tmp_path / "precious"
    file.write_bytes(content)
    with pytest.raises(InputError, match="Row 1 of"):
        go_on(file, ["a.jpg"], MAKER)
    assert file.read_bytes() == content


def test_a_damaged_row_in_the_middle_is_named(names, tmp_path):
    file = tmp_path / "rows"
    write(file, [report(name, 0) for name in names[:1] * 3])
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], b"damaged\n", *lines[2:]]))
    with pytest.raises(InputError, match="Row 3 of"):
        go_on(file, names[:1] * 3, MAKER)
    nameless = lines[1].replace(json.dumps(names[0]).encode(), b"null")
    assert nameless != lines[1]
    file.write_bytes(b"".join([lines[0], nameless]))
    with pytest.raises(InputError, match="Row 2 of"):
        go_on(file, names[:1] * 2, MAKER)


def test_a_file_that_is_there_is_not_written_over(tmp_path):
    file = tmp_path / "rows.jsonl"
    file.write_text("mine")
    with pytest.raises(InputError, match=r"there already.*--resume"):
        RowsFile(file, keep=None, resumable=True)
    assert file.read_text() == "mine"
    with pytest.raises(InputError, match="cannot be written"):
        RowsFile(tmp_path / "no folder" / "rows.jsonl", keep=None, resumable=True)


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_two_scans_do_not_write_to_one_file(tmp_path):
    with RowsFile(tmp_path / "rows", keep=None, resumable=True), pytest.raises(InputError, match="Another scan"):
        RowsFile(tmp_path / "rows", keep=0, resumable=True)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="of Linux")
def test_a_full_disk_is_one_sentence(tmp_path):
    file = RowsFile(tmp_path / "rows", keep=None, resumable=True)
    file._stream = io.FileIO("/dev/full", "wb")
    file.write("row\n")
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        file.flush()
    assert file.end == 0


def _write_one_and_a_half(stream, stopped):
    stream.write("whole\n")
    stream.flush()
    stream._write_all(b"half")
    raise stopped


@pytest.mark.parametrize("stopped", [KeyboardInterrupt, RuntimeError])
def test_what_stops_a_scan_leaves_whole_pictures(stopped, tmp_path):
    file = tmp_path / "rows"
    with pytest.raises(stopped), RowsFile(file, keep=None, resumable=True) as stream:
        _write_one_and_a_half(stream, stopped)
    assert file.read_bytes() == b"whole\n"


def test_a_row_that_was_written_as_a_scan_was_stopped_stays(tmp_path, monkeypatch):
    file = tmp_path / "rows"
    write_all = RowsFile._write_all

    def write_and_stop(self, data):
        write_all(self, data)
        raise KeyboardInterrupt  # before the row is counted

    monkeypatch.setattr(RowsFile, "_write_all", write_and_stop)
    with RowsFile(file, keep=None, resumable=True) as stream:
        stream.write("row\n")
        with pytest.raises(KeyboardInterrupt):
            stream.flush()
    assert file.read_bytes() == b"row\n"
