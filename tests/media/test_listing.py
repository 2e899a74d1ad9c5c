import io
import os
import re
import shutil

import pytest

from tests.support.zips import Entry, make_zip
from virtus.errors import ImageError, InputError
from virtus.media.images import register_formats
from virtus.media.kinds import FileKind, LeftOut, is_clip, kind_of, read_first_bytes
from virtus.media.listing import check_there, find_pictures, list_files, walk_pictures


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


def test_folders_that_a_glob_finds_are_walked(tmp_path):
    """As where a shell takes the glob: quoted, it left them out without a word."""
    touch(tmp_path, "1.jpg", "2019/a.jpg", "2019/deep/b.jpg", "2020/c.jpg")
    every = [f"{tmp_path}/{name}" for name in ("1.jpg", "2019/a.jpg", "2019/deep/b.jpg", "2020/c.jpg")]
    assert list(list_files([f"{tmp_path}/*"])) == every
    assert list(list_files([f"{tmp_path}/**"])) == every  # each once
    assert list(list_files([f"{tmp_path}/20*"])) == every[1:]


def test_a_folder_that_may_not_be_read_ends_what_counts_pictures(tmp_path, monkeypatch):
    touch(tmp_path, "Real/a.jpg", "Fake/shut/b.jpg")
    scandir = os.scandir

    def scan(path):
        if str(path).endswith("shut"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    with pytest.raises(InputError, match=f"The folder {tmp_path}/Fake/shut cannot be read"):
        find_pictures(tmp_path)


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_what_is_left_out_of_a_folder_is_counted_and_named(tmp_path):
    touch(tmp_path, "a.jpg", "clip.MP4", "x.jxl", "in/Thumbs.db", "more.zip", *(f"{at}.cr2" for at in range(3)))
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    (tmp_path / "round").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    left_out = LeftOut()
    assert list(list_files([str(tmp_path)], left_out)) == [f"{tmp_path}/a.jpg"]
    said = [sentence.replace(f"{tmp_path}/", "").partition(". ")[0].rstrip(".") for sentence in left_out.in_words()]
    assert said[0] == "1 clip was left out: clip.MP4"
    assert re.fullmatch("4 pictures in formats that are not read were left out: .*, .*, .* and 1 more", said[1])
    assert said[2].startswith("2 links to nowhere were left out: ")
    assert said[3:] == [
        "1 zip in a folder was left out: more.zip",
        "1 link to a folder was left out: round",
        "1 pipe, socket or device was left out: pipe.jpg",
        "1 other file was left out: in/Thumbs.db",
    ]


@pytest.mark.parametrize(("name", "grave"), [("a.mp4", True), ("a.jxl", True), ("a.zip", True), ("a.txt", False)])
def test_what_may_show_a_face_is_grave(name, grave, tmp_path):
    touch(tmp_path, name)
    left_out = LeftOut()
    assert list(list_files([str(tmp_path)], left_out)) == [str(tmp_path)]
    assert left_out.is_grave == grave


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "HEIF", "AVIF"])
def test_a_picture_is_known_by_its_first_bytes_where_its_suffix_says_nothing(form, make_image, tmp_path):
    register_formats()
    for name in ("photo", "photo.jpg_large", "photo.part"):
        make_image().save(tmp_path / name, form)
    make_image().save(tmp_path / "notes.txt", form)  # says something
    assert [path.name for path in find_pictures(tmp_path)] == ["photo", "photo.jpg_large", "photo.part"]


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0", FileKind.PICTURE),
        (b"\0\0\0\x18ftypmif1\0\0\0\0", FileKind.PICTURE),
        (b"\0\0\0\x18ftypisom\0\0\0\0", FileKind.CLIP),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", FileKind.CLIP),
        (b"\0\0\0\x20ftypM4A \0\0\0\0", FileKind.OTHER),  # sound
        (b"\0\0\0\x18ftypcrx \0\0\0\0", FileKind.UNREAD),  # Canon's raw
        (b"\0\0\0\x0cJXL \r\n\x87\n", FileKind.UNREAD),
        (b"RIFF\0\0\0\0AVI LIST", FileKind.CLIP),
        (b"RIFF\0\0\0\0WAVEfmt ", FileKind.OTHER),
        (b"BMW, a list of cars\n" * 2, FileKind.OTHER),
        (b"P5 is a format of pictures\n", FileKind.OTHER),
        (b"", FileKind.OTHER),
    ],
)
def test_first_bytes_tell_what_a_file_is(start, kind):
    assert kind_of("noname", lambda: start) is kind
    assert kind_of("a.jpg", lambda: start) is FileKind.PICTURE  # its name says so


def test_a_clip_is_known_by_its_name_or_by_its_first_bytes_where_that_says_nothing(tmp_path):
    names = ["a.mp4", "a.3g2", "a", "a.jpg", "a.txt"]
    for name in names:
        (tmp_path / name).write_bytes(b"\0\0\0\x18ftypisom\0\0\0\0")
    (tmp_path / "photo").write_bytes(b"\xff\xd8\xff")
    names += ["none", "none.mp4", "photo", "x" * 5000, "a\0b", ""]
    assert [name for name in names if is_clip(tmp_path / name)] == ["a.mp4", "a.3g2", "a", "none.mp4"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_a_pipe_is_not_read_for_its_first_bytes(tmp_path):
    """It would be waited for, had nobody written to it."""
    os.mkfifo(tmp_path / "pipe")
    pipe = os.open(tmp_path / "pipe", os.O_RDWR)
    os.write(pipe, b"\0\0\0\x18ftypisom\0\0\0\0")
    assert read_first_bytes(tmp_path / "pipe") == b""
    assert not is_clip(tmp_path / "pipe")
    os.close(pipe)


def test_of_a_zip_too_first_bytes_tell_and_what_is_left_out_is_named(tmp_path, make_image):
    stream = io.BytesIO()
    make_image().save(stream, "JPEG")
    entries = [Entry(b"in/photo", stream.getvalue()), Entry(b"clip.mp4"), Entry(b"noname", bytes(9)), Entry(b"x.jxl")]
    make_zip(tmp_path / "in.zip", entries)
    left_out = LeftOut()
    (photo,) = list_files([f"{tmp_path}/in.zip"], left_out)
    assert (str(photo), photo.read()) == (f"{tmp_path}/in.zip/in/photo", stream.getvalue())
    assert [sentence.partition(". ")[0].rpartition("/")[2].rstrip(".") for sentence in left_out.in_words()] == [
        "clip.mp4",
        "x.jxl",
        "noname",
    ]


@pytest.mark.parametrize("name", ["none.jpg", "*.jpg", "", "none.zip"])
def test_a_mistyped_path_is_told_from_one_with_something_to_judge(name, tmp_path):
    touch(tmp_path, "notes.txt", "in/a.jpg")
    with pytest.raises(InputError, match="nothing to judge by the name"):
        check_there([f"{tmp_path}/{name}" if name else str(tmp_path / "empty")])
    check_there([str(tmp_path / "none.jpg"), str(tmp_path)])


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
