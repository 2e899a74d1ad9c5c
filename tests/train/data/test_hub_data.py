import io
import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from train.data import hub_data
from train.data.hub_data import load_from_hub
from train.data.load import load_samples
from virtus.errors import DataError
from virtus.results import Label

ROOT = Path(__file__).parents[3]
COMMITS = ["a" * 40, "b" * 40]
CLOSED = "http://127.0.0.1:9"  # nobody listens there


def encode(index, form="JPEG"):
    stream = io.BytesIO()
    pixels = np.random.default_rng(index).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def write_set(folder, *, cells, labels, feature=None, split="train"):
    """A data set as it lies on the Hub: a table with a column of pictures and one of labels."""
    import datasets

    feature = feature or datasets.ClassLabel(names=["Fake", "Real"])
    features = datasets.Features({"photo": datasets.Image(), "kind": feature})
    table = datasets.Dataset.from_dict({"photo": cells, "kind": labels}, features=features)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / "data" / f"{split}-00000-of-00001.parquet")
    return folder


def cells_of(*pictures, suffix=".jpg"):
    return [{"bytes": data, "path": f"{index}{suffix}"} for index, data in enumerate(pictures)]


@pytest.fixture(scope="module")
def small_set(tmp_path_factory):
    """Six pictures for training, of which 0, 2 and 4 are fake, and two to validate on."""
    folder = tmp_path_factory.mktemp("sets") / "small"
    write_set(folder, cells=cells_of(*map(encode, range(6))), labels=[0, 1] * 3)
    return write_set(folder, cells=cells_of(encode(6), encode(7)), labels=[0, 1], split="validation")


def load(folder, tmp_path):
    return load_samples(str(folder), cache=tmp_path / "cache")


def test_pictures_come_with_their_bytes_split_and_class(small_set, tmp_path):
    found = load(small_set, tmp_path)
    rows = {(s.split, s.label, s.path.name): (s.source, s.path.read_bytes()) for s in found.samples}
    fakes = {("train", Label.FAKE, f"000000{index}.jpg"): ("small", encode(index)) for index in (0, 2, 4)}
    reals = {("train", Label.REAL, f"000000{index}.jpg"): ("small", encode(index)) for index in (1, 3, 5)}
    held_out = {("val", Label.FAKE, "0000000.jpg"): ("small", encode(6))}
    assert rows == fakes | reals | held_out | {("val", Label.REAL, "0000001.jpg"): ("small", encode(7))}
    assert len({s.group for s in found.samples}) == 8
    assert (found.unreadable, found.notes) == ([], [])


def test_the_second_run_reads_no_table(small_set, tmp_path, monkeypatch):
    first = load(small_set, tmp_path)
    monkeypatch.setattr(hub_data, "_load_tables", None)
    assert load(small_set, tmp_path) == first


def test_a_folder_that_changed_is_read_again(tmp_path):
    folder = write_set(tmp_path / "set", cells=cells_of(encode(0), encode(1)), labels=[0, 1])
    assert len(load(folder, tmp_path).samples) == 2
    write_set(folder, cells=cells_of(encode(2), encode(3)), labels=[0, 1], split="test")
    assert {s.split for s in load(folder, tmp_path).samples} == {"train", "test"}


