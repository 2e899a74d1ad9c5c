"""The attention of all blocks and heads in a byte a weight: small enough to be sent to a page and explored there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from virtus.checkpoints import TrunkState


@dataclass(frozen=True)
class PackedAttention:
    """Softmax rows as square roots in uint8, with a scale a row: p = scale * (code / 255)^2.

    A weight is within 0.004 of the float, a small one nearer: by at most 0.004 * sqrt(weight * scale).

    Attributes:
        codes: (blocks, heads, T, T), uint8: row i says how much token i attends to each.
        scales: (blocks, heads, T), float32: the greatest weight of each row.
    """

    codes: np.ndarray
    scales: np.ndarray

    def unpack(self, block: int | slice = slice(None)) -> np.ndarray:
        """The weights of one block (heads, T, T) or of several (blocks, heads, T, T), float32."""
        return self.scales[block][..., None] * np.square(self.codes[block] * np.float32(1 / 255))

    def mean_distances(self, grid_size: tuple[int, int]) -> np.ndarray:
        """How far each head's patches look: (blocks, heads) float32, in patches.

        The distance from a patch to those that it attends to, by their weights, in the mean over the patches
        (Dosovitskiy et al. 2021, Fig. 7). Tokens that are no patches have no place and are left out.
        """
        places = np.argwhere(np.ones(grid_size)).astype(np.float32)
        distances = np.hypot(*(places[:, None] - places).transpose(2, 0, 1))
        first = self.codes.shape[-1] - len(places)
        weights = (self.unpack(block)[:, first:, first:] for block in range(len(self.codes)))
        return np.stack([((one * distances).sum(-1) / one.sum(-1).clip(1e-12)).mean(-1) for one in weights])

    def entropies(self) -> np.ndarray:
        """How widely each head attends: (blocks, heads) float32, bits of a row, in the mean over all tokens."""
        weights = (self.unpack(block) for block in range(len(self.codes)))
        return np.stack([-(one * np.log2(one.clip(1e-12))).sum(-1).mean(-1) for one in weights])


@torch.inference_mode()
def pack_attention(state: TrunkState, index: int, blocks: Sequence[int] | None = None) -> PackedAttention:
    """The attention of one crop of a state.

    It is that of the pass that judged, computed again from the tokens that entered each block there, in the same
    precision; only the softmax is float32 here, where the pass rounds it to the compute dtype.

    Args:
        index: of the crop.
        blocks: of which blocks, in this order; of all by default.
    """
    one = state.select(index)
    trunk = one.trunk
    packed = []
    for block in range(len(one.block_inputs)) if blocks is None else blocks:
        (attention,) = trunk.attention(block, trunk.first_norm(block, one.block_inputs[block]))
        packed.append(_pack(attention))
    if not packed:
        count = one.tail_input.shape[1]
        return PackedAttention(
            np.empty((0, trunk.num_heads, count, count), np.uint8), np.empty((0, trunk.num_heads, count), np.float32)
        )
    codes, scales = zip(*packed, strict=True)
    return PackedAttention(np.stack(codes), np.stack(scales))


def _pack(attention: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """(heads, T, T) to codes and scales."""
    scales = attention.amax(dim=-1)
    codes = (attention / scales[..., None]).sqrt().mul(255).round().to(torch.uint8)
    return codes.cpu().numpy(), scales.cpu().numpy()
