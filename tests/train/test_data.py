import pytest

from train.data import count_table, find_samples
from train.split import assign_splits, check_groups, half_of
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


def test_a_groups_file_without_its_columns_is_refused(tmp_path):
    make_tree(tmp_path, "Real/a.jpg")
    (tmp_path / "groups.csv").write_text("name,who\n")
    with pytest.raises(DataError, match="file_name and group"):
        find_samples(tmp_path)


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


def test_halves_are_even_and_never_change():
    halves = [half_of(f"source/{index}") for index in range(400)]
    assert 160 < halves.count("choose") < 240
    assert half_of("dfdc/pczqsicacb") == half_of("dfdc/pczqsicacb")
    assert set(halves) == {"choose", "report"}
