import json

import pytest
from PIL import Image

from tests.train.data.test_clips import write_face_clip
from tests.video.test_video import numbered, write_clip
from train.data.load import load_samples
from train.data.samples import SampleSet, Unreadable, count_table, find_samples
from train.data.splits import assign_splits, check_groups
from train.pictures.face_cache import FaceCache
from virtus.errors import DataError
from virtus.results import Label


def make_tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


def test_source_split_and_class_come_from_the_folders(tmp_path):
    make_tree(
        tmp_path, "one/train/Real/a.jpg", "one/Test/fake/b.png", "two/Fake/c.jpg", "notes/d.jpg", "two/Fake/x.txt"
    )
    found = {s.path.name: (s.source, s.split, s.label) for s in find_samples(tmp_path)}
    assert found == {
        "a.jpg": ("one", "train", Label.REAL),
        "b.png": ("one", "test", Label.FAKE),
        "c.jpg": ("two", None, Label.FAKE),
    }


def test_a_source_may_be_named_like_a_class_and_classes_may_have_numbers_and_splits(tmp_path):
    make_tree(tmp_path, "stylegan/val/Real/a.jpg", "kaggle/training_fake/b.jpg", "mine/0_real/c.jpg", "mine/1/d.jpg")
    found = {s.path.name: (s.source, s.split, s.label) for s in load_samples(tmp_path).samples}
    assert found == {
        "a.jpg": ("stylegan", "val", Label.REAL),
        "b.jpg": ("kaggle", "train", Label.FAKE),
        "c.jpg": ("mine", None, Label.REAL),
    }
    (note,) = load_samples(tmp_path).notes
    assert note.startswith(f"Of the pictures below {tmp_path} 1 lie where no folder says real or fake")
    assert "in mine/1. Name such a folder" in note


def test_frames_of_sets_of_clips_are_left_out_and_that_is_said(tmp_path):
    make_tree(tmp_path, "Celeb-real/a.jpg", "Celeb-synthesis/b.jpg")
    with pytest.raises(DataError, match=r"2 pictures in the folders of Celeb-DF .* move these into folders named Real"):
        load_samples(tmp_path)
    make_tree(tmp_path, "mine/Real/c.jpg")
    (note,) = load_samples(tmp_path).notes
    assert note.startswith("2 pictures in the folders of Celeb-DF or FaceForensics++ below")


def test_a_plain_tree_is_a_source_by_its_own_name(tmp_path):
    make_tree(tmp_path / "mine", "Real/a.jpg", "Fake/b.jpg")
    assert {s.source for s in find_samples(tmp_path / "mine")} == {"mine"}


def test_groups_come_from_the_file_beside_the_classes(tmp_path):
    make_tree(tmp_path, "one/train/Real/a.jpg", "one/train/Fake/b.jpg", "one/train/Fake/c.jpg")
    (tmp_path / "one/train/groups.csv").write_text("file_name,label,group\nReal/a.jpg,Real,7\nFake/b.jpg,Fake,7\n")
    groups = {s.path.name: s.group for s in find_samples(tmp_path)}
    assert groups == {"a.jpg": "one/7", "b.jpg": "one/7", "c.jpg": "one/one/train/Fake/c.jpg"}


@pytest.mark.parametrize(
    ("names", "message"), [((), "No labelled pictures"), (("cats/a.jpg",), "No labelled pictures")]
)
def test_nothing_labelled_says_what_to_do(tmp_path, names, message):
    make_tree(tmp_path, *names)
    with pytest.raises(DataError, match=message):
        find_samples(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,who\n", "file_name and group"),
        (b"", "file_name and group"),
        (b"file_name;group\nReal/a.jpg;7\n", "separated by commas"),
        ("file_name,group\nReal/Zo\xeb.jpg,7\n".encode("latin-1"), "not UTF-8"),
        (b"file_name,group\nReal/a.jpg\n", "no group in line 2"),
        (b'file_name,group\n"' + b"a" * 200_000 + b'",7\n', "cannot be read as a table"),
    ],
)
def test_a_broken_groups_file_is_refused_by_its_name(tmp_path, content, message):
    make_tree(tmp_path, "one/Real/a.jpg")
    (tmp_path / "one/groups.csv").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        find_samples(tmp_path)
    assert str(tmp_path / "one/groups.csv") in str(caught.value)


