import gc
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.support.clips import numbered, write_clip
from train.data import clips
from train.data.clips import crop_clips, find_clips
from train.data.load import load_samples
from train.data.processes import spread
from train.data.samples import Sample
from train.data.splits import assign_splits, check_groups
from train.pictures.face_cache import FaceCache
from virtus.errors import DataError
from virtus.media.images import load_image
from virtus.results import Label

FF_CLIPS = [
    "original_sequences/youtube/c23/videos/000.mp4",
    "original_sequences/youtube/c40/videos/000.mp4",
    "original_sequences/youtube/c23/videos/003.mp4",
    "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4",
    "manipulated_sequences/FaceSwap/c23/videos/003_000.mp4",
    "manipulated_sequences/FaceSwap/masks/videos/003_000.mp4",
    "original_sequences/youtube/c23/videos/071.mp4",
    "manipulated_sequences/NeuralTextures/c23/videos/054_071.mp4",
]


def face_pictures(photo, count=6):
    """A face, each time a little lighter."""
    face = np.asarray(load_image(photo).crop((60, 0, 380, 320)), np.float32)
    return [(face * (0.7 + 0.05 * index)).clip(0, 255).astype(np.uint8) for index in range(count)]


def write_face_clip(path, photo):
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_clip(path, face_pictures(photo))


def make_tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def described(root):
    return {
        s.path.relative_to(root).as_posix(): (s.label, s.source, s.split, s.group) for s in find_clips(root).samples
    }


CELEB_CLIPS = [
    "Celeb-real/id0_0001.mp4",
    "Celeb-real/id1_0002.mp4",
    "YouTube-real/00170.mp4",
    "YouTube-real/00171.mp4",
    "Celeb-synthesis/id0_id1_0001.mp4",
    "Celeb-synthesis/id0_id2_0001.mp4",
    "Celeb-synthesis/id1_id0_0002.mp4",
    "Celeb-synthesis/id1_id5_0007.mp4",
]
OFFICIAL = "1 YouTube-real/00170.mp4\n0 Celeb-synthesis/id0_id1_0001.mp4\n\n1 Celeb-real/id9_0009.mp4\n"


def test_celeb_df_without_its_test_list_is_grouped_by_the_person_filmed(tmp_path):
    root = make_tree(tmp_path / "Celeb-DF-v2", *CELEB_CLIPS)
    name = "Celeb-DF-v2"
    assert described(root) == {
        "Celeb-real/id0_0001.mp4": (Label.REAL, name, None, f"{name}/id0"),
        "Celeb-real/id1_0002.mp4": (Label.REAL, name, None, f"{name}/id1"),
        "YouTube-real/00170.mp4": (Label.REAL, name, None, f"{name}/youtube 00170"),
        "YouTube-real/00171.mp4": (Label.REAL, name, None, f"{name}/youtube 00171"),
        "Celeb-synthesis/id0_id1_0001.mp4": (Label.FAKE, name, None, f"{name}/id0"),
        "Celeb-synthesis/id0_id2_0001.mp4": (Label.FAKE, name, None, f"{name}/id0"),
        "Celeb-synthesis/id1_id0_0002.mp4": (Label.FAKE, name, None, f"{name}/id1"),
        "Celeb-synthesis/id1_id5_0007.mp4": (Label.FAKE, name, None, f"{name}/id1"),
    }


def test_celeb_df_gives_its_official_test_and_nothing_else_of_that_footage(tmp_path):
    root = make_tree(tmp_path / "faces", *(f"celeb/{name}" for name in CELEB_CLIPS))
    (root / "celeb/List_of_testing_videos.txt").write_text(OFFICIAL)
    found = described(root)
    assert {name: row[2:] for name, row in found.items()} == {
        "celeb/Celeb-real/id1_0002.mp4": (None, "celeb/id1"),
        "celeb/YouTube-real/00170.mp4": ("test", "celeb/youtube 00170"),
        "celeb/YouTube-real/00171.mp4": (None, "celeb/youtube 00171"),
        "celeb/Celeb-synthesis/id0_id1_0001.mp4": ("test", "celeb/id0_0001"),
        "celeb/Celeb-synthesis/id1_id0_0002.mp4": (None, "celeb/id1"),
        "celeb/Celeb-synthesis/id1_id5_0007.mp4": (None, "celeb/id1"),
    }
    assert find_clips(root).notes == ["celeb: 2 of 8 clips are left out: their footage is in the official test list."]
    samples = assign_splits(find_clips(root).samples, val_share=0.5)
    check_groups(samples)
    assert [s.path.name for s in samples if s.split == "test"] == ["id0_id1_0001.mp4", "00170.mp4"]


