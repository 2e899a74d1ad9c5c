"""Occlusion against the stock model on sequences from which tokens were really deleted."""

import numpy as np
import pytest
import torch

from tests.support.explaining import (
    KINDS,
    crops,
    heatmaps,
    load_detector,
    pixels,
    pooled,
    stock_first_norms,
    stock_model,
)
from virtus.explain.occlusion import _spans, occlude_in_steps, occlusion
from virtus.results import Label


def stock_margin(detector, pixel_values: torch.Tensor, index: int, without: list[int]) -> float:
    """Logit of `index` minus the other, by transformers' own layers on one crop, tokens `without` deleted."""
    model = stock_model(detector)
    tower = getattr(model, "vision_model", model.base_model)
    hidden = tower.embeddings(pixel_values)
    hidden = hidden[:, [token for token in range(hidden.shape[1]) if token not in without]]
    hidden = tower.pre_layrnorm(hidden) if hasattr(tower, "pre_layrnorm") else hidden
    for norm in stock_first_norms(model):
        block = next(module for module in model.modules() if norm in module.children())
        hidden = block(hidden, attention_mask=None)
    norm = getattr(tower, "layernorm", None) or getattr(tower, "post_layernorm", None)
    tokens = hidden if hasattr(tower, "pre_layrnorm") else norm(hidden)  # CLIP's is idle
    read = pooled(detector, tokens)
    if hasattr(model, "distillation_classifier"):
        logits = (model.cls_classifier(read[:, 0]) + model.distillation_classifier(read[:, 1])) / 2
    else:
        logits = model.classifier(read.flatten(1))
    return float(logits[0, index] - logits[0, 1 - index])


@pytest.mark.parametrize("target", ["real", "fake"])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_patch_is_worth_the_fall_of_the_margin_without_its_token(make_checkpoint, kind, target):
    detector = load_detector(make_checkpoint(kind=kind))
    (index,), first = getattr(detector.checkpoint.outputs, target), detector.checkpoint.trunk.num_prefix_tokens
    ours = heatmaps(detector, crops(2), method="occlusion", target=target, window=1)
    for crop, heatmap in zip(crops(2), ours, strict=True):
        image = pixels(detector, [crop])
        for row, column in ((0, 0), (1, 2), (3, 3)):
            without = stock_margin(detector, image, index, [first + 4 * row + column])
            fall = stock_margin(detector, image, index, []) - without
            assert heatmap[row, column] == pytest.approx(fall, rel=1e-3, abs=1e-4)


@torch.no_grad()
def test_a_square_is_left_out_as_a_whole(make_checkpoint):
    detector = load_detector(make_checkpoint())
    image, (index,) = pixels(detector, crops(1)), detector.checkpoint.outputs.fake
    (heatmap,) = heatmaps(detector, crops(1), method="occlusion", target="fake")
    # Of the 4 x 4 grid rows 2 and 3, columns 0 and 1; one token stands before the patches.
    fall = stock_margin(detector, image, index, []) - stock_margin(detector, image, index, [9, 10, 13, 14])
    np.testing.assert_allclose(heatmap[2:, :2], fall, rtol=1e-3, atol=1e-4)


def test_squares_that_do_not_fit_evenly_overlap():
    expected = [[1, 1, 1, 0], [0, 1, 1, 1]]
    assert _spans(4, 3).int().tolist() == expected
    assert _spans(4, 2).int().tolist() == [[1, 1, 0, 0], [0, 0, 1, 1]]


def test_a_patch_in_several_squares_has_their_mean(make_checkpoint):
    # Squares of 3 in a grid of 4: four of them, and the four patches in the middle lie in all.
    detector = load_detector(make_checkpoint())
    (heatmap,) = heatmaps(detector, crops(1), method="occlusion", target="fake", window=3)
    corners = heatmap[[0, 0, 3, 3], [0, 3, 0, 3]]
    np.testing.assert_allclose(heatmap[1:3, 1:3], corners.mean(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(heatmap[0, 1:3], corners[:2].mean(), rtol=1e-4, atol=1e-6)


def test_what_speaks_for_one_class_speaks_against_the_other(make_checkpoint):
    detector = load_detector(make_checkpoint())
    real, fake = (heatmaps(detector, crops(1), method="occlusion", target=label) for label in ("real", "fake"))
    np.testing.assert_allclose(real, -fake, atol=1e-5)


def test_who_waits_is_told_how_far_it_is_and_gets_the_same_map(make_checkpoint, monkeypatch):
    monkeypatch.setattr("virtus.explain.occlusion.STEP", 3)
    state = load_detector(make_checkpoint()).encode(crops(1))
    (first, _), (share, heatmap) = occlude_in_steps(state, Label.FAKE)
    assert (first, share) == (0.75, 1)  # of four squares
    np.testing.assert_allclose(heatmap, occlusion(state, [Label.FAKE])[0], atol=1e-5)
