"""Rollout and attribution by hand, and attribution against the paper's own way by eager attention of transformers."""

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
    stock_model,
    with_learned_query,
)
from virtus.explain.attention import FUSIONS, head_relevance, joint_attention
from virtus.explain.gradients import attention_gradients
from virtus.explain.registry import HEAD_FUSIONS, explain
from virtus.results import Label

ONE = torch.ones(1, 1, 1)  # one picture, whose head reads the first token
HALF = torch.tensor([[[[0.5, 0.5], [0.0, 1.0]]]])  # one picture, one head, two tokens


def test_rollout_of_one_block_by_hand():
    # (A + I) / 2
    torch.testing.assert_close(joint_attention([HALF])[0], torch.tensor([[0.75, 0.25], [0.0, 1.0]]))


def test_rollout_of_two_blocks_is_the_product_last_block_first():
    swap = torch.tensor([[[[0.0, 1.0], [1.0, 0.0]]]])
    first, second = torch.tensor([[0.75, 0.25], [0.0, 1.0]]), torch.tensor([[0.5, 0.5], [0.5, 0.5]])
    torch.testing.assert_close(joint_attention([HALF, swap])[0], second @ first)
    torch.testing.assert_close(joint_attention([swap, HALF])[0], first @ second)


@pytest.mark.parametrize(
    ("fusion", "row"),
    [
        ("mean", [1.6 / 2, 0.4 / 2]),  # (0.2 + 1.0) / 2 = 0.6; (0.8 + 0.0) / 2 = 0.4; plus I, sum 2
        ("max", [2.0 / 2.8, 0.8 / 2.8]),
        ("min", [1.2 / 1.2, 0.0]),
    ],
)
def test_head_fusions_by_hand(fusion, row):
    heads = torch.tensor([[[[0.2, 0.8], [0.5, 0.5]], [[1.0, 0.0], [0.5, 0.5]]]])
    torch.testing.assert_close(joint_attention([heads], head_fusion=fusion)[0, 0], torch.tensor(row))


def test_head_fusions_are_offered_as_they_are():
    assert list(FUSIONS) == list(HEAD_FUSIONS)


def test_discarding_by_hand():
    attention = torch.tensor([[[[0.4, 0.6], [0.9, 0.1]]]])
    # The smallest half, 0.1 and 0.4, goes; then I is added and rows are brought back to 1.
    expected = torch.tensor([[1 / 1.6, 0.6 / 1.6], [0.9 / 1.9, 1 / 1.9]])
    torch.testing.assert_close(joint_attention([attention], discard_ratio=0.5)[0], expected)


def test_discarding_treats_each_picture_by_itself():
    one, other = torch.tensor([[[0.4, 0.6], [0.9, 0.1]]]), torch.tensor([[[0.1, 0.9], [0.2, 0.8]]])
    both = joint_attention([torch.stack([one, other])], discard_ratio=0.5)
    alone = joint_attention([other[None]], discard_ratio=0.5)
    torch.testing.assert_close(both[1], alone[0])


@pytest.mark.parametrize(
    ("pooling", "row"),
    [
        ([[1.0, 0.0, 0.0]], [0.6, 0.4, 0.0]),  # a class token
        ([[0.0, 0.5, 0.5]], [0.0, 0.65, 0.35]),  # the mean of two patches: ((0, 0.8, 0.2) + (0, 0.5, 0.5)) / 2
        ([[0.5, 0.25, 0.25]], [0.3, 0.525, 0.175]),  # what a learned query attends to: half of the first and so on
    ],
)
def test_rollout_by_what_the_head_reads_by_hand(pooling, row):
    # (A + I) / 2 of these rows is (0.6, 0.4, 0), (0, 0.8, 0.2) and (0, 0.5, 0.5).
    attention = torch.tensor([[[[0.2, 0.8, 0.0], [0.0, 0.6, 0.4], [0.0, 1.0, 0.0]]]])
    torch.testing.assert_close(joint_attention([attention], torch.tensor([pooling])), torch.tensor([[row]]))