def test_celeb_df_may_have_folders_of_its_own_and_other_case(tmp_path):
    make_tree(tmp_path, "Celeb-real/videos/id1_0002.mp4", "Youtube-real/videos/00170.mp4")
    (tmp_path / "List_of_testing_videos.txt").write_text("1 YouTube-real/00170.mp4\n")
    assert [row[2] for row in described(tmp_path).values()] == [None, "test"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Celeb-real/id0_0000.mp4\n", "line 1"),
        (b"1 YouTube-real/00170.mp4\n0 Celeb-real/id0_0000.mp4\n", "line 2"),  # 1 is real there
        (b"1 Celeb-real/id\xff.mp4\n", "UTF-8"),
    ],
)
def test_a_test_list_that_says_something_else_is_refused(tmp_path, content, message):
    make_tree(tmp_path, *CELEB_CLIPS)
    (tmp_path / "List_of_testing_videos.txt").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        find_clips(tmp_path)
    assert str(tmp_path / "List_of_testing_videos.txt") in str(caught.value)


def test_faceforensics_keeps_a_pair_and_its_fakes_together(tmp_path):
    root = make_tree(tmp_path / "FF", *FF_CLIPS)
    assert described(root) == {
        "original_sequences/youtube/c23/videos/000.mp4": (Label.REAL, "FF/c23", None, "FF/000_003"),
        "original_sequences/youtube/c40/videos/000.mp4": (Label.REAL, "FF/c40", None, "FF/000_003"),
        "original_sequences/youtube/c23/videos/003.mp4": (Label.REAL, "FF/c23", None, "FF/000_003"),
        "manipulated_sequences/Deepfakes/c23/videos/000_003.mp4": (Label.FAKE, "FF/c23", None, "FF/000_003"),
        "manipulated_sequences/FaceSwap/c23/videos/003_000.mp4": (Label.FAKE, "FF/c23", None, "FF/000_003"),
        "original_sequences/youtube/c23/videos/071.mp4": (Label.REAL, "FF/c23", None, "FF/054_071"),
        "manipulated_sequences/NeuralTextures/c23/videos/054_071.mp4": (Label.FAKE, "FF/c23", None, "FF/054_071"),
    }


def test_faceforensics_takes_its_official_splits(tmp_path):
    make_tree(tmp_path, *FF_CLIPS, "original_sequences/youtube/c23/videos/500.mp4")
    (tmp_path / "splits").mkdir()
    for split, pairs in (("train", [["071", "054"]]), ("val", [["500", "600"]]), ("test", [["003", "000"]])):
        (tmp_path / "splits" / f"{split}.json").write_text(json.dumps(pairs))
    samples = find_clips(tmp_path).samples
    check_groups(samples)
    assert {s.path.name: s.split for s in samples} == {
        "000.mp4": "test", "003.mp4": "test", "000_003.mp4": "test", "003_000.mp4": "test",
        "071.mp4": "train", "054_071.mp4": "train", "500.mp4": "val",
    }  # fmt: skip
    assert {s.group.rpartition("/")[2] for s in samples} == {"000_003", "054_071", "500_600"}


@pytest.mark.parametrize("content", ["{", '{"a": 1}', "[[1, 2]]", '["071"]', "7"])
def test_a_broken_list_of_splits_is_refused_by_its_name(tmp_path, content):
    make_tree(tmp_path, *FF_CLIPS, "splits/val.json")
    (tmp_path / "splits/val.json").write_text(content)
    with pytest.raises(DataError, match=r"val\.json is no list of pairs"):
        find_clips(tmp_path)


def test_the_actors_of_deepfakedetection_are_a_source_grouped_by_person(tmp_path):
    root = make_tree(
        tmp_path / "FF",
        "original_sequences/actors/c23/videos/01__exit_phone_room.mp4",
        "manipulated_sequences/DeepFakeDetection/c23/videos/01_02__exit_phone_room__YVGY8LOK.mp4",
    )
    assert {row[1:] for row in described(root).values()} == {("FF/DeepFakeDetection/c23", None, "FF/actor 01")}


