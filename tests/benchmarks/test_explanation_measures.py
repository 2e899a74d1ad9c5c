import math

import numpy as np
import pytest
import torch

import virtus
from benchmarks.explanations.__main__ import summarise, table
from benchmarks.explanations.forgeries import Fake
from benchmarks.explanations.measures import (
    CASCADE,
    CENTRE,
    CHANCE,
    baselines,
    compare_randomised,
    judge_faithfulness,
    localise,
    maps_of,
    randomise,
    time_each,
)
from train.data.samples import Sample
from virtus.explain import ChanceTest, erasing_judge
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


def test_each_map_is_localised_and_the_costly_ones_on_some(detector, fakes):
    rows = localise(detector, fakes, ["rollout", "occlusion"], every=2)
    some = [True, False, True, False]
    assert list(rows) == ["rollout", "occlusion", CHANCE, CENTRE]
    for name, row in rows.items():
        assert (~np.isnan(row["iou"])).tolist() == (some if name == "occlusion" else [True] * 4)
        assert (~np.isnan(row["hit_before"])).tolist() == ([False] * 4 if name in (CHANCE, CENTRE) else some)


def test_the_centre_hits_what_lies_there(detector, fakes):
    row = localise(detector, fakes, ["rollout"], every=4)[CENTRE]
    assert row["hit"].tolist() == row["iou"].tolist() == [1] * 4
    # nearness falls from 16/9 at the four inner patches over 8/9 (eight patches) to 0 in the corners
    assert row["inside"] == pytest.approx([4 * 16 / (4 * 16 + 8 * 8)] * 4)


def test_faithfulness_is_of_the_class_fake_against_so_many_random_maps(detector, fakes):
    rows = judge_faithfulness(detector, fakes[:1], ["rollout", "evidence"], num_random=19)
    crop = fakes[0].crop
    for name in ("rollout", "evidence"):
        heatmap = maps_of(detector, [crop], [name])[name][0]
        test = ChanceTest(erasing_judge(detector, crop), heatmap.shape, seed=0)
        np.testing.assert_allclose([[rows[name]["deletion"][0], rows[name]["insertion"][0]]], test.areas(heatmap[None]))
        assert rows[name]["better"][0] in (0, 1)
    assert np.isnan(rows[CENTRE]["better"]).all()


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


def test_weights_become_random_from_the_top_down(detector):
    own = detector.checkpoint.trunk.model.state_dict()
    of = {top: randomise(detector, top_blocks=top).checkpoint.trunk.model.state_dict() for top in (0, 1, None)}
    last = len(detector.checkpoint.trunk.blocks) - 1
    weight, head = "layers.{}.mlp.fc1.weight", f"{detector.checkpoint.trunk.model.config.heads[0]}.weight"
    assert not any(torch.equal(weights[head], own[head]) for weights in of.values())
    assert torch.equal(of[0][weight.format(last)], own[weight.format(last)])
    assert not torch.equal(of[1][weight.format(last)], own[weight.format(last)])
    assert torch.equal(of[1][weight.format(last - 1)], own[weight.format(last - 1)])
    assert not torch.equal(of[None][weight.format(0)], own[weight.format(0)])


def test_there_is_a_column_for_each_step_of_the_cascade(detector, fakes):
    rows = compare_randomised(detector, fakes[:2], ["rollout", "gradcam"])
    assert list(rows["gradcam"]) == list(CASCADE)
    assert rows["rollout"]["head"] == pytest.approx([1, 1])  # attention does not know the head
    assert all((values >= 0).all() and (values <= 1).all() for row in rows.values() for values in row.values())


def test_time_is_taken_of_each(detector, fakes):
    assert list(time_each(detector, fakes, ["rollout", "gradcam"])) == ["rollout", "gradcam"]


def test_a_summary_is_of_the_kinds_asked_for_and_leaves_out_what_was_not_measured(fakes):
    row = {"hit": np.array([1.0, 0.0, 1.0, 1.0]), "iou": np.array([0.5, np.nan, np.nan, np.nan])}
    found = summarise({"gradcam": row}, fakes, ["eyes"])["gradcam"]
    assert found["hit"].value == 0.5
    assert (found["hit"].low, found["hit"].high) == (0, 1)
    assert found["iou"].value == 0.5
    assert summarise({"gradcam": row}, fakes, ["nose"])["gradcam"]["iou"].value is None


def test_the_table_has_a_line_for_each_and_no_number_where_there_is_none(fakes):
    row = {"hit": np.full(4, 0.25), "hit_before": np.full(4, math.nan)}
    lines = table(summarise({"gradcam": row, CHANCE: row}, fakes, ["eyes"])).splitlines()
    assert lines[0] == "| method | pointing hits | hits before forging |"
    assert lines[2:] == ["| gradcam | 0.25 (0.25 to 0.25) |  |", "| chance | 0.25 (0.25 to 0.25) |  |"]