def test_attribution_by_what_the_head_reads_by_hand():
    # relu(gradient * attention) is (0.5, 0) and (0, 0.2): I plus that, its rows by half, and (1, 0) alone.
    attention, gradient = torch.tensor([[[[0.5, 0.5], [0.8, 0.2]]]]), torch.tensor([[[[1.0, -1.0], [-1.0, 1.0]]]])
    means = torch.tensor([[[0.5, 0.5], [1.0, 0.0]]])
    torch.testing.assert_close(
        head_relevance([(attention, gradient)], means), torch.tensor([[[0.75, 0.6], [1.5, 0.0]]])
    )


@pytest.mark.parametrize("kind", KINDS)
def test_rollout_rows_sum_to_one_for_a_real_model(make_checkpoint, kind):
    detector = load_detector(make_checkpoint(kind=kind))
    state = detector.encode(crops(2))
    trunk = state.trunk
    norms = [trunk.first_norm(index, hidden) for index, hidden in enumerate(state.block_inputs)]
    attentions = [trunk.attention(index, normed) for index, normed in enumerate(norms)]
    joint = joint_attention(attentions)
    torch.testing.assert_close(joint.sum(dim=-1), torch.ones(joint.shape[:2]))


def test_one_head_is_followed_alone():
    one, other = HALF[:, 0], torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    both = torch.stack([one, other], dim=1)
    for index, alone in enumerate((one, other)):
        joint = joint_attention([both, both], head=index)
        torch.testing.assert_close(joint, joint_attention([alone[:, None]] * 2))


def test_the_mean_of_all_heads_is_none_of_them(make_checkpoint):
    detector = load_detector(make_checkpoint())
    first, second, fused = (heatmaps(detector, crops(1), head=head) for head in (0, 1, None))
    assert not np.allclose(first, second, rtol=0.01)
    assert not np.allclose(first, fused, rtol=0.01)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("discard_ratio", [0.0, 0.5])
def test_the_map_is_what_the_head_reads_of_the_product_of_whole_attentions(make_checkpoint, kind, discard_ratio):
    detector = load_detector(make_checkpoint(kind=kind))
    state, trunk = detector.encode(crops(2)), detector.checkpoint.trunk
    norms = [trunk.first_norm(index, hidden) for index, hidden in enumerate(state.block_inputs)]
    whole = joint_attention([trunk.attention(i, normed) for i, normed in enumerate(norms)], discard_ratio=discard_ratio)
    rows = pooled(detector, whole)[:, :, trunk.num_prefix_tokens :].mean(dim=1)
    found = np.stack([one.heatmap.ravel() for one in explain(state, method="rollout", discard_ratio=discard_ratio)])
    np.testing.assert_allclose(found, rows, rtol=1e-4)


def test_attribution_of_two_blocks_by_hand():
    # relu(gradient * attention): in the last block, whose first row alone is read, [0.5, 0]; in the first one
    # [[0.2, 0], [0.3, 0.4]].
    last = torch.tensor([[[[0.5, 0.5]]]]), torch.tensor([[[[1.0, -1.0]]]])
    first = torch.tensor([[[[0.2, 0.8], [0.3, 0.7]]]]), torch.tensor([[[[1.0, -1.0], [1.0, 4 / 7]]]])
    # [1, 0] + [0.5, 0] = [1.5, 0]; plus [1.5, 0] @ first = [0.3, 0].
    torch.testing.assert_close(head_relevance([last, first], ONE), torch.tensor([[[1.8, 0.0]]]))
    # With the gradient of the last row turned: [1, 0.5]; plus [1, 0.5] @ first = [0.35, 0.2].
    turned = last[0], -last[1]
    torch.testing.assert_close(head_relevance([turned, first], ONE), torch.tensor([[[1.35, 0.7]]]))


def test_attribution_of_heads_by_hand():
    # The mean of heads is taken after what is negative was cut off, in each.
    attention = torch.tensor([[[[0.5, 0.5]], [[0.25, 0.75]]]])
    gradient = torch.tensor([[[[2.0, -2.0]], [[-4.0, 4.0]]]])
    torch.testing.assert_close(head_relevance([(attention, gradient)], ONE), torch.tensor([[[1.5, 1.5]]]))
    torch.testing.assert_close(head_relevance([(attention, gradient)], ONE, head=1), torch.tensor([[[1.0, 3.0]]]))


