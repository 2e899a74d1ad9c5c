"""Attention times gradient: by hand, and against the paper's own way through transformers' eager attention."""

import numpy as np
import pytest
import torch
import transformers

from tests.support.explaining import KINDS, crops, heatmaps, load_detector, pixels
from virtus.explain.attribution import head_relevance
from virtus.results import Label


def test_two_blocks_by_hand():
    # relu(gradient * attention): in the last block, whose first row alone is read, [0.5, 0]; in the first one
    # [[0.2, 0], [0.3, 0.4]].
    last = torch.tensor([[[[0.5, 0.5]]]]), torch.tensor([[[[1.0, -1.0]]]])
    first = torch.tensor([[[[0.2, 0.8], [0.3, 0.7]]]]), torch.tensor([[[[1.0, -1.0], [1.0, 4 / 7]]]])
    # [1, 0] + [0.5, 0] = [1.5, 0]; plus [1.5, 0] @ first = [0.3, 0].
    torch.testing.assert_close(head_relevance([last, first]), torch.tensor([[[1.8, 0.0]]]))
    # With the gradient of the last row turned: [1, 0.5]; plus [1, 0.5] @ first = [0.35, 0.2].
    turned = last[0], -last[1]
    torch.testing.assert_close(head_relevance([turned, first]), torch.tensor([[[1.35, 0.7]]]))


def test_heads_by_hand():
    # The mean of heads is taken after what is negative was cut off, in each.
    attention = torch.tensor([[[[0.5, 0.5]], [[0.25, 0.75]]]])
    gradient = torch.tensor([[[[2.0, -2.0]], [[-4.0, 4.0]]]])
    torch.testing.assert_close(head_relevance([(attention, gradient)]), torch.tensor([[[1.5, 1.5]]]))
    torch.testing.assert_close(head_relevance([(attention, gradient)], head=1), torch.tensor([[[1.0, 3.0]]]))


def stock_attribution(folder, pixel_values: torch.Tensor, index: int, first: int, heads: int) -> torch.Tensor:
    """The paper's own loop, from the first block on, over the attentions that transformers hands out."""
    name = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model = getattr(transformers, name).from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    output = model(pixel_values, output_attentions=True)
    gradients = torch.autograd.grad(output.logits[:, index].sum(), output.attentions)
    relevance = torch.eye(gradients[0].shape[-1]).expand(len(pixel_values), -1, -1)
    for attention, gradient in zip(output.attentions, gradients, strict=True):
        relevance = relevance + (attention * gradient).clamp(min=0).mean(dim=1) @ relevance
    return relevance[:, :heads, first:].mean(dim=1).detach()


@pytest.mark.parametrize("target", list(Label))
@pytest.mark.parametrize("kind", KINDS)
def test_attribution_is_that_of_the_full_pass(make_checkpoint, kind, target):
    folder = make_checkpoint(kind=kind)
    detector = load_detector(folder)
    trunk, index = detector.checkpoint.trunk, detector.checkpoint.labels[target]
    stock = stock_attribution(folder, pixels(detector, crops(2)), index, trunk.num_prefix_tokens, trunk.num_head_tokens)
    ours = heatmaps(detector, crops(2), method="attribution", target=target)
    np.testing.assert_allclose(ours.reshape(2, -1), stock, rtol=1e-3, atol=1e-3 * float(stock.max()))


def test_one_head_is_not_the_mean_of_all(make_checkpoint):
    detector = load_detector(make_checkpoint())
    first, second, fused = (heatmaps(detector, crops(1), method="attribution", head=head) for head in (0, 1, None))
    assert not np.allclose(first, second, rtol=0.01)
    assert not np.allclose(first, fused, rtol=0.01)
