"""What a batch takes: counted and measured before any photo is judged."""

import io
import threading
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from PIL import Image

from tests.support.zips import STORED, Entry, make_zip
from virtus.app.visitors import batches
from virtus.app.visitors.batches import GONE, MAX_PHOTOS, BatchFile, BatchFiles, judge_batch, open_batch
from virtus.app.visitors.photos import judge_photo
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.errors import InputError
from virtus.media.archives import ArchivedFile
from virtus.results import Outcome


@pytest.fixture
def upload(tmp_path, monkeypatch):
    """Factory: content to what Gradio says of it after its upload."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))

    def make(name, content, **said):
        path = tmp_path / "gradio" / str(len(list((tmp_path / "gradio").glob("*")))) / name
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        return {"path": str(path), "orig_name": name, **said}

    (tmp_path / "gradio").mkdir()
    return make


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return Detector(load_checkpoint(str(make_checkpoint()), device="cpu"))


def png(colour="grey"):
    stream = io.BytesIO()
    Image.new("RGB", (64, 64), colour).save(stream, "PNG")
    return stream.getvalue()


def zipped(tmp_path, *entries):
    return make_zip(tmp_path / "made.zip", list(entries)).read_bytes()


def refused(files):
    with pytest.raises(InputError) as caught:
        open_batch(files)
    return str(caught.value)


def test_photos_and_zips_in_the_order_given(upload, tmp_path):
    album = zipped(tmp_path, Entry(b"in/b.jpg", b"b"), Entry(b"in/a.jpg", b"a"), Entry(b"notes.txt", b"x"))
    found = open_batch([upload("z.jpg", b"z"), upload("Album.ZIP", album), upload("c.jpg", b"c")])
    assert [photo.name for photo in found.photos] == ["z.jpg", "Album.ZIP/in/a.jpg", "Album.ZIP/in/b.jpg", "c.jpg"]
    assert found.left_out_in_words() == ["1 other file was left out: Album.ZIP/notes.txt."]


def test_names_are_those_of_the_visitor_without_folders(upload):
    found = open_batch([upload("a.jpg", b"a", orig_name="../../My photo.jpg"), upload("b.jpg", b"b", orig_name=None)])
    assert [photo.name for photo in found.photos] == ["My photo.jpg", "b.jpg"]


@pytest.mark.parametrize("files", [None, [], {}, "a.jpg", {"path": "a.jpg"}])
def test_without_a_list_of_files_there_is_a_sentence(files):
    assert "hand over a list" in refused(files)


def test_too_many_are_refused_also_in_a_zip(upload, tmp_path):
    one = upload("a.jpg", b"a")
    assert f"These are {MAX_PHOTOS + 1} photos; at most {MAX_PHOTOS}" in refused([one] * (MAX_PHOTOS + 1))
    many = zipped(tmp_path, *[Entry(b"%d.jpg" % at, method=STORED) for at in range(MAX_PHOTOS)])
    assert len(open_batch([upload("m.zip", many)]).photos) == MAX_PHOTOS
    assert f"These are {MAX_PHOTOS + 1} photos" in refused([upload("m.zip", many), one])


def test_too_much_is_refused_also_unpacked(upload, tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "MAX_BATCH_BYTES", 3 * 2**20)
    large = upload("a.jpg", bytes(2 * 2**20))
    assert len(open_batch([large]).photos) == 1
    assert "have 4 MiB together; at most 3 MiB" in refused([large, large])
    packed = upload("m.zip", zipped(tmp_path, Entry(b"a.bmp", bytes(2 * 2**20))))
    assert len(open_batch([packed]).photos) == 1
    assert "have 4 MiB together; at most 3 MiB" in refused([packed, packed])


def test_a_hostile_zip_is_refused_by_name(upload, tmp_path):
    bad = upload("bad.zip", zipped(tmp_path, Entry(b"../evil.jpg", b"a")))
    assert refused([upload("a.jpg", b"a"), bad]).startswith("bad.zip: This zip is refused")


def test_one_broken_file_never_ends_the_batch(upload, tmp_path, detector):
    inner = zipped(tmp_path, Entry(b"bad.jpg", b"text"), Entry(b"good.png", png()), Entry(b"more.zip", b"PK"))
    files = [upload("text.jpg", b"text"), upload("empty.jpg", b""), upload("in.zip", inner), upload("gone.jpg", b"a")]
    files += [upload("good.png", png("red"))]
    opened = open_batch(files)
    (tmp_path / "gradio" / "3" / "gone.jpg").unlink()
    reports = [one.report for one in judge_batch(detector, opened, whole=True)]
    assert [report.path for report in reports] == [photo.name for photo in opened.photos]
    outcomes = {report.path: report.outcome for report in reports}
    assert [name for name, outcome in outcomes.items() if outcome.judged] == ["in.zip/good.png", "good.png"]
    assert {outcome for outcome in outcomes.values() if not outcome.judged} == {Outcome.UNREADABLE}
    reasons = {report.path: report.reason for report in reports}
    assert reasons["gone.jpg"] == GONE
    assert "within an archive" in reasons["in.zip/more.zip"]
    assert all(report.p_fake is None for report in reports if not report.outcome.judged)


@dataclass(frozen=True)
class Watched(ArchivedFile):
    """A photo that is read only when it may be."""

    started: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)

    def read(self):
        self.started.set()
        assert self.may_end.wait(60)
        return png()


def watched(path):
    return Watched(str(path), "a.png", 0, 0, 0, 0, 0)


def test_two_batches_leave_a_place_to_a_single_photo(upload, detector):
    single = Path(upload("a.png", png())["path"])
    sources = [watched(single), watched(single)]
    batches = [BatchFiles((BatchFile("a.png", source),)) for source in sources]
    running = [threading.Thread(target=list, args=(judge_batch(detector, one, whole=True),)) for one in batches]
    try:
        running[0].start()
        assert sources[0].started.wait(60)
        running[1].start()
        assert not sources[1].started.wait(0.3)
        assert judge_photo(detector, single, whole=True).report.outcome.judged  # else it would wait for the batches
    finally:
        for source in sources:
            source.may_end.set()
    for thread in running:
        thread.join(60)
    assert all(source.started.is_set() for source in sources)


def test_who_closes_a_batch_stops_the_work(upload, detector):
    path = upload("a.png", png())["path"]
    sources = [watched(path), watched(path)]
    for source in sources:
        source.may_end.set()
    answers = judge_batch(detector, BatchFiles(tuple(BatchFile("a.png", source) for source in sources)), whole=True)
    assert next(answers).report.path == "a.png"
    answers.close()
    assert [source.started.is_set() for source in sources] == [True, False]
