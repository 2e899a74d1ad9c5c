import csv

import pytest
from PIL import Image

from benchmarks.folds import deal, of_fold, write_tree
from train.data import find_samples
from train.report import held_out

GROUPS = {"a": 3, "b": 2, "c": 2, "d": 1}


@pytest.fixture
def data(tmp_path):
    """Two sources; the groups of one lie in its `train` split and, `d`, in its `val` split."""
    for source, split, groups in [("swaps", "train", "abc"), ("swaps", "val", "d"), ("web", "train", "x")]:
        rows = [("file_name", "label", "group")]
        for label in ("real", "fake"):
            folder = tmp_path / "data" / source / split / label
            folder.mkdir(parents=True)
            for name in [f"{label}_{group}{number}.png" for group in groups for number in range(GROUPS.get(group, 1))]:
                Image.new("RGB", (8, 8)).save(folder / name)
                rows.append((f"{label}/{name}", label, name.split("_")[1][0]))
        with (folder.parent / "groups.csv").open("w", newline="", encoding="utf-8") as stream:
            csv.writer(stream).writerows(rows)
    return tmp_path / "data"


def of(data, source):
    return [sample for sample in find_samples(data) if sample.source == source]


def test_groups_are_dealt_whole_the_largest_first_to_the_fold_with_the_fewest_pictures(data):
    assert deal(of(data, "swaps"), 2) == [{"swaps/a", "swaps/d"}, {"swaps/b", "swaps/c"}]
    assert deal(of(data, "swaps"), 3) == [{"swaps/a"}, {"swaps/b", "swaps/d"}, {"swaps/c"}]


def test_the_tree_of_a_fold_holds_its_groups_out_and_has_all_else(data, tmp_path):
    tree, held = tmp_path / "fold", {"swaps/b", "swaps/d"}
    write_tree(data, of(data, "swaps"), held, tree)
    found = {(sample.path.name, sample.label, sample.split, sample.group) for sample in of(tree, "swaps")}
    assert found == {
        (sample.path.name, sample.label, "test" if sample.group in held else "train", sample.group)
        for sample in of(data, "swaps")
    }
    assert len(found) == 2 * sum(GROUPS.values())
    assert {sample.group for sample in of_fold(held_out(tree, val_share=0.9), "swaps")} == held  # each judged once
    assert [(s.path.name, s.split) for s in of(tree, "web")] == [(s.path.name, s.split) for s in of(data, "web")]
