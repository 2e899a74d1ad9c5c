"""Blocks whose products are of whole numbers, for CPUs that multiply int8 several times as fast as float32.

Of what enters a linear layer each token is written in 256 steps between its least and its largest value, and each row
of the weights in 255 about zero:

    x_t = low_t + step_t q_t,  q in 0..255      W_o = scale_o w_o,  w in -127..127
    x W^T = step_t (q w^T) scale_o + low_t sum(W_o) + b

so that only q w^T is computed in int8, exactly, in int32. A few channels of a vision transformer are far larger than
the others and would leave no steps for these. As in LLM.int8() (Dettmers, Lewis, Belkada, Zettlemoyer 2022,
arXiv 2208.07339) they stay in float32 and are zero in what is written in steps: of each layer's input those that are
largest in this crop. Behind the activation, where nearly all is close to zero and every token has large values of its
own, tokens are written in 65,536 steps instead, as two bytes, and multiplied byte by byte. Crops go through one by
one, so p does not depend on what else is judged.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from torch import nn

from virtus.models.block import MLP, Block, GatedMLP, Rotation, scaled

BYTE = 256
STEPS = BYTE - 1
LARGEST = 127
WIDE_SHARE = 12  # one in so many channels stays in float32: p of virtus-base needs it (docs/benchmarks.md)
LEAST_RANGE = 1e-9  # of a token that is the same everywhere
ROUND = 0.5  # added before what is behind the point is cut off


class Codes(NamedTuple):
    """The tokens of one crop in whole numbers.

    Attributes:
        bytes: of each number, the most significant first, (T, D) uint8.
        steps: what one of the last is worth, (T, 1) float32.
        wide: the channels that stay in float32, (W,) int64.
        rest: what is added in float32, (T, W + 2): the wide channels, each token's least value, ones for the bias.
    """

    bytes: tuple[torch.Tensor, ...]
    steps: torch.Tensor
    wide: torch.Tensor
    rest: torch.Tensor


def quantise(tokens: torch.Tensor) -> Codes:
    """Tokens (T, D) float32, which are overwritten, in one byte. What is not finite stays so in `steps` or `rest`."""
    num_wide = max(1, tokens.shape[1] // WIDE_SHARE)
    wide = torch.maximum(tokens.amax(0), -tokens.amin(0)).topk(num_wide).indices
    rest = tokens.new_ones(len(tokens), num_wide + 2)
    rest[:, :num_wide] = tokens[:, wide]
    tokens.index_fill_(1, wide, 0)
    low, steps = _low_and_steps(tokens, STEPS)
    shift = ROUND - low / steps
    values = tokens.mul_(1 / steps).add_(shift).to(torch.uint8)
    rest[:, :num_wide] -= low + steps * shift.floor()  # what zero was rounded to
    rest[:, num_wide : num_wide + 1] = low
    return Codes((values,), steps, wide, rest)


def quantise_finely(tokens: torch.Tensor) -> Codes:
    """Tokens (T, D) float32, which are overwritten, in two bytes, and no channel left out."""
    low, steps = _low_and_steps(tokens, BYTE * BYTE - 1)
    whole = tokens.mul_(1 / steps).add_(ROUND - low / steps)
    first = (whole / BYTE).floor_()
    second = whole.sub_(first, alpha=BYTE)
    nothing = torch.empty(0, dtype=torch.long)
    rest = torch.cat((low, torch.ones_like(low)), dim=1)
    return Codes((first.to(torch.uint8), second.to(torch.uint8)), steps, nothing, rest)


def _low_and_steps(tokens: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    low = tokens.amin(1, keepdim=True)
    return low, (tokens.amax(1, keepdim=True) - low).clamp_min(LEAST_RANGE) / count


class Int8Linear:
    """The product of `Codes` and the weights of linear layers that read the same: (T, D) to (T, sum of widths).

    Their float32 values are shared, and laid out anew, one channel after the other: those of the channels that stay in
    float32 are read at each call.
    """

    def __init__(self, *linears: nn.Linear):
        weight = torch.cat([linear.weight.detach() for linear in linears])
        self.scales = (weight.abs().amax(1) / LARGEST).clamp_min(torch.finfo(weight.dtype).tiny)
        codes = (weight / self.scales[:, None]).round().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(codes, None)
        biases = [weight.new_zeros(one.out_features) if one.bias is None else one.bias.detach() for one in linears]
        self.added = torch.stack((codes.sum(1, dtype=torch.float32) * self.scales, torch.cat(biases)))
        self.zeros = torch.zeros(len(weight), dtype=torch.long)
        self.columns = weight.t().contiguous()
        for linear, columns in zip(linears, self.columns.split([one.out_features for one in linears], 1), strict=True):
            linear.weight.data = columns.t()

    def __call__(self, codes: Codes) -> torch.Tensor:
        product = self._multiply(codes.bytes[0])
        for finer in codes.bytes[1:]:
            product = product.mul_(BYTE).add_(self._multiply(finer))
        added = torch.cat((self.columns.index_select(0, codes.wide), self.added))
        return product.mul_(codes.steps).addmm_(codes.rest, added)

    def _multiply(self, values: torch.Tensor) -> torch.Tensor:
        return multiply(values, self.packed, self.scales, self.zeros)


class Int8Block:
    """What a `Block` computes of whole tokens; its norms, activation and attention are in float32."""

    def __init__(self, block: Block):
        attention, self.block, self.mlp = block.attention, block, cast("MLP | GatedMLP", block.mlp)
        self.projections = Int8Linear(attention.q_proj, attention.k_proj, attention.v_proj)
        self.output = Int8Linear(attention.o_proj)
        if isinstance(self.mlp, GatedMLP):
            self.inner, self.outer = Int8Linear(self.mlp.gate_proj, self.mlp.up_proj), Int8Linear(self.mlp.down_proj)
        else:
            self.inner, self.outer = Int8Linear(self.mlp.fc1), Int8Linear(self.mlp.fc2)

    def __call__(self, hidden: torch.Tensor, rotation: Rotation | None = None) -> torch.Tensor:
        """Tokens (N, T, D) float32 to those that leave the block; `rotation` as for `Block`."""
        crops = [self._run(crop, _of_crop(rotation, index)) for index, crop in enumerate(hidden.split(1))]
        return torch.cat(crops) if crops else hidden

    def _run(self, hidden: torch.Tensor, rotation: Rotation | None) -> torch.Tensor:
        block = self.block
        projected = self.projections(quantise(block.layernorm_before(hidden)[0]))
        query, key, value = projected[None].chunk(3, dim=-1)
        mixed = block.attention.mix(query, key, value, rotation)
        hidden = hidden + scaled(self.output(quantise(mixed[0])), block.layer_scale1)
        inner = self.inner(quantise(block.layernorm_after(hidden)[0]))
        if isinstance(self.mlp, GatedMLP):
            gate, inner = inner.chunk(2, dim=-1)
            inner = self.mlp.activation_fn(gate) * inner
        else:
            inner = self.mlp.activation_fn(inner)
        return hidden + scaled(self.outer(quantise_finely(inner)), block.layer_scale2)


def multiply(values: torch.Tensor, packed: torch.Tensor, scales: torch.Tensor, zeros: torch.Tensor) -> torch.Tensor:
    """Codes (T, D) and a packed weight to scaled products (T, width) float32, by oneDNN's kernel."""
    kernel = torch.ops.onednn.qlinear_pointwise
    return kernel(values, 1.0, 0, packed, scales, zeros, None, 1.0, 0, torch.float32, "none", [], "")


def multiplies_exactly() -> bool:
    """Whether that kernel adds up without a limit here.

    With AVX2 alone, or where a variable of the environment hides the units, sums of two products end at 32767.
    """
    if not torch.backends.mkldnn.is_available():
        return False
    width = 64
    weight, values = torch.full((width, width), LARGEST, dtype=torch.int8), torch.full((width, width), STEPS)
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    scales, zeros = torch.ones(width), torch.zeros(width, dtype=torch.long)
    return bool((multiply(values.to(torch.uint8), packed, scales, zeros) == STEPS * LARGEST * width).all())


def _of_crop(rotation: Rotation | None, index: int) -> Rotation | None:
    """One crop's own angles, where crops kept tokens of their own."""
    if rotation is None or rotation[0].ndim == 2:
        return rotation
    cos, sin = (part[index : index + 1] for part in rotation)
    return cos, sin
