"""`scan --engine ray` on a cluster of two worker nodes on this machine: the same rows as without it."""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from PIL import Image

from tests.support.command import ROOT, virtus
from tests.support.zips import Entry, make_zip
from virtus.checkpoints.detector import Detector
from virtus.checkpoints.load import load_checkpoint
from virtus.cli.commands import main
from virtus.errors import ImageError, InputError
from virtus.judging.paths import analyze_paths
from virtus.media.images import load_image
from virtus.media.kinds import LeftOut
from virtus.scans.ray.requirements import require_ray

pytest.importorskip("ray", reason="Ray is not installed: pip install -e '.[ray]'")
os.environ.setdefault("RAY_AUTH_TOKEN", "0" * 64)  # else Ray makes one, and keeps it in the user's home
require_ray()

import psutil  # noqa: E402
import pyarrow.parquet as pq  # noqa: E402

from virtus.scans.ray.cluster import Workers, connected, plan_workers  # noqa: E402
from virtus.scans.ray.job import list_sources, scan_on_ray  # noqa: E402
from virtus.scans.ray.judges import pack, unpack  # noqa: E402
from virtus.scans.ray.parquet import SCHEMA, to_table  # noqa: E402
from virtus.scans.ray.stores import fetch, list_objects  # noqa: E402

CALIBRATION = {"temperature": 2.0, "bias": 0.5, "real_below": 0.2, "fake_above": 0.8}


@pytest.fixture(scope="module")
def cluster():
    """A head that runs nothing, and two nodes of one core each, which know this Virtus: the address."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        made = start_cluster()
        yield made.address
        made.shutdown()


def start_cluster():
    from ray.cluster_utils import Cluster

    small = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    for _ in range(2):
        made.add_node(num_cpus=1, object_store_memory=small["object_store_memory"])
    return made


@pytest.fixture(scope="module")
def album(tmp_path_factory, astronaut):
    """Pictures with one face, two and none, a small face, broken ones, and names of all kinds."""
    folder = tmp_path_factory.mktemp("album")
    photo = load_image(astronaut)
    two = Image.new("RGB", (1024, 512))
    two.paste(photo, (0, 0))
    two.paste(photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (512, 0))
    two.save(folder / "two.png")
    photo.save(folder / "face.jpg")
    photo.resize((200, 200)).save(folder / "tiny.png")
    (folder / "broken.jpg").write_bytes((folder / "two.png").read_bytes()[:2000])
    (folder / "empty.jpg").write_bytes(b"")
    wall = folder / "wall.png"
    Image.new("RGB", (64, 64), "navy").save(wall)
    for name in ("Größe ☃ 顔.png", "a b%20c#d?e.png", "Z.png", "line\nbreak.png"):
        shutil.copy(wall, folder / name)
    return folder


def known(value):
    """A row without what it does not say: Parquet has null there, JSON nothing or null."""
    if isinstance(value, dict):
        return {name: known(one) for name, one in value.items() if one is not None}
    return [known(one) for one in value] if isinstance(value, list) else value


def rows_of(file):
    """The rows of a Parquet file as JSON has them."""
    table = pq.read_table(file)
    assert table.schema.equals(SCHEMA)
    return [known(row) for row in table.to_pylist(maps_as_pydicts="strict")]


def one_machine(model, paths, *, prior=0.5, **how):
    """The rows that a scan of this process has as JSON."""
    detector = Detector(load_checkpoint(str(model), device="cpu", precision="float32"), prior=prior)
    return [known(report.to_json()) for report in analyze_paths(detector, paths, **how)]


def assert_alike(one, other, *, within=1e-4):
    """All that is no float is equal; floats are within 1e-4, edges of boxes within what they are rounded to."""
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_alike(one[name], other[name], within=0.11 if name == "box_xyxy" else within)
    elif isinstance(one, list):
        assert len(one) == len(other)
        for left, right in zip(one, other, strict=True):
            assert_alike(left, right, within=within)
    elif isinstance(one, float):
        assert other == pytest.approx(one, abs=within)
    else:
        assert one == other


def kill_judges():
    """kill -9 for all actors of this process's cluster: how many there were."""
    children = psutil.Process().children(recursive=True)
    judges = [one for one in children if " ".join(one.cmdline()).startswith("ray::MapWorker")]
    for judge in judges:
        judge.kill()
    return len(judges)


