"""Packed attention, the rollout drawn from it, and the logit lens: by hand, and against the pass that judged."""

import numpy as np
import pytest
import torch

from tests.support.explaining import KINDS, crops, load_detector, with_learned_query
from virtus.checkpoints.detector import Detector
from virtus.explain.attention import grow_rollout, read_by_head
from virtus.explain.lens import logit_lens
from virtus.explain.packed_attention import PackedAttention, pack_attention
from virtus.explain.registry import explain
from virtus.models.architecture import Architecture
from virtus.models.transformers_families import OF_TRANSFORMERS
from virtus.models.vit import pooling_places

OWN = {"calibration": {"temperature": 1.7, "bias": 0.3, "real_below": 0.2, "fake_above": 0.8}}


@pytest.fixture(params=KINDS)
def detector(request, make_checkpoint) -> Detector:
    return load_detector(make_checkpoint(kind=request.param, own=OWN)).at_prior(0.2)


@pytest.fixture
def state(detector):
    return detector.encode(crops(2))


def attention_of(state, index):
    """(blocks, heads, T, T)."""
    norms = [state.trunk.first_norm(block, hidden) for block, hidden in enumerate(state.block_inputs)]
    return torch.stack([state.trunk.attention(block, normed)[index] for block, normed in enumerate(norms)]).numpy()


def test_packing_by_hand():
    packed = PackedAttention(np.array([[[[255, 0], [51, 102]]]], np.uint8), np.array([[[0.5, 1.0]]], np.float32))
    np.testing.assert_allclose(packed.unpack(), [[[[0.5, 0.0], [0.04, 0.16]]]], rtol=1e-6)  # (51 / 255)^2 is 0.04
    np.testing.assert_array_equal(packed.unpack(0), packed.unpack()[0])


def test_packed_weights_are_those_of_the_pass(state):
    packed, weights = pack_attention(state, 1), attention_of(state, 1)
    assert packed.codes.shape == weights.shape
    assert (packed.codes.dtype, packed.scales.dtype) == (np.uint8, np.float32)
    np.testing.assert_allclose(packed.unpack(), weights, atol=0.004)
    np.testing.assert_allclose(packed.unpack().sum(axis=-1), 1, atol=0.02)
    np.testing.assert_array_equal(packed.scales, weights.max(axis=-1))


def test_some_blocks_are_packed_alone(state):
    whole, some, none = (pack_attention(state, 0, blocks) for blocks in (None, [2, 0], []))
    np.testing.assert_array_equal(some.codes, whole.codes[[2, 0]])
    np.testing.assert_array_equal(some.scales, whole.scales[[2, 0]])
    assert none.codes.shape == (0, *whole.codes.shape[1:])


def test_rollout_that_grows_by_hand():
    # One head, two tokens: rows (.5, .5) and (0, 1) in the first block, a swap in the second. B is half of A + I.
    codes = np.array([[[[255, 255], [0, 255]]], [[[0, 255], [255, 0]]]], np.uint8)
    packed = PackedAttention(codes, np.array([[[0.5, 1.0]], [[1.0, 1.0]]], np.float32))
    grown = grow_rollout(packed, np.array([[[1.0, 0.0]]], np.float32))
    np.testing.assert_allclose(grown, [[0.75, 0.25], [0.375, 0.625]], atol=1e-6)  # (.5, .5) times the first


@pytest.mark.parametrize(
    "options", [{}, {"head_fusion": "max"}, {"head_fusion": "min"}, {"head": 1}], ids=lambda chosen: str(chosen)
)
def test_the_rollout_drawn_is_that_of_explain(state, options):
    drawn = grow_rollout(pack_attention(state, 1), read_by_head(state, 1), **options)
    np.testing.assert_allclose(drawn.sum(axis=1), 1, atol=1e-5)
    heatmap = explain(state, method="rollout", **options)[1].heatmap
    found = drawn[-1, state.trunk.num_prefix_tokens :].reshape(heatmap.shape)
    steps = 1.5 if options.get("head_fusion") == "min" else 1  # of so few heads and tokens the least has no mean
    np.testing.assert_allclose(found, heatmap, atol=steps * np.ptp(heatmap) / 255)


def test_discarding_is_that_of_explain_where_nothing_lies_at_the_edge():
    # Codes that are exact: packed and float weights are the same, and so is what goes.
    codes = np.random.default_rng(0).permuted(np.tile(np.arange(255, 0, -51), (2, 2, 5, 1)), axis=-1).astype(np.uint8)
    weights = (codes / 255.0) ** 2
    sums = weights.sum(axis=-1, keepdims=True)
    packed = PackedAttention(codes, (1 / sums[..., 0]).astype(np.float32))
    np.testing.assert_allclose(packed.unpack(), weights / sums, rtol=1e-5)
    grown = grow_rollout(packed, np.full((2, 1, 5), 0.2, np.float32), head=0, discard_ratio=0.4)
    first = (weights / sums)[0, 0]
    first = np.where(first >= np.sort(first.ravel())[10], first, 0) + np.eye(5)  # 10 of 25 go
    np.testing.assert_allclose(grown[0], (first / first.sum(axis=1, keepdims=True)).mean(axis=0), rtol=1e-5)