def stock_attribution(detector, pixel_values: torch.Tensor, sign: int) -> torch.Tensor:
    """The paper's own loop, behind the first third of the blocks, over the attentions that transformers hands out."""
    output = stock_model(detector, attn_implementation="eager")(pixel_values, output_attentions=True)
    gradients = torch.autograd.grad(sign * (output.logits[:, 1] - output.logits[:, 0]).sum(), output.attentions)
    relevance = torch.eye(gradients[0].shape[-1]).expand(len(pixel_values), -1, -1)
    for attention, gradient in list(zip(output.attentions, gradients, strict=True))[1:]:  # of three
        relevance = relevance + (attention * gradient).clamp(min=0).mean(dim=1) @ relevance
    first = detector.checkpoint.trunk.num_prefix_tokens
    return pooled(detector, relevance)[:, :, first:].mean(dim=1).detach()


@pytest.mark.parametrize("target", list(Label))
@pytest.mark.parametrize("kind", KINDS)
def test_attribution_is_that_of_the_full_pass(make_checkpoint, kind, target):
    detector = load_detector(make_checkpoint(kind=kind))
    stock = stock_attribution(detector, pixels(detector, crops(2)), 1 if target is Label.FAKE else -1)
    ours = heatmaps(detector, crops(2), method="attribution", target=target)
    np.testing.assert_allclose(ours.reshape(2, -1), stock, rtol=1e-3, atol=1e-3 * float(stock.max()))


def test_attribution_goes_back_to_the_first_block_that_was_trained(make_checkpoint):
    """Of three blocks the last two where nothing is said; the last alone where training changed no other."""
    detectors = [load_detector(make_checkpoint(own={"first_trained_block": first})) for first in (0, 1, 2)]
    unsaid, second, last = (
        heatmaps(detector, crops(2), method="attribution", target=Label.FAKE) for detector in detectors
    )
    np.testing.assert_array_equal(second, unsaid)
    state = detectors[2].encode(crops(2))
    ((attention, gradient),) = attention_gradients(state, [Label.FAKE] * 2, first=2)  # of the rows that the head reads
    by_hand = (attention * gradient).relu().mean(dim=(1, 2))[:, state.trunk.num_prefix_tokens :]
    np.testing.assert_allclose(last.reshape(2, -1), by_hand.detach().numpy(), rtol=1e-4, atol=1e-7)


def test_attribution_of_one_head_is_not_the_mean_of_all(make_checkpoint):
    detector = load_detector(make_checkpoint())
    first, second, fused = (heatmaps(detector, crops(1), method="attribution", head=head) for head in (0, 1, None))
    assert not np.allclose(first, second, rtol=0.01)
    assert not np.allclose(first, fused, rtol=0.01)


def test_a_learned_query_is_the_last_step_of_both(make_checkpoint):
    """SigLIP's head: rollout by its attention, attribution by its attention times gradient, as a full pass has them."""
    detector = with_learned_query(load_detector(make_checkpoint(kind="siglip")))
    state, trunk = detector.encode(crops(2)), detector.checkpoint.trunk
    attentions, hidden = [], state.block_inputs[0].clone()
    for index in range(3):  # one graph of all blocks, which the engine never builds
        attentions.append(trunk.attention(index, trunk.first_norm(index, hidden)).requires_grad_())
        hidden = trunk.run_block(index, hidden, attention=attentions[-1])
    attentions.append(trunk.pooling(hidden).detach().requires_grad_())
    logits = trunk.finish(hidden, attentions[-1])
    gradients = torch.autograd.grad((logits[:, 1] - logits[:, 0]).sum(), attentions)
    *blocks, pooling = (attention.detach() for attention in attentions)
    rows = pooling.mean(1) @ joint_attention(blocks)
    np.testing.assert_allclose(heatmaps(detector, crops(2), method="rollout").reshape(2, 16), rows[:, 0], rtol=1e-4)
    relevance = torch.eye(16).expand(2, -1, -1)
    for attention, gradient in list(zip(blocks, gradients[:-1], strict=True))[1:]:
        relevance = relevance + (attention * gradient).clamp(min=0).mean(1) @ relevance
    rows = ((pooling * gradients[-1]).clamp(min=0).mean(1) @ relevance)[:, 0]
    ours = heatmaps(detector, crops(2), method="attribution", target="fake").reshape(2, 16)
    np.testing.assert_allclose(ours, rows, rtol=1e-3, atol=1e-3 * float(rows.max()))