def test_a_zip_is_refused(tmp_path):
    make_zip(tmp_path / "a.zip", [Entry(b"a.jpg")])
    with pytest.raises(InputError, match="Unpack it"):
        list_sources([str(tmp_path / "a.zip")])


def test_the_rows_are_those_of_one_machine_although_every_worker_is_killed(
    cluster, album, make_checkpoint, tmp_path, monkeypatch
):
    model = make_checkpoint(own={"calibration": CALIBRATION, "margin": 1.8})
    monkeypatch.chdir(album.parent)  # the nodes stand elsewhere
    sources = list_sources([album.name, "missing.png", album.as_uri(), f"{album.as_uri()}/missing.png"])
    assert len(sources) == 22
    outcomes = scan_on_ray(sources, tmp_path / "rows.parquet", model=str(model), address=cluster)
    first = next(outcomes)
    assert kill_judges() == 2
    assert list(tmp_path.glob("*.parquet")) == []
    outcomes = [first, *outcomes]

    rows = rows_of(tmp_path / "rows.parquet")
    assert [row["path"] for row in rows] == sources == sorted(sources)
    assert [row["outcome"] for row in rows] == outcomes
    by_path = {row["path"]: row for row in rows if not row["path"].startswith("file:")}
    expected = one_machine(model, list(by_path))
    assert_alike(list(by_path.values()), expected)
    outcomes = [row["outcome"] for row in expected]
    assert (outcomes.count("no_face"), outcomes.count("unreadable"), outcomes.count("face_too_small")) == (5, 3, 1)
    assert max(len(row["faces"]) for row in expected) == 2

    by_address = [row for row in rows if row["path"].startswith("file:")]
    (missing,) = [row for row in by_address if row["path"].endswith("/missing.png")]
    assert missing["reason"] == "There is no such object. Check the address."
    by_address.remove(missing)
    by_name = {Path(path).name: row for path, row in by_path.items()}
    for row in by_address:
        name = Path(unquote(urlsplit(row["path"]).path)).name
        assert_alike(row | {"path": None}, by_name.pop(name) | {"path": None})
    assert list(by_name) == ["missing.png"]


def test_the_command_line_reads_lists_and_hands_on_how_to_judge(cluster, album, make_checkpoint, tmp_path):
    model, out = make_checkpoint(), tmp_path / "rows.parquet"
    odd = tmp_path / os.fsdecode(b"latin\xe9.png")
    shutil.copy(album / "wall.png", odd)
    lines = [str(album / "wall.png"), "", f"{album.as_uri()}/Z.png", str(odd)]
    (tmp_path / "list.txt").write_bytes(os.fsencode("\r\n".join(lines)))
    how = ["--whole-image", "--stability", "--prior", "0.1", "--model", model]
    ray = ["--engine", "ray", "--ray-address", cluster, "--workers", "1", "--out", out]
    done = virtus("scan", f"@{tmp_path}/list.txt", *how, *ray)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("3 pictures: 3 ")
    expected = one_machine(model, [album / "wall.png"], prior=0.1, whole=True, stability=True) * 3
    rows = rows_of(out)
    assert [row.pop("path") for row in rows] == sorted(
        [f"{album}/wall.png", f"{album.as_uri()}/Z.png", f"{tmp_path}/latin\\xe9.png"]
    )
    assert_alike(rows, [{name: value for name, value in row.items() if name != "path"} for row in expected])


def test_what_cannot_be_done_is_refused_before_anything_is_judged(cluster, album, make_checkpoint, tmp_path):
    scan = {"sources": [str(album / "wall.png")], "model": str(make_checkpoint()), "address": cluster}
    for options, sentence in (
        ({"sources": []}, "There is nothing to scan"),
        ({"out": tmp_path}, "is a folder"),
        ({"out": tmp_path / "none" / "rows.parquet"}, "cannot be written"),
        ({"num_workers": 3}, "3 workers do not fit on a cluster with 2 cores"),
    ):
        with pytest.raises(InputError, match=sentence):
            list(scan_on_ray(**{"out": tmp_path / "rows.parquet"} | scan | options))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("address", ["127.0.0.1:1", "127.0.0.1", "127.0.0.1:99999", "ray://127.0.0.1:10001"])
