"""What is in a zip, and what is refused of it. The hostile ones are made byte by byte."""

import pickle
import stat
import struct
import zipfile

import pytest

from tests.support.zips import STORED, Entry, make_zip
from virtus.errors import ImageError, InputError
from virtus.media import archives
from virtus.media.archives import MAX_MEMBERS, open_archive
from virtus.media.images import MAX_BYTES
from virtus.media.kinds import is_archive_path
from virtus.media.listing import find_pictures

MIB = 2**20


def refused(path, **limits):
    with pytest.raises(InputError) as caught:
        open_archive(path, **limits)
    assert not isinstance(caught.value, ImageError)
    return str(caught.value)


def unread(path):
    (file,) = open_archive(path).files
    with pytest.raises(ImageError) as caught:
        file.read()
    return str(caught.value)


def test_a_zip_lists_what_its_folder_would(tmp_path):
    folder = tmp_path / "album"
    for name in ("b.jpg", "a.PNG", "a/z.jpg", "a-b/c.heic", "notes.txt", "Straße, \u202f1.webp"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode() * 50)
    with zipfile.ZipFile(tmp_path / "album.zip", "w", zipfile.ZIP_DEFLATED) as made:
        for path in folder.rglob("*"):
            made.write(path, path.relative_to(folder))
    found = open_archive(tmp_path / "album.zip")
    pictures = find_pictures(folder)
    assert [file.member for file in found.files] == [str(path.relative_to(folder)) for path in pictures]
    assert [file.read() for file in found.files] == [path.read_bytes() for path in pictures]
    assert str(found.files[-1]) == f"{tmp_path}/album.zip/b.jpg"
    assert [file.num_bytes for file in found.files] == [len(path.read_bytes()) for path in pictures]
    assert len(found.left_out.in_words()) == 1


def test_what_a_file_manager_hides_is_left_out_and_not_counted(tmp_path):
    names = [b"a/", b"a/b.jpg", b"a/.b.jpg", b".git/c.jpg", b"__MACOSX/a/._b.jpg", b"a/Icon\r"]
    found = open_archive(make_zip(tmp_path / "a.zip", [Entry(name) for name in names]))
    assert [file.member for file in found.files] == ["a/b.jpg"]
    assert found.left_out.in_words() == []


def test_an_archive_in_an_archive_is_reported_not_opened(tmp_path):
    inner = make_zip(tmp_path / "inner.zip", [Entry(b"a.jpg", b"a")])
    assert "within an archive" in unread(make_zip(tmp_path / "a.zip", [Entry(b"b.ZIP", inner.read_bytes())]))


def test_a_file_can_go_to_another_process(tmp_path):
    (file,) = open_archive(make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"photo")])).files
    assert pickle.loads(pickle.dumps(file)).read() == b"photo"


def test_a_zip_behind_a_program_and_before_a_comment_is_read(tmp_path):
    made = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"photo", STORED)]).read_bytes()
    (tmp_path / "a.zip").write_bytes(b"program" * 9 + made[:-2] + struct.pack("<H", 4) + b"said")
    (file,) = open_archive(tmp_path / "a.zip").files
    assert file.read() == b"photo"


@pytest.mark.parametrize(
    ("raw", "flags", "name"),
    [
        ("é.jpg".encode(), 0x800, "é.jpg"),
        ("é.jpg".encode(), 0, "é.jpg"),  # as macOS writes it
        (b"\x82.jpg", 0, "é.jpg"),  # code page 437, the zip's own
        ("é.jpg".encode("latin-1"), 0, "Θ.jpg"),  # which cannot be told from it
    ],
)
def test_names_in_other_encodings(tmp_path, raw, flags, name):
    (file,) = open_archive(make_zip(tmp_path / "a.zip", [Entry(raw, b"photo", flags=flags)])).files
    assert file.member == name
    assert file.read() == b"photo"


def test_a_name_that_lies_about_its_encoding(tmp_path):
    assert "not the UTF-8 that it says" in refused(make_zip(tmp_path / "a.zip", [Entry(b"\xff.jpg", flags=0x800)]))


@pytest.mark.parametrize(
    "name",
    [
        *(b"../../evil.jpg", b"a/../b.jpg", b"/etc/a.jpg", b"C:/a.jpg", b"C:a.jpg", b"..", b"../evil.sh"),
        *(b"..\\a.jpg", b"a\\b.jpg", b"a\0b.jpg", b"a\x1b[2Jb.jpg", b"a\nb.jpg"),
    ],
)
def test_a_name_that_leads_out_is_refused_whatever_it_names(tmp_path, name):
    assert "could lead out" in refused(make_zip(tmp_path / "a.zip", [Entry(b"good.jpg"), Entry(name)]))
    assert list(tmp_path.iterdir()) == [tmp_path / "a.zip"]


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_are_refused(tmp_path, kind):
    entries = [Entry(b"good.jpg"), Entry(b"a.jpg", b"/etc/passwd", mode=kind | 0o777)]
    assert "a link or a device" in refused(make_zip(tmp_path / "a.zip", entries))


def test_encrypted_zips_are_refused(tmp_path):
    assert "without a password" in refused(make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"x", flags=1)]))


def test_names_given_twice_are_refused(tmp_path):
    assert "2 times" in refused(make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"x"), Entry(b"a.jpg", b"y")]))


def test_files_that_share_bytes_are_refused(tmp_path):
    kernel = Entry(b"0.jpg", bytes(10 * MIB))
    shared = [Entry(b"%d.jpg" % at, bytes(10 * MIB), offset=0) for at in range(1, 9)]  # all at the same header
    assert "share their bytes" in refused(make_zip(tmp_path / "a.zip", [kernel, *shared]))