def test_pictures_in_folders_with_a_table_of_labels(tmp_path):
    """The Hub's imagefolder: labels stand in a table beside the pictures, which are taken as they are."""
    folder = tmp_path / "set"
    folder.mkdir()
    rows = [{"file_name": f"{index}.png", "verdict": text} for index, text in enumerate(["AI-generated", "authentic"])]
    (folder / "metadata.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for index in range(2):
        (folder / f"{index}.png").write_bytes(encode(index, "PNG"))
    found = load(folder, tmp_path)
    assert [(s.label, s.path.name, s.path.read_bytes()) for s in found.samples] == [
        (Label.FAKE, "0000000.png", encode(0, "PNG")),
        (Label.REAL, "0000001.png", encode(1, "PNG")),
    ]


def test_rows_without_a_picture_or_a_label_are_told(tmp_path):
    import datasets

    cells = [*cells_of(encode(0), encode(1)), None, {"bytes": b"", "path": None}, *cells_of(encode(4), b"broken")]
    folder = write_set(
        tmp_path / "set", cells=cells, labels=[0, 1, 1, 0, -1, 1], feature=datasets.ClassLabel(names=["fake", "real"])
    )
    found = load(folder, tmp_path)
    assert [s.path.name for s in found.samples] == ["0000000.jpg", "0000001.jpg", "0000005.jpg"]  # FaceCache lists 5
    assert [(one.path.name, one.reason) for one in found.unreadable] == [
        ("2", "The row has no picture."),
        ("3", "The row has no picture."),
    ]
    assert found.notes == [f"{folder}: 1 rows without a label are left out."]
    assert load(folder, tmp_path) == found


def test_pictures_without_a_name_get_a_suffix_by_their_content(tmp_path):
    cells = [{"bytes": encode(index, form), "path": None} for index, form in enumerate(["PNG", "WEBP"])]
    folder = write_set(tmp_path / "set", cells=cells, labels=[0, 1])
    assert [s.path.suffix for s in load(folder, tmp_path).samples] == [".png", ".webp"]


def refusal(source, tmp_path):
    with pytest.raises(DataError) as caught:
        load(source, tmp_path)
    assert not list((tmp_path / "cache" / "hub").rglob("*.jpg"))
    return str(caught.value)


def test_labels_that_do_not_say_real_and_fake_are_refused(tmp_path):
    import datasets

    cells = cells_of(encode(0), encode(1), encode(2))
    for names, labels in ((["cat", "dog"], [0, 1, 0]), (["real", "fake", "unsure"], [0, 1, 2])):
        feature = datasets.ClassLabel(names=names)
        folder = write_set(tmp_path / names[0], cells=cells, labels=labels, feature=feature)
        assert f"Real or Fake by name (kind: {', '.join(sorted(names))})" in refusal(folder, tmp_path)
    numbers = write_set(tmp_path / "numbers", cells=cells, labels=[0, 1, 0], feature=datasets.Value("int64"))
    assert "no column has names" in refusal(numbers, tmp_path)


def test_a_set_without_pictures_is_refused(tmp_path):
    import datasets

    (tmp_path / "set").mkdir()
    datasets.Dataset.from_dict({"text": ["a"], "kind": ["real"]}).to_parquet(tmp_path / "set" / "train.parquet")
    assert "no column of pictures, only text, kind" in refusal(tmp_path / "set", tmp_path)


def test_a_damaged_table_is_refused(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "train.parquet").write_bytes(b"PAR1 no table")
    assert "cannot be loaded" in refusal(tmp_path / "set", tmp_path)


class _Answers(BaseHTTPRequestHandler):
    """Every question gets the server's one answer."""

    def do_GET(self):
        status, code, body = self.server.answer
        self.send_response(status)
        for name, value in (("X-Error-Code", code), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def endpoint(monkeypatch):
    """Sets what the Hub is to answer."""
    from huggingface_hub import close_session, constants

    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr("time.sleep", lambda _: None)  # between its tries
        close_session()

        def answer(status, code="", body=b""):
            server.answer = (status, code, body)

        yield answer
        server.shutdown()
        close_session()


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((404, "RepoNotFound"), "neither a folder own/set nor a data set of that name"),
        ((404, "RevisionNotFound"), "no such revision"),
        ((403, "GatedRepo"), "hf auth login"),
        ((500,), "cannot be reached"),
        ((200, "", b"<html>Please log in to the hotel's network</html>"), "cannot be reached"),
    ],
)
def test_the_hubs_refusals_are_told(tmp_path, endpoint, answer, message):
    endpoint(*answer)
    assert message in refusal("own/set", tmp_path)


@pytest.fixture
def fake_hub(monkeypatch, small_set):
    """The Hub has `small_set` as own/set; returns what it was asked for, and its newest commit, which may change."""
    asked, state = [], {"newest": COMMITS[0]}

    def ask(name, *_):
        asked.append(("commit", name))
        if state["newest"] is None:
            raise hub_data.HubUnreachable("no network")
        return state["newest"]

    def load_tables(name, place, revision, tables):
        asked.append(("tables", place, revision))
        return original(name, str(small_set), None, tables)

    original = hub_data._load_tables
    monkeypatch.setattr(hub_data, "_ask_for_commit", ask)
    monkeypatch.setattr(hub_data, "_load_tables", load_tables)
    return asked, state


def test_a_set_of_the_hub_is_written_once_for_each_commit(tmp_path, fake_hub):
    asked, state = fake_hub
    first = load_from_hub("own/set", cache=tmp_path)
    assert {(s.source, s.group.rsplit("/", 3)[0]) for s in first.samples} == {("own/set", "own/set")}
    assert load_from_hub("own/set@main", cache=tmp_path) == first
    assert asked == [("commit", "own/set"), ("tables", "own/set", COMMITS[0]), ("commit", "own/set@main")]
    state["newest"] = COMMITS[1]
    assert load_from_hub("own/set", cache=tmp_path).samples[0].path.is_relative_to(tmp_path / "own--set" / COMMITS[1])


def test_out_of_reach_what_was_written_before_is_taken(tmp_path, fake_hub):
    asked, state = fake_hub
    first = load_from_hub("own/set", cache=tmp_path)
    state["newest"] = None
    assert load_from_hub("own/set", cache=tmp_path) == first
    with pytest.raises(DataError, match=r"cannot be reached \(no network\)"):
        load_from_hub("own/set@v2", cache=tmp_path)
    asked.clear()
    assert load_from_hub(f"own/set@{COMMITS[0]}", cache=tmp_path) == first
    assert asked == []


@pytest.mark.parametrize("setting", [{"HF_ENDPOINT": CLOSED}, {"HF_HUB_OFFLINE": "1"}])
def test_without_a_network_the_reason_and_another_way_are_told(tmp_path, setting):
    code = (
        "import sys; from train.data.load import load_samples; from virtus.errors import DataError\n"
        "assert 'datasets' not in sys.modules\n"
        "try: load_samples('own/set')\n"
        "except DataError as exc: print(exc)\n"
        "assert 'datasets' not in sys.modules"
    )
    run = [sys.executable, "-c", code]
    env = os.environ | {"HOME": str(tmp_path)} | setting
    done = subprocess.run(run, capture_output=True, text=True, env=env, cwd=ROOT, check=True)
    assert done.stdout.startswith(
        "There is no folder own/set. The Hugging Face Hub, which may have a data set of that name"
    )
    assert "give a folder with Real/ and Fake/" in done.stdout
