import shutil

import pytest

from tests.support.zips import Entry, make_zip
from virtus.errors import ImageError
from virtus.media.listing import find_pictures, list_files, walk_pictures


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"")


def test_files_folders_and_globs(tmp_path):
    touch(tmp_path, "b.JPG", "a.png", "deep/c.heic", "notes.txt", "other/d.webp")
    listed = [path.removeprefix(f"{tmp_path}/") for path in list_files([str(tmp_path), f"{tmp_path}/*/*.webp"])]
    assert listed == ["a.png", "b.JPG", "deep/c.heic", "other/d.webp", "other/d.webp"]


def test_a_named_file_is_taken_whatever_its_name(tmp_path):
    touch(tmp_path, "notes.txt", "odd[1].jpg")
    named = [f"{tmp_path}/notes.txt", f"{tmp_path}/odd[1].jpg"]
    assert list(list_files(named)) == named


def test_a_name_longer_than_the_system_takes_is_kept_to_be_reported():
    """It ended the whole scan."""
    named = ["x" * 5000 + suffix for suffix in ("", ".jpg", ".zip", "*.jpg")]
    assert list(list_files(named)) == named


def test_what_matches_nothing_is_kept_to_be_reported(tmp_path):
    named = [f"{tmp_path}/none.jpg", f"{tmp_path}/*.jpg", str(tmp_path)]
    assert list(list_files(named)) == named


def test_the_order_is_that_of_sorted_paths(tmp_path):
    # A folder stands where its name does: before "a.jpg", though "/" comes after "." and before "0".
    touch(tmp_path, "a.jpg", "a/z.jpg", "a0.jpg", "a/b/c.jpg", "B.jpg", ".hidden/x.jpg", "é.jpg", "a-b/q.jpg")
    listed = list(walk_pictures(tmp_path))
    assert listed == [str(path) for path in sorted(tmp_path.rglob("*.jpg"))]
    assert [str(path) for path in find_pictures(tmp_path)] == listed


def test_a_folder_is_not_read_before_its_turn(tmp_path):
    touch(tmp_path, "a/1.jpg", "b/2.jpg", "c/3.jpg")
    files = list_files([str(tmp_path)])
    assert next(files) == f"{tmp_path}/a/1.jpg"
    touch(tmp_path, "b/late.jpg")
    shutil.rmtree(tmp_path / "c")
    # What is gone when its turn comes is still said.
    assert list(files) == [f"{tmp_path}/b/2.jpg", f"{tmp_path}/b/late.jpg", f"{tmp_path}/c"]


def test_links_to_pictures_are_taken_and_links_to_folders_are_not_followed(tmp_path):
    touch(tmp_path, "deep/a.jpg")
    (tmp_path / "deep" / "round").symlink_to(tmp_path)
    (tmp_path / "b.jpg").symlink_to(tmp_path / "deep" / "a.jpg")
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self.jpg").symlink_to(tmp_path / "self.jpg")
    (tmp_path / "folder.jpg").mkdir()
    assert [path.removeprefix(f"{tmp_path}/") for path in walk_pictures(tmp_path)] == ["b.jpg", "deep/a.jpg"]


def test_names_below_the_working_folder_have_no_dot_before_them(tmp_path, monkeypatch):
    touch(tmp_path, "a.jpg", "b/c.jpg")
    monkeypatch.chdir(tmp_path)
    assert list(list_files(["."])) == ["a.jpg", "b/c.jpg"]
    assert list(list_files(["./b/"])) == ["b/c.jpg"]


def test_a_zip_stands_for_the_pictures_in_it(tmp_path):
    make_zip(tmp_path / "in.zip", [Entry(b"b.jpg", b"photo"), Entry(b"a/c.png"), Entry(b"notes.txt")])
    named = [f"{tmp_path}/in.zip", f"{tmp_path}/*.zip"]
    listed = list(list_files(named))
    assert [str(item) for item in listed] == [f"{tmp_path}/in.zip/a/c.png", f"{tmp_path}/in.zip/b.jpg"] * 2
    assert listed[1].read() == b"photo"
    assert list(list_files([str(tmp_path)])) == [str(tmp_path)]  # no zip in a folder is opened


def test_a_refused_zip_and_one_that_is_not_there_are_kept_to_be_reported(tmp_path):
    make_zip(tmp_path / "bad.zip", [Entry(b"../evil.jpg")])
    (refused,) = list_files([f"{tmp_path}/bad.zip"])
    assert str(refused) == f"{tmp_path}/bad.zip"
    with pytest.raises(ImageError, match="This zip is refused"):
        refused.read()
    assert list(list_files([f"{tmp_path}/none.zip"])) == [f"{tmp_path}/none.zip"]
