import math

import numpy as np
import pytest

import virtus
from benchmarks.explanations.__main__ import summarise, table
from benchmarks.explanations.forgeries import Fake
from benchmarks.explanations.measures import (
    CENTRE,
    CHANCE,
    MEASURES,
    baselines,
    maps_of,
    measure,
    randomise,
    time_each,
)
from train.data.samples import Sample
from virtus.results import FaceCrop, Label, Outcome


@pytest.fixture(scope="module")
def detector(make_checkpoint):
    return virtus.Detector(virtus.load_checkpoint(str(make_checkpoint())))


@pytest.fixture
def fakes(make_image, tmp_path):
    share = np.zeros((4, 4), np.float32)
    share[1:3, 1:3] = 1
    crops = [FaceCrop(make_image(32, 32, seed), (0, 0, 32, 32)) for seed in range(8)]
    samples = [Sample(tmp_path / str(i), Label.REAL, "source", "val", f"group {i}") for i in range(4)]
    kinds = ["eyes", "eyes", "nose", "self-blended"]
    return [
        Fake(kind, sample, crop, original, share, 0.9, 0.1, Outcome.FAKE)
        for kind, sample, crop, original in zip(kinds, samples, crops[:4], crops[4:], strict=True)
    ]


def test_each_map_is_measured_and_the_costly_measures_on_some(detector, fakes):
    rows = measure(detector, fakes, ["rollout", "gradcam"], every=2)
    assert list(rows) == ["rollout", "gradcam", CHANCE, CENTRE]
    for name, row in rows.items():
        assert list(row) == list(MEASURES)
        assert not np.isnan(row["iou"]).any()
        known = [False] * 4 if name in (CHANCE, CENTRE) else [True, False, True, False]
        assert (~np.isnan(row["change"])).tolist() == (~np.isnan(row["hit_before"])).tolist() == known
        assert (~np.isnan(row["deletion"])).tolist() == [True, False, True, False]


def test_the_centre_hits_what_lies_there(detector, fakes):
    row = measure(detector, fakes, ["rollout"], every=4)[CENTRE]
    assert row["hit"].tolist() == row["iou"].tolist() == [1] * 4
    # nearness falls from 16/9 at the four inner patches over 8/9 (eight patches) to 0 in the corners
    assert row["inside"] == pytest.approx([4 * 16 / (4 * 16 + 8 * 8)] * 4)


def test_chance_favours_no_place():
    positive = np.maximum(baselines(100, (4, 4))[CHANCE].reshape(-1, 4, 4), 0).mean(axis=0)
    np.testing.assert_allclose(positive, positive.mean(), rtol=0.15)


def test_random_weights_are_other_weights_and_the_same_each_time(detector, fakes):
    crops = [fake.crop for fake in fakes]
    one, again, trained = (
        maps_of(own, crops, ["gradcam"])["gradcam"] for own in (randomise(detector), randomise(detector), detector)
    )
    np.testing.assert_array_equal(one, again)
    assert not np.allclose(one, trained)
    assert randomise(detector).checkpoint.outputs == detector.checkpoint.outputs


def test_time_is_taken_of_each(detector, fakes):
    assert list(time_each(detector, fakes, ["rollout", "gradcam"])) == ["rollout", "gradcam"]


def test_a_summary_is_of_the_kinds_asked_for_and_leaves_out_what_was_not_measured(fakes):
    row = {"hit": np.array([1.0, 0.0, 1.0, 1.0]), "change": np.array([0.5, np.nan, np.nan, np.nan])}
    found = summarise({"gradcam": row}, fakes, ["eyes"])["gradcam"]
    assert found["hit"].value == 0.5
    assert (found["hit"].low, found["hit"].high) == (0, 1)
    assert found["change"].value == 0.5
    assert summarise({"gradcam": row}, fakes, ["nose"])["gradcam"]["change"].value is None


def test_the_table_has_a_line_for_each_and_no_number_where_there_is_none(fakes):
    row = dict.fromkeys(MEASURES, np.full(4, 0.25)) | {"change": np.full(4, math.nan)}
    lines = table(summarise({"gradcam": row, CHANCE: row}, fakes, ["eyes"]), {"gradcam": 3.14}).splitlines()
    assert len(lines) == 4
    assert len({line.count("|") for line in lines}) == 1
    assert lines[2].startswith("| gradcam | 0.25 (0.25 to 0.25) |")
    assert lines[2].endswith("|  | 3.1 |")
    assert lines[3].endswith("|  |  |")
