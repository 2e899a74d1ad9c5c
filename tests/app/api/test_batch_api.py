"""The endpoint `/batch` of a running app, by `gradio_client`."""

import zipfile

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from tests.support.zips import Entry, make_zip


@pytest.fixture(scope="module")
def client(server):
    return Client(server.url, verbose=False)


def judge(client, *paths, **options):
    return client.predict([handle_file(str(path)) for path in paths], api_name="/batch", **options)


def test_photos_are_reported_as_they_come(client, photos):
    names = ("one.jpg", "text.jpg", "none.png")
    job = client.submit([handle_file(str(photos[name])) for name in names], api_name="/batch")
    reports, counts = job.result()
    assert [len(so_far) for so_far, _ in job.outputs()] == [1, 2, 3]
    assert [report["name"] for report in reports] == ["grace-hopper.jpg", "text.jpg", "none.png"]
    assert [report["path"] for report in reports] == [None] * 3
    assert counts == {reports[0]["outcome"]: 1, "no_face": 1, "unreadable": 1}
    single = client.predict(handle_file(str(photos["one.jpg"])), api_name="/analyze")
    assert {name: value for name, value in reports[0].items() if name != "name"} == single
    assert all("reason" in report and not report["faces"] for report in reports[1:])


def test_photos_in_a_zip(client, photos, tmp_path):
    with zipfile.ZipFile(tmp_path / "album.zip", "w") as made:
        made.write(photos["one.jpg"], "in/one.jpg")
        made.write(photos["cut.jpg"], "in/cut.jpg")
        made.writestr("notes.txt", "x")
    reports, counts = judge(client, tmp_path / "album.zip", photos["none.png"], whole_image=True, prior=0.9)
    assert [report["name"] for report in reports] == ["album.zip/in/cut.jpg", "album.zip/in/one.jpg", "none.png"]
    assert counts["unreadable"] == 1
    assert {report["prior"] for report in reports} == {0.9}
    assert "cut off" in reports[0]["reason"]


def test_a_zip_bomb_is_refused(client, tmp_path):
    bomb = make_zip(tmp_path / "bomb.zip", [Entry(b"a.bmp", bytes(2**20) * 17)])
    with pytest.raises(AppError, match=r"bomb\.zip: This zip is refused"):
        judge(client, bomb)


def test_nothing_or_a_wrong_checkpoint_is_said(client, photos):
    with pytest.raises(AppError, match="hand over a list"):
        judge(client)
    with pytest.raises(AppError, match="not the name of a checkpoint"):
        judge(client, photos["one.jpg"], model="/etc")
