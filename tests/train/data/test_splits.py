from collections import Counter
from pathlib import Path

import pytest

from train.config.settings import TrainConfig
from train.data.samples import Sample
from train.data.splits import divide, fraction, oversample, part_of, split_for
from virtus.errors import DataError
from virtus.results import Label

CONFIG = TrainConfig("virtus-tiny", base="b", data="d")


def sample(name, label, *, split=None, source="one", group=None):
    return Sample(Path(f"{label}/{name}"), Label(label), source, split, f"{source}/{group or name}")


def pictures(num_real, num_fake, **more):
    reals = [sample(f"r{index}", "real", **more) for index in range(num_real)]
    return reals + [sample(f"f{index}", "fake", **more) for index in range(num_fake)]


def test_no_group_is_in_two_parts():
    samples = split_for([sample(i, label, group=i // 4) for i in range(800) for label in ("real", "fake")], CONFIG)
    parts = divide(samples, CONFIG)
    report = [one for one in samples if part_of(one) == "report"]
    groups = [{one.group for one in part} for part in (parts.train, parts.choose, parts.calibrate, report)]
    assert all(groups)
    assert sum(map(len, groups)) == len(set.union(*groups)) == 200


def test_held_out_groups_are_divided_15_35_50():
    counts = Counter(part_of(sample(index, "real", split="val")) for index in range(4000))
    shares = {part: count / 4000 for part, count in counts.items()}
    assert shares == {part: pytest.approx(share, abs=0.03) for part, share in
                      {"choose": 0.15, "calibrate": 0.35, "report": 0.5}.items()}  # fmt: skip


def test_a_name_that_is_no_text_has_its_place_too():
    assert 0 <= fraction("m\udcfcller.jpg") < 1
    assert fraction("m\udcfcller.jpg") != fraction("muller.jpg")


def test_a_test_split_is_for_the_report_alone():
    assert part_of(sample("a", "real", split="test")) == "report"
    assert part_of(sample("a", "real", split="train")) is None


def test_oversampling_fills_up_the_rarer_class_with_copies():
    filled = oversample(pictures(30, 10), 83)
    assert Counter(one.label for one in filled) == {Label.REAL: 30, Label.FAKE: 30}
    assert len(set(filled)) == 40
    assert oversample(pictures(30, 10), 83) == filled
    assert oversample(pictures(3, 0), 83) == pictures(3, 0)


def test_only_the_training_part_is_balanced():
    samples = pictures(30, 10, split="train") + pictures(40, 20, split="val")
    parts = divide(samples, CONFIG.override(["balance=train"]))
    assert Counter(one.label for one in parts.train) == {Label.REAL: 30, Label.FAKE: 30}
    held_out = parts.choose + parts.calibrate
    assert len(set(held_out)) == len(held_out)


def test_the_pooled_split_leaks_copies_as_the_published_one_does():
    samples = pictures(100, 30, split="train") + pictures(20, 10, split="test")
    parts = divide(samples, CONFIG.override(["split=pooled-60-40"]))
    assert (len(parts.train), len(parts.choose)) == (144, 96)  # 120 of each class after filling up
    assert {one.path for one in parts.train} & {one.path for one in parts.choose}
    assert parts.calibrate == []


def test_sources_weigh_as_they_are_told_and_can_be_left_out():
    samples = [
        one for source in "ab" for split in ("train", "val") for one in pictures(20, 20, split=split, source=source)
    ]
    parts = divide(samples, CONFIG.override(['source_weights={"a": 3}']))
    assert Counter(one.source for one in parts.train) == {"a": 120, "b": 40}
    turns = divide(samples, CONFIG.override(['source_weights={"a": 3}', "balance=batch"]))
    assert Counter(one.source for one in turns.train) == {"a": 40, "b": 40}
    left = divide(samples, CONFIG.override(['leave_out=["b"]']))
    assert {one.source for part in (left.train, left.choose, left.calibrate) for one in part} == {"a"}


def test_a_limit_is_of_each_source_split_and_class():
    samples = pictures(50, 50, split="train") + pictures(50, 50, split="val")
    assert len(divide(samples, CONFIG.override(["limit=5"])).train) == 10


@pytest.mark.parametrize(("split", "part"), [("train", "training"), ("val", "choosing")])
def test_a_part_without_both_classes_is_refused(split, part):
    samples = [one for one in pictures(50, 50, split="train") + pictures(50, 50, split="val")
               if one.split != split or one.label is Label.REAL]  # fmt: skip
    with pytest.raises(DataError, match=f"The {part} part needs pictures of both classes; it has real"):
        divide(samples, CONFIG)


def test_a_pool_too_small_to_divide_is_refused():
    with pytest.raises(DataError, match="at least two pictures"):
        divide(pictures(1, 1), CONFIG.override(["split=pooled-60-40"]))
