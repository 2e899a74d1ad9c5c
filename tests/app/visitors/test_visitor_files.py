"""The folder for visitors' files: what is deleted, what stays, and what of servers that are no more."""

import os
import stat
import time

import pytest

from virtus.app.visitors.files import MARK, VisitorFiles, visitor_files

AGE_S = 0.2


@pytest.fixture
def clock(monkeypatch):
    """Stops at the moment when a file was last changed: a machine that is busy makes nothing older."""
    return lambda path: monkeypatch.setattr(time, "time", lambda: path.stat().st_ctime)


@pytest.fixture
def make_files(tmp_path):
    def make(**settings):
        return VisitorFiles(tmp_path, **{"keep_s": AGE_S} | settings)

    return make


def write(folder, name, num_bytes=3):
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bytes(num_bytes))
    return path


def test_the_folder_is_for_its_owner_alone(make_files):
    assert stat.S_IMODE(make_files().folder.stat().st_mode) == 0o700


def test_what_is_old_is_deleted_however_it_came_there(make_files, tmp_path, clock):
    files, outside = make_files(), write(tmp_path, "outside.txt")
    broken_off, answered = write(files.folder, "tmpabc"), write(files.folder, "a1b2/faces.png")
    (files.folder / "link").symlink_to(outside)
    time.sleep(2 * AGE_S)
    fresh = write(files.folder, "c3/photo.jpg")
    clock(fresh)
    files.sweep()
    assert not broken_off.exists()
    assert not answered.exists()
    assert not (files.folder / "link").is_symlink()
    assert outside.exists()
    assert fresh.exists()


def test_the_apps_own_files_stay(make_files):
    files = make_files()
    example = write(files.folder, "e1/example.jpg")
    files.keep_all()
    time.sleep(2 * AGE_S)
    files.sweep()
    assert example.exists()


def test_bytes_are_counted_as_they_come_and_anew_when_swept(make_files):
    files = make_files(max_bytes=100, keep_s=60)
    write(files.folder, "a/photo.jpg", 60)
    files.sweep()
    assert not files.take(41)
    assert files.take(40)
    assert not files.take(1)
    files.sweep()
    assert files.take(40)


def test_what_a_killed_server_left_is_deleted_and_a_living_ones_is_not(make_files, tmp_path, clock):
    killed, living = make_files(), make_files()
    write(killed.folder, "a/photo.jpg")
    other = write(tmp_path, "virtus-visitors-of-somebody/photo.jpg")  # without our mark
    time.sleep(2 * AGE_S)
    living.sweep()
    clock(living.folder / MARK)
    next_one = make_files()
    assert not killed.folder.exists()
    assert living.folder.exists()
    assert next_one.folder.exists()
    assert other.exists()


def test_gradio_is_handed_the_folder_for_as_long_as_the_server_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "gradio"))
    with visitor_files() as files:
        assert os.environ["GRADIO_TEMP_DIR"] == str(files.folder)
        assert files.folder.parent == tmp_path / "gradio"
        write(files.folder, "a/photo.jpg")
    assert not files.folder.exists()
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path / "gradio")