def test_quoted_headers_are_refused(tmp_path):
    """Each file's data holds the headers and data of those after it, quoted: a better zip bomb's own trick."""
    last = Entry(b"b.jpg", b"x" * 100, STORED)
    quoting = Entry(b"a.jpg", last.header("<4s5H3I2H") + last.packed(), STORED)
    at = 30 + len(quoting.name)
    last.offset = at
    assert "share their bytes" in refused(make_zip(tmp_path / "a.zip", [quoting, last]))


def test_100000_empty_files_are_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"%06d.jpg" % at, method=STORED) for at in range(100_000)])
    assert "too long" in refused(path)


def test_one_file_too_many_is_refused(tmp_path):
    entries = [Entry(b"%d.jpg" % at, method=STORED) for at in range(4)]
    path = make_zip(tmp_path / "a.zip", entries)
    assert "There are 4 files in this zip; at most 3" in refused(path, max_members=3)
    assert len(open_archive(path, max_members=4).files) == 4
    assert 100 * MAX_MEMBERS <= archives.MAX_DIRECTORY_BYTES  # so that names of usual length reach the other limit


def test_too_much_in_all_is_refused_by_what_is_declared(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", size=3 * MIB), Entry(b"b.jpg", size=2 * MIB)])
    assert "5 MiB unpacked; at most 4 MiB" in refused(path, max_bytes=4 * MIB)
    assert len(open_archive(path, max_bytes=5 * MIB).files) == 2


def test_what_is_no_photo_may_be_as_large_as_it_likes(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"x"), Entry(b"clip.mov", b"y", size=4_000_000_000)])
    assert len(open_archive(path, max_bytes=MIB).left_out.in_words()) == 1


def test_one_file_packed_too_densely_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"a.bmp", bytes(17 * MIB)), Entry(b"b.jpg", b"x" * 999, STORED)])
    assert "'a.bmp' unpacks to more than 200 times" in refused(path)


def test_many_files_packed_too_densely_are_refused_together(tmp_path):
    entries = [Entry(b"%d.bmp" % at, bytes(MIB)) for at in range(17)]
    assert "it unpacks to more than 200 times" in refused(make_zip(tmp_path / "a.zip", entries))
    assert len(open_archive(make_zip(tmp_path / "b.zip", entries[:16])).files) == 16  # 16 MiB harm nobody


def test_a_size_that_lies_unpacks_no_more_than_it_says(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", bytes(50 * MIB), size=1000)])
    assert "more than the archive declares" in unread(path)


@pytest.mark.parametrize(
    "entry",
    [
        Entry(b"a.jpg", b"photo", size=9),
        Entry(b"a.jpg", b"photo", size=9, method=STORED),
        Entry(b"a.jpg", b"photo", crc=1),
        Entry(b"a.jpg", b"photo", crc=1, method=STORED),
    ],
)
def test_other_than_declared_is_damaged(tmp_path, entry):
    assert "damaged" in unread(make_zip(tmp_path / "a.zip", [entry]))


def test_damaged_data_spoil_only_their_own_file(tmp_path):
    path = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"photo" * 99), Entry(b"b.jpg", b"good")])
    data = bytearray(path.read_bytes())
    data[35:40] = b"\xff" * 5
    path.write_bytes(data)
    bad, good = open_archive(path).files
    with pytest.raises(ImageError, match="damaged"):
        bad.read()
    assert good.read() == b"good"


@pytest.mark.parametrize("offset", [3, 10_000])
def test_a_header_that_is_not_there(tmp_path, offset):
    assert "damaged" in unread(make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"photo", offset=offset)]))


def test_other_compression_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as made:
        made.writestr("a.jpg", b"photo")
    assert "usual compression" in unread(tmp_path / "a.zip")


def test_a_photo_too_large_is_not_unpacked(tmp_path):
    entry = Entry(b"a.jpg", b"x" * (MAX_BYTES // 100), STORED, size=MAX_BYTES + 1)
    assert "more than the 64 MiB" in unread(make_zip(tmp_path / "a.zip", [entry]))


@pytest.mark.parametrize("content", [b"", b"PK\5\6", b"text" * 99, b"PK\3\4" + bytes(99)])
def test_what_is_no_zip(tmp_path, content):
    (tmp_path / "a.zip").write_bytes(content)
    assert "This is not a zip" in refused(tmp_path / "a.zip")


def test_a_cut_zip_and_a_zip_with_any_byte_changed_never_raise_anything_else(tmp_path):
    whole = make_zip(tmp_path / "a.zip", [Entry(b"a.jpg", b"photo" * 9), Entry(b"b.jpg", b"good")]).read_bytes()
    broken = [whole[:end] for end in range(len(whole))]
    broken += [whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :] for at in range(len(whole))]
    num_refused = 0
    for content in broken:
        (tmp_path / "a.zip").write_bytes(content)
        try:
            for file in open_archive(tmp_path / "a.zip").files:
                file.read()
        except InputError:
            num_refused += 1
    assert num_refused > len(whole)  # every cut, and more


def test_without_photos_there_is_a_sentence(tmp_path):
    assert "no photo" in refused(make_zip(tmp_path / "a.zip", [Entry(b"notes.txt", b"x"), Entry(b"")]))
    assert "no photo" in refused(make_zip(tmp_path / "b.zip", []))


def test_what_is_not_there_or_no_file(tmp_path):
    assert "No such file" in refused(tmp_path / "none.zip")
    assert "not a regular file" in refused(tmp_path)


def test_archives_are_known_by_name():
    assert is_archive_path("a/B.ZIP")
    assert not is_archive_path("zip.jpg")