def test_a_groups_file_of_another_tree_is_refused_and_one_of_more_files_is_not(tmp_path):
    """Groups that cross splits were not found then, without a word."""
    make_tree(tmp_path, "one/Real/a.jpg")
    (tmp_path / "one/groups.csv").write_text("file_name,group\none/Real/a.jpg,7\n")
    with pytest.raises(DataError, match=r"names no file that is there, such as one/Real/a.jpg"):
        find_samples(tmp_path)
    (tmp_path / "one/groups.csv").write_text("file_name,group\nReal/gone.jpg,7\nReal/a.jpg,7\n")
    assert [s.group for s in find_samples(tmp_path)] == ["one/7"]


def test_a_groups_file_that_was_written_on_windows_is_read(tmp_path):
    make_tree(tmp_path, "one/Real/a.jpg")
    (tmp_path / "one/groups.csv").write_text("file_name,group\nReal\\a.jpg,7\n")
    assert [s.group for s in find_samples(tmp_path)] == ["one/7"]


def test_a_groups_file_that_excel_wrote_is_read(tmp_path):
    make_tree(tmp_path, "Real/a.jpg", "Real/b.jpg")
    (tmp_path / "groups.csv").write_bytes(b"\xef\xbb\xbffile_name,group\r\nReal/a.jpg,7\r\nReal/b.jpg,\r\n")
    assert [s.group.partition("/")[2] for s in find_samples(tmp_path)] == ["7", "Real/b.jpg"]


@pytest.mark.parametrize("name", ["Train/Fake", "TRAIN/fake", "train/FAKE"])
def test_splits_and_classes_are_known_in_any_case(tmp_path, name):
    make_tree(tmp_path / "mine", f"{name}/a.jpg")
    assert [(s.source, s.split, s.label) for s in find_samples(tmp_path / "mine")] == [("mine", "train", Label.FAKE)]


def test_the_kaggle_layout_is_understood(tmp_path):
    make_tree(tmp_path, *(f"Dataset/{s}/{c}/a.jpg" for s in ("Train", "Validation", "Test") for c in ("Real", "Fake")))
    samples = load_samples(tmp_path).samples
    assert {(s.source, s.split, s.label) for s in samples} == {
        ("Dataset", split, label) for split in ("train", "val", "test") for label in Label
    }
    assert {s.source for s in load_samples(str(tmp_path / "Dataset")).samples} == {"Dataset"}


def test_counts_are_a_line_for_each_source_and_split(tmp_path):
    make_tree(tmp_path, "one/train/Real/a.jpg", "one/train/Fake/b.jpg", "one/train/Fake/c.jpg")
    assert count_table(find_samples(tmp_path)).splitlines()[1].split() == ["one", "train", "1", "2"]


def test_a_group_in_two_splits_is_refused_by_name(tmp_path):
    make_tree(tmp_path, "one/train/Real/a.jpg", "one/val/Real/b.jpg")
    for split, name in (("train", "a"), ("val", "b")):
        (tmp_path / f"one/{split}/groups.csv").write_text(f"file_name,label,group\nReal/{name}.jpg,Real,smith\n")
    with pytest.raises(DataError, match="one/smith"):
        check_groups(find_samples(tmp_path))


def test_a_tree_without_splits_is_divided_by_group(tmp_path):
    make_tree(tmp_path, *(f"Real/{index}.jpg" for index in range(200)))
    rows = "".join(f"Real/{index}.jpg,Real,{index // 4}\n" for index in range(200))
    (tmp_path / "groups.csv").write_text("file_name,label,group\n" + rows)
    samples = assign_splits(find_samples(tmp_path), val_share=0.2)
    check_groups(samples)
    share = sum(s.split == "val" for s in samples) / len(samples)
    assert 0.05 < share < 0.4
    assert samples == assign_splits(find_samples(tmp_path), val_share=0.2)


def test_a_tree_with_train_and_val_stays_as_it_is(tmp_path):
    make_tree(tmp_path, "one/train/Real/a.jpg", "one/val/Fake/b.jpg")
    samples = find_samples(tmp_path)
    assert assign_splits(samples, val_share=0.5) == samples


def test_pictures_and_clips_come_together(tmp_path, astronaut):
    make_tree(tmp_path / "data", "Real/a.jpg", "clips/Fake/broken.mp4")
    write_clip(tmp_path / "data/clips/Fake/none.mp4", numbered(3))
    write_face_clip(tmp_path / "data/clips/Fake/face.mp4", astronaut)
    found = load_samples(str(tmp_path / "data"), frames_per_clip=2, cache=tmp_path / "cache")
    assert [(s.source, s.label) for s in found.samples] == [("data", Label.REAL)] + 2 * [("clips", Label.FAKE)]
    assert {one.path.name: one.reason for one in found.unreadable} == {
        "broken.mp4": "The file is empty. Save or download it again.",
        "none.mp4": "No face was found in 2 of its frames.",
    }