def test_clips_in_class_folders_are_grouped_with_their_twins(tmp_path):
    root = make_tree(tmp_path / "mine", "real/7.mp4", "fake/7.mov", "val/Real/7.mp4", "notes/8.mp4", "Fake/9.avi")
    assert described(root) == {
        "real/7.mp4": (Label.REAL, "mine", None, "mine/7"),
        "fake/7.mov": (Label.FAKE, "mine", None, "mine/7"),
        "val/Real/7.mp4": (Label.REAL, "mine", "val", "mine/val/7"),
        "Fake/9.avi": (Label.FAKE, "mine", None, "mine/9"),
    }


def test_clips_in_class_folders_take_their_groups_from_the_file(tmp_path):
    root = make_tree(tmp_path / "mine", "Real/7.mp4", "Fake/8.mp4", "Fake/9.mp4")
    (root / "groups.csv").write_text("file_name,label,group\nReal/7.mp4,Real,smith\nFake/8.mp4,Fake,smith\n")
    assert [row[3] for _, row in sorted(described(root).items())] == ["mine/smith", "mine/9", "mine/smith"]


@pytest.fixture
def one_clip(tmp_path, astronaut):
    """A list of one sample: a fake of which every frame shows a face."""
    path = write_face_clip(tmp_path / "Fake/7.mp4", astronaut)
    return [Sample(path, Label.FAKE, "mine", "val", "mine/7")]


def cut(samples, tmp_path, frames_per_clip=3):
    return crop_clips(samples, frames_per_clip=frames_per_clip, cache=tmp_path / "cache", num_workers=1)


def forbid_cutting(monkeypatch):
    monkeypatch.setattr(clips, "_cut_all", None)


def test_a_clip_becomes_faces_cut_with_room_around_them(tmp_path, one_clip):
    found = cut(one_clip, tmp_path)
    assert len(found.samples) == 3
    assert {(s.label, s.source, s.split, s.group) for s in found.samples} == {(Label.FAKE, "mine", "val", "mine/7")}
    assert [s.clip for s in found.samples] == [s.path.parent.name for s in found.samples]
    paths = [sample.path for sample in found.samples]
    faces = FaceCache(tmp_path / "faces.jsonl").find(paths, num_workers=1)
    for path in paths:
        face, width = faces[path], load_image(path).width
        assert 1.7 < width / max(face.width, face.height) < 2.3
        assert abs((face.box_xyxy[0] + face.box_xyxy[2]) / 2 - width / 2) < width / 8
    assert (found.unreadable, found.notes) == ([], [])


def test_the_second_run_cuts_nothing(tmp_path, one_clip, monkeypatch):
    first = cut(one_clip, tmp_path)
    forbid_cutting(monkeypatch)
    assert cut(one_clip, tmp_path) == first


def test_a_clip_is_known_by_its_content(tmp_path, one_clip, monkeypatch):
    first = cut(one_clip, tmp_path)
    moved = Sample(tmp_path / "other.mp4", Label.REAL, "mine", None, "mine/8")
    shutil.copy(one_clip[0].path, moved.path)
    os.utime(moved.path, (0, 0))
    forbid_cutting(monkeypatch)
    again = cut([moved], tmp_path)
    assert [s.path for s in again.samples] == [s.path for s in first.samples]
    assert {s.label for s in again.samples} == {Label.REAL}


def test_what_a_killed_run_left_of_a_clip_is_in_nobody_s_way(tmp_path, one_clip):
    """In containers a run has the number of the one before."""
    first = cut(one_clip, tmp_path)
    (folder,) = {sample.path.parent for sample in first.samples}
    left = folder.rename(folder.with_name(f"{folder.name}.{os.getpid()}"))
    (left / "003.jpg").touch()
    assert cut(one_clip, tmp_path) == first
    assert sorted(path.name for path in folder.iterdir()) == ["000.jpg", "001.jpg", "002.jpg", "clip.json"]
    assert not left.exists()


