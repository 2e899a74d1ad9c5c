import pytest

from tests.train.faces import write_faces
from train.checks.look import look_first
from train.config.settings import TrainConfig
from train.data.load import load_samples
from train.data.splits import split_for
from train.pictures.face_cache import FaceCache
from virtus.errors import DataError

CONFIG = TrainConfig("virtus-tiny", base="b", data="d")


@pytest.fixture(scope="module")
def root(tmp_path_factory, astronaut):
    root = write_faces(tmp_path_factory.mktemp("look"), astronaut)
    (root / "val" / "Real" / "copy.png").write_bytes((root / "train" / "Real" / "v0.png").read_bytes())
    for split in ("train", "val"):
        (root / split / "groups.csv").write_text("file_name,label,group\nReal/v0.png,Real,same\n")
    return root


def look(root, config=CONFIG, **more):
    samples = split_for(load_samples(str(root)).samples, config)
    cache, paths = FaceCache(root.parent / "faces.jsonl"), [sample.path for sample in samples]
    faces, broken = cache.find(paths, num_workers=1), cache.unreadable(paths)
    readable = [sample for sample in samples if sample.path not in {one.path for one in broken}]
    return look_first(readable, faces, broken, config, **({"anyway": True, "quiet": True} | more))


def test_it_counts_what_would_make_the_figures_a_lie(root):
    found = look(root)
    assert (found.crossing_groups, found.duplicates, found.without_face) == (1, 1, 0)
    assert [one.path.name for one in found.unreadable] == ["broken.jpg"]
    shortcuts = {one.statistic: one.auc_after for one in found.shortcuts}
    assert shortcuts["brightness"] == 1.0


def test_it_refuses_crossing_groups_after_it_said_what_it_saw(root, capsys):
    with pytest.raises(DataError, match=r"1 groups lie in several splits .*same"):
        look(root, anyway=False, quiet=False)
    printed = capsys.readouterr().out
    for words in ("cannot be read", "broken.jpg", "1 files lie byte for byte in several splits", "brightness alone"):
        assert words in printed


def test_it_does_not_refuse_where_the_recipe_pools_all(root):
    assert look(root, CONFIG.override(["split=pooled-60-40"]), anyway=False).crossing_groups == 1