def test_of_many_clips_some_of_each_class_are_taken_evenly(tmp_path, monkeypatch):
    make_tree(tmp_path, *(f"Real/{index}.mp4" for index in range(8)), *(f"Fake/{index}.mp4" for index in range(3)))
    monkeypatch.setattr("train.data.load.crop_clips", lambda clips, **_: SampleSet(clips))
    taken = [s.path.relative_to(tmp_path).as_posix() for s in load_samples(tmp_path, num_clips=8).samples]
    assert taken == ["Real/0.mp4", "Real/2.mp4", "Real/4.mp4", "Real/6.mp4", "Fake/0.mp4", "Fake/1.mp4", "Fake/2.mp4"]


def test_clips_alone_that_show_no_face_are_refused(tmp_path):
    make_tree(tmp_path, "Real/broken.mp4")
    with pytest.raises(DataError, match=r"None of the 1 clips .*broken.mp4: The file is empty"):
        load_samples(tmp_path, cache=tmp_path / "cache")


def test_frames_taken_out_of_a_set_of_clips_are_no_labelled_pictures(tmp_path):
    make_tree(tmp_path, "Real/a.jpg", "manipulated_sequences/Deepfakes/c23/images/000_003/0000.png")
    assert [s.path.name for s in load_samples(tmp_path).samples] == ["a.jpg"]


@pytest.mark.parametrize(
    ("source", "message"), [("no/such/folder", "There is no folder no/such/folder"), (".", "No lab")]
)
def test_what_is_no_data_says_what_to_do(tmp_path, monkeypatch, source, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        load_samples(source)


def test_no_frames_of_a_clip_is_refused(tmp_path):
    with pytest.raises(DataError, match="at least 1"):
        load_samples(tmp_path, frames_per_clip=0)


@pytest.fixture
def pictures(tmp_path, astronaut):
    """With a face, without one, broken, and not there."""
    make_tree(tmp_path, "broken.jpg")
    Image.new("RGB", (64, 64)).save(tmp_path / "black.png")
    return [astronaut, tmp_path / "black.png", tmp_path / "broken.jpg", tmp_path / "missing.jpg"]


def unreadable_names(found: list[Unreadable]) -> dict[str, str]:
    return {one.path.name: one.reason.partition(".")[0] for one in found}


def test_broken_pictures_are_told_from_those_without_a_face(tmp_path, pictures):
    cache = FaceCache(tmp_path / "faces.jsonl")
    faces = cache.find(pictures, num_workers=1)
    assert [faces[path] is None for path in pictures] == [False, True, True, True]
    expected = {"broken.jpg": "The file is empty", "missing.jpg": "The file cannot be read (No such file or directory)"}
    assert unreadable_names(cache.unreadable(pictures)) == expected
    again = FaceCache(tmp_path / "faces.jsonl")  # who asks at once, too
    assert unreadable_names(again.unreadable(pictures)) == expected


@pytest.mark.parametrize("missing", [("reason", "finder"), ("finder",)])
def test_pictures_without_a_face_are_looked_at_again_where_an_older_finder_had(
    tmp_path, pictures, monkeypatch, missing
):
    """Of rows before there were reasons too: it finds some that it did not."""
    file = tmp_path / "faces.jsonl"
    FaceCache(file).find(pictures, num_workers=1)
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    assert [sorted(row) for row in rows] == [["face", "key"]] + 2 * [["face", "finder", "key", "reason"]]
    old = [{name: value for name, value in row.items() if name not in missing} for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in old))
    cache = FaceCache(file)
    assert cache.find(pictures, num_workers=1)[pictures[0]] is not None
    assert len(file.read_text().splitlines()) == len(rows) + 2  # the face is not looked for again
    assert set(unreadable_names(cache.unreadable(pictures))) == {"broken.jpg", "missing.jpg"}
    monkeypatch.setattr("train.pictures.face_cache.load_image", None)  # nor is a picture read again
    assert set(unreadable_names(FaceCache(file).unreadable(pictures))) == {"broken.jpg", "missing.jpg"}
