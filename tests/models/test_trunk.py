"""The block-by-block pass against transformers' own forward, for every family."""

from types import SimpleNamespace

import pytest
import torch
import transformers

from benchmarks.gpu import by_hand
from tests.conftest import KINDS
from tests.support.explaining import stock_first_norms
from virtus.checkpoints.examine import examine_checkpoint, load_model
from virtus.models.architecture import ACTIVATIONS
from virtus.models.block import MLP, QuickGELU
from virtus.models.trunk import Trunk

PREFIX = {"vit": 1, "siglip": 0, "clip": 1, "dinov2": 1, "dinov2-gated": 1, "dinov2-with-registers": 5}


def load_pair(folder, **options):
    own = load_model(examine_checkpoint(folder))
    stock = getattr(transformers, own.config.name)
    stock = stock.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
    return Trunk(own, device=torch.device("cpu"), precision=options.get("precision", "float32")), stock


def run(trunk, pixel_values):
    hidden = trunk.embed(pixel_values)
    inputs = [hidden]
    for index in range(len(trunk.blocks) - 1):
        inputs.append(trunk.run_block(index, inputs[-1]))
    return inputs


@pytest.fixture(params=KINDS)
def pair(request, make_checkpoint):
    return load_pair(make_checkpoint(kind=request.param))


@pytest.fixture
def pixel_values():
    return torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_logits_are_those_of_transformers(pair, pixel_values):
    trunk, stock = pair
    for ours in (trunk.tail(run(trunk, pixel_values)[-1]), trunk.model(pixel_values)):
        torch.testing.assert_close(ours, stock(pixel_values).logits, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_the_way_by_hand_that_the_gpu_benchmark_tries_is_the_same(pair, pixel_values):
    trunk, stock = pair
    torch.testing.assert_close(by_hand(trunk, pixel_values), stock(pixel_values).logits, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_attentions_are_those_of_transformers(pair, pixel_values):
    trunk, stock = pair
    attentions = stock(pixel_values, output_attentions=True).attentions
    assert len(attentions) == len(trunk.blocks)
    for index, hidden in enumerate(run(trunk, pixel_values)):
        normed = trunk.first_norm(index, hidden)
        torch.testing.assert_close(trunk.attention(index, normed), attentions[index], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_prefix_tokens_and_grid(make_checkpoint, kind, pixel_values):
    trunk, _ = load_pair(make_checkpoint(kind=kind))
    assert trunk.num_prefix_tokens == PREFIX.get(kind, 2)
    assert trunk.embed(pixel_values).shape[1] == trunk.num_prefix_tokens + 16
    assert trunk.grid_size == (4, 4)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_bfloat16_keeps_the_residual_stream_and_the_tail_in_float32(make_checkpoint, kind, pixel_values):
    trunk, stock = load_pair(make_checkpoint(kind=kind), precision="bfloat16")
    dtypes = [{parameter.dtype for parameter in block.mlp.parameters()} for block in trunk.blocks]
    assert dtypes == [{torch.bfloat16}, {torch.bfloat16}, {torch.float32}]
    inputs = run(trunk, pixel_values)
    assert {hidden.dtype for hidden in inputs} == {torch.float32}
    ours, exact = (logits.softmax(dim=1) for logits in (trunk.tail(inputs[-1]), stock(pixel_values).logits))
    torch.testing.assert_close(ours, exact, atol=2e-2, rtol=0)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_block_given_its_own_attention_gives_what_it_gives(make_checkpoint, kind, precision):
    trunk, _ = load_pair(make_checkpoint(kind=kind), precision=precision)
    hidden = torch.randn(2, 18, 32, generator=torch.Generator().manual_seed(1))
    for index in range(3):
        attention = trunk.attention(index, trunk.first_norm(index, hidden))
        given = trunk.run_block(index, hidden, attention=attention)
        close = 1e-5 if precision == "float32" else 3e-2
        off = (given - trunk.run_block(index, hidden)).abs().max()
        assert off < close * (given - hidden).abs().max()
        other = trunk.run_block(index, hidden, attention=torch.full_like(attention, 1 / 18))
        assert not torch.allclose(other, given, atol=1e-3)


@torch.no_grad()
def test_the_first_tokens_of_a_block_are_those_of_the_whole_block(pair):
    trunk, _ = pair
    hidden = torch.randn(2, 18, 32, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(trunk.run_block(1, hidden, num_tokens=2), trunk.run_block(1, hidden)[:, :2])


@torch.no_grad()
def test_the_first_tokens_are_right_without_biases_too(make_checkpoint):
    trunk, _ = load_pair(make_checkpoint())
    own, hidden = trunk.blocks[1].attention, torch.randn(2, 18, 32, generator=torch.Generator().manual_seed(1))
    own.q_proj.bias = own.k_proj.bias = own.v_proj.bias = None
    torch.testing.assert_close(trunk.run_block(1, hidden, num_tokens=2), trunk.run_block(1, hidden)[:, :2])


@torch.no_grad()
def test_blocks_are_those_of_transformers_for_shorter_sequences_too(pair):
    trunk, stock = pair
    hidden = torch.randn(2, 7, 32, generator=torch.Generator().manual_seed(1))
    for index, norm in enumerate(stock_first_norms(stock)):
        block = next(module for module in stock.modules() if norm in module.children())
        theirs = block(hidden, attention_mask=None)
        torch.testing.assert_close(trunk.run_block(index, hidden), theirs, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_quick_gelu_is_its_formula_and_so_is_its_slope(dtype):
    hidden = torch.randn(50, generator=torch.Generator().manual_seed(1)).mul_(3).to(dtype).requires_grad_()
    expected = hidden.float() * torch.sigmoid(1.702 * hidden.float())
    (slope,) = torch.autograd.grad(expected.sum(), hidden, retain_graph=True)
    activated = QuickGELU()(hidden)
    close = {"atol": 1e-6, "rtol": 1e-5} if dtype == torch.float32 else {"atol": 2e-2, "rtol": 2e-2}
    torch.testing.assert_close(activated.float(), expected, **close)
    torch.testing.assert_close(torch.autograd.grad(activated.sum(), hidden)[0], slope, **close)
    with torch.inference_mode():
        torch.testing.assert_close(QuickGELU()(hidden.detach().clone()).float(), expected, **close)


@pytest.mark.parametrize("no_grad", [True, False])
def test_quick_gelu_leaves_large_activations_as_they_are_in_bfloat16(no_grad):
    hidden = torch.arange(16, 128, 0.5, dtype=torch.bfloat16)
    with torch.inference_mode(no_grad):
        assert torch.equal(QuickGELU()(hidden.clone()), hidden)


@pytest.mark.parametrize("act", ACTIVATIONS)
@torch.inference_mode()
def test_an_mlp_leaves_what_it_reads_as_it_is(act):
    config = SimpleNamespace(hidden_size=4, intermediate_size=8, mlp_bias=True, hidden_act=act)
    hidden = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(1))
    before = hidden.clone()
    MLP(config)(hidden)
    assert torch.equal(hidden, before)