def test_the_last_row_of_the_lens_is_the_verdict(detector, state):
    for index, prediction in enumerate(detector.predict_state(state)):
        of_tokens, decided = logit_lens(detector, state, index)
        assert (of_tokens.dtype, of_tokens.shape) == (np.float32, (4, state.tail_input.shape[1]))
        assert decided.shape == (4,)
        assert decided[-1] == pytest.approx(prediction.p_fake, abs=1e-6)
        if detector.checkpoint.trunk.model.config.pooling != "mean":
            np.testing.assert_allclose(of_tokens[:, 0], decided, atol=1e-5)


def test_the_lens_of_a_patch_is_the_head_on_it_alone(make_checkpoint):
    detector = load_detector(make_checkpoint(own=OWN))
    state, model = detector.encode(crops(1)), detector.checkpoint.trunk.model
    token = state.block_inputs[1][0, 5]  # behind the first block, the fifth patch
    with torch.inference_mode():
        logits = model.classifier(model.layernorm(token))
    expected = torch.sigmoid((logits[1] - logits[0]) / 1.7 + 0.3)
    assert logit_lens(detector, state, 0)[0][1, 5] == pytest.approx(float(expected), abs=1e-6)


def test_a_learned_query_sees_each_token_alone(make_checkpoint):
    detector = with_learned_query(load_detector(make_checkpoint(kind="siglip")))
    state, model = detector.encode(crops(2)), detector.checkpoint.trunk.model
    of_tokens, decided = logit_lens(detector, state, 1)
    assert decided[-1] == pytest.approx(detector.predict_state(state)[1].p_fake, abs=1e-6)
    with torch.inference_mode():
        logits = model.decide(model.pooler(model.layernorm(state.block_inputs[2][1:, 7:8])))
    assert of_tokens[2, 7] == pytest.approx(torch.sigmoid(logits[0, 1] - logits[0, 0]).item(), abs=1e-6)
    drawn = grow_rollout(pack_attention(state, 1), read_by_head(state, 1))[-1]
    heatmap = explain(state, method="rollout")[1].heatmap
    np.testing.assert_allclose(drawn.reshape(heatmap.shape), heatmap, atol=np.ptp(heatmap) / 255)


def test_of_a_pass_in_bfloat16_the_lens_ends_at_its_verdict(make_checkpoint):
    detector = load_detector(make_checkpoint(), precision="bfloat16")
    state = detector.encode(crops(2))
    for index, prediction in enumerate(detector.predict_state(state)):
        assert logit_lens(detector, state, index)[1][-1] == pytest.approx(prediction.p_fake, abs=1e-6)
    np.testing.assert_allclose(pack_attention(state, 1).unpack(), attention_of(state, 1), atol=0.004)


def test_where_heads_read_the_mean_the_margins_of_patches_average_to_that_of_the_verdict(make_checkpoint):
    for kind in ("siglip", "clip", "dinov2-with-registers"):
        detector = load_detector(make_checkpoint(kind=kind))
        of_tokens, decided = logit_lens(detector, detector.encode(crops(1)), 0)
        margins = np.log(of_tokens / (1 - of_tokens))[:, detector.checkpoint.trunk.num_prefix_tokens :]
        np.testing.assert_allclose(margins.mean(axis=1), np.log(decided / (1 - decided)), atol=0.01)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ({"pooling": "cls"}, [[0], [1], [1]]),
        ({"pooling": "cls", "heads": ("one", "other")}, [[0, 0], [0, 0], [1, 1]]),
        ({"pooling": "mean"}, [[1], [1], [1]]),
        ({"pooling": "cls+mean", "prefix_tokens": ("cls_token", "register_tokens"), "num_register_tokens": 1},
         [[0, 0], [1, 0], [0, 1]]),
    ],
)  # fmt: skip
def test_what_each_token_stands_for_by_hand(sizes, expected):
    assert pooling_places(Architecture(OF_TRANSFORMERS[0], "any", **sizes), 3).int().tolist() == expected


def test_distance_and_entropy_of_heads_by_hand():
    # A class token and two patches side by side. One head looks at itself, the other evenly at all three.
    codes = np.array([[np.eye(3) * 255, np.full((3, 3), 255)]], np.uint8)
    packed = PackedAttention(codes, np.array([[[1, 1, 1], [1 / 3, 1 / 3, 1 / 3]]], np.float32))
    np.testing.assert_allclose(packed.mean_distances((1, 2)), [[0, 0.5]], atol=1e-6)  # half of the weight is 1 away
    np.testing.assert_allclose(packed.entropies(), [[0, np.log2(3)]], atol=1e-5)