def test_an_address_without_a_cluster_is_refused_at_once(address):
    """Ray tries for minutes."""
    with pytest.raises(InputError, match=r"no Ray cluster to use at 127.*auto|auto or host:port"), connected(address):
        pass


@pytest.mark.parametrize(("device", "sentence"), [("cuda", "has no GPU"), ("mps", "--device is auto, cpu or cuda")])
def test_a_device_that_no_worker_can_have_is_refused(device, sentence):
    with pytest.raises(InputError, match=sentence):
        plan_workers([{"CPU": 4}], None, device)


@pytest.mark.parametrize(
    ("nodes", "count", "expected"),
    [
        ([{"CPU": 1}, {"CPU": 1}], None, Workers(2, 1)),
        ([{"CPU": 8}, {"CPU": 8}], 2, Workers(2, 8)),
        ([{"CPU": 8}, {"CPU": 8}], 3, Workers(3, 4)),
        ([{"CPU": 1}, {"CPU": 7}], 2, Workers(2, 3)),
        ([{"CPU": 8, "memory": 4e9}, {"CPU": 8, "memory": 8e9}], None, Workers(6, 2)),
        ([{"CPU": 2, "memory": 1e9}], None, Workers(1, 2)),
        ([{"CPU": 8, "GPU": 2}, {"CPU": 4}], None, Workers(2, 4, 1)),
        ([{"CPU": 8, "GPU": 2}], 1, Workers(1, 8, 1)),
    ],
)
def test_workers_share_out_the_cores_and_none_is_left_without_a_node(nodes, count, expected):
    assert plan_workers(nodes, count, "auto")[0] == expected


def test_a_field_of_the_json_that_parquet_would_lose_is_noticed(album, make_checkpoint):
    """Arrow drops what a schema does not name, without a word."""
    detector = Detector(load_checkpoint(str(make_checkpoint()), device="cpu"))
    (report,) = analyze_paths(detector, [album / "face.jpg"], stability=True)
    (row,) = to_table([report]).to_pylist(maps_as_pydicts="strict")
    assert known(row) == known(report.to_json())


def test_what_cannot_be_fetched_says_why(album):
    assert fetch(f"{album.as_uri()}/Z.png").read() == (album / "Z.png").read_bytes()
    for address, sentence in (
        (f"{album.as_uri()}/none.png", "There is no such object"),
        (album.as_uri(), "cannot be read"),
        ("s3://me:secret@bucket/photo.png", "must not hold a password"),
    ):
        with pytest.raises(ImageError, match=sentence):
            fetch(address).read()
    with pytest.raises(InputError, match="must not hold a password"):
        list(list_objects("s3://me:secret@bucket/", LeftOut()))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--engine ray", "name it by --out"),
        ("--engine ray --out x.parquet --format csv", "--format goes with --engine local"),
        ("--engine ray --out x.parquet --resume", "--resume goes with --engine local"),
        ("--workers 2", "--workers goes with --engine ray"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, sentence, capsys):
    assert main(["scan", "x.jpg", *options.split()]) == 2
    assert sentence in capsys.readouterr().err


def test_without_the_extra_it_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray.data", None)
    assert main(["scan", "x.jpg", "--engine", "ray", "--out", str(tmp_path / "x.parquet")]) == 2
    assert "pip install 'virtus[ray]'" in capsys.readouterr().err


def test_workers_know_which_label_is_fake(make_checkpoint):
    parcel = pack(f"{make_checkpoint(labels=('LABEL_0', 'LABEL_1'))}#0")
    checkpoint = unpack(parcel, device="cpu", precision="float32")
    assert (checkpoint.info, checkpoint.outputs.fake) == (parcel.info, (0,))