def test_a_clip_that_changed_or_other_frames_are_cut_anew(tmp_path, one_clip):
    first = cut(one_clip, tmp_path)
    assert len(cut(one_clip, tmp_path, frames_per_clip=2).samples) == 2
    write_clip(one_clip[0].path, numbered(3))
    assert len(cut(one_clip, tmp_path).unreadable) == 1
    assert all(sample.path.exists() for sample in first.samples)


def test_crops_that_somebody_removed_are_cut_again(tmp_path, one_clip):
    first = cut(one_clip, tmp_path)
    first.samples[1].path.unlink()
    assert cut(one_clip, tmp_path) == first
    assert first.samples[1].path.exists()


def test_clips_that_give_no_face_are_listed_and_remembered(tmp_path, one_clip, monkeypatch):
    paths = [tmp_path / name for name in ("black.mp4", "broken.mp4", "empty.mp4", "missing.mp4")]
    write_clip(paths[0], numbered(4))
    paths[1].write_bytes(b"no clip" * 1000)
    paths[2].touch()
    samples = [*one_clip, *(Sample(path, Label.REAL, "mine", None, path.name) for path in paths)]
    found = cut(samples, tmp_path)
    assert len(found.samples) == 3
    assert [(one.path, one.reason.partition(".")[0]) for one in found.unreadable] == [
        (paths[0], "No face was found in 3 of its frames"),
        (paths[1], "This is not a clip that can be read, or it is damaged or cut off"),
        (paths[2], "The file is empty"),
        (paths[3], "The file cannot be read (No such file or directory)"),
    ]
    forbid_cutting(monkeypatch)
    assert cut(samples, tmp_path) == found


def test_of_a_clip_that_is_cut_off_the_readable_part_is_used_and_noted(tmp_path, astronaut):
    path = write_clip(tmp_path / "cut.mp4", face_pictures(astronaut, 16), movflags="faststart", gop=2)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 6 // 10])
    found = cut([Sample(path, Label.REAL, "mine", None, "mine/cut")], tmp_path)
    assert len(found.samples) == 3
    assert found.notes == [f"{path} is cut off or damaged; its readable part is used."]


def test_the_same_clip_twice_is_cut_once(tmp_path, one_clip, monkeypatch):
    calls = []

    def count(new, *_):
        calls.append(len(new))
        return {folder: clips.CutClip(["000.jpg"]) for folder in new}

    monkeypatch.setattr(clips, "_cut_all", count)
    other = Sample(one_clip[0].path.with_name("8.mp4"), Label.REAL, "mine", None, "mine/8")
    shutil.copy(one_clip[0].path, other.path)
    found = cut([*one_clip, other], tmp_path)
    assert calls == [1]
    assert [s.label for s in found.samples] == [Label.FAKE, Label.REAL]


def test_a_whole_set_of_clips_loads(tmp_path, astronaut):
    for name in ("Celeb-real/id0_0001.mp4", "Celeb-synthesis/id0_id1_0001.mp4", "YouTube-real/00001.mp4"):
        write_face_clip(tmp_path / "celeb" / name, astronaut)
    (tmp_path / "celeb/List_of_testing_videos.txt").write_text("1 YouTube-real/00001.mp4\n")
    found = load_samples(str(tmp_path / "celeb"), frames_per_clip=2, cache=tmp_path / "cache")
    assert [(s.label, s.split) for s in found.samples] == [
        *2 * [(Label.REAL, None)], *2 * [(Label.FAKE, None)], *2 * [(Label.REAL, "test")]
    ]  # fmt: skip
    assert all(Image.open(s.path).format == "JPEG" for s in found.samples)
    assert np.unique([s.group for s in found.samples]).tolist() == ["celeb/id0", "celeb/youtube 00001"]


def count_frames(_):
    import av

    return sum(isinstance(one, av.VideoFrame) for one in gc.get_objects())


def test_workers_inherit_no_dead_frame_of_a_clip():
    """The collector of a worker would wait for ever for the threads that scaled it."""
    import av

    gc.collect()
    gc.disable()
    try:
        cycle = [av.VideoFrame(64, 48, "rgb24")]
        cycle.append(cycle)
        del cycle
        assert list(spread(count_frames, [1, 2], num_workers=2)) == [0, 0]
    finally:
        gc.enable()
