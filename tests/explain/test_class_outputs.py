"""Explanations of models with other outputs than one a class: those of a model with two that has the same margin."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.support.explaining import crops, load_detector
from virtus.checkpoints.detector import Detector
from virtus.explain.erasing import erasing_judge
from virtus.explain.registry import EXPLAINERS, explain
from virtus.labels import ClassOutputs
from virtus.results import Label


def with_head(folder, weight: torch.Tensor, bias: torch.Tensor, outputs: ClassOutputs) -> Detector:
    checkpoint = load_detector(folder).checkpoint
    head = torch.nn.Linear(weight.shape[1], len(weight))
    head.load_state_dict({"weight": weight, "bias": bias})
    checkpoint.trunk.model.classifier = head
    return Detector(replace(checkpoint, outputs=outputs))


@pytest.fixture(params=["three", "one"])
def pair(request, make_checkpoint):
    """A detector with other outputs, and one of two that says the same: its fakes joined, or its real always 0."""
    folder = make_checkpoint()
    head = load_detector(folder).checkpoint.trunk.model.classifier
    (real, fake), (real_bias, fake_bias) = head.weight.clone(), head.bias.clone()
    if request.param == "one":
        nothing = torch.zeros_like(real)
        two = with_head(folder, torch.stack([nothing, fake]), torch.stack([0 * fake_bias, fake_bias]), BOTH)
        return with_head(folder, fake[None], fake_bias[None], ClassOutputs(real=(), fake=(0,))), two
    # e^(z + log 1/4) + e^(z + log 3/4) is e^z.
    biases = torch.stack([fake_bias + math.log(1 / 4), real_bias, fake_bias + math.log(3 / 4)])
    three = with_head(folder, torch.stack([fake, real, fake]), biases, ClassOutputs(real=(1,), fake=(0, 2)))
    return three, load_detector(folder)


BOTH = ClassOutputs(real=(0,), fake=(1,))


@pytest.mark.parametrize("target", [*Label, None])
@pytest.mark.parametrize("method", EXPLAINERS)
def test_maps_are_those_of_the_margin(pair, method, target):
    maps = [explain(detector.encode(crops(2)), method=method, target=target) for detector in pair]
    for other, usual in zip(*maps, strict=True):
        assert other.target == usual.target
        np.testing.assert_allclose(other.heatmap, usual.heatmap, rtol=1e-3, atol=1e-5 + 1e-4 * usual.heatmap.max())


def test_verdicts_and_faithfulness_are_those_of_the_margin(pair):
    other, usual = ([p.p_fake for p in detector.predict(crops(3))] for detector in pair)
    assert other == pytest.approx(usual, abs=1e-6)
    masks = np.random.default_rng(0).random((3, 16)) < 0.5
    judged = [erasing_judge(detector, crops(1)[0])(masks) for detector in pair]
    np.testing.assert_allclose(*judged, atol=1e-6)
