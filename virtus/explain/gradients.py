"""Gradients of the logits inside the trunk, without hooks: block by block, from the tokens that entered each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from virtus.checkpoints import TrunkState
from virtus.errors import InputError
from virtus.results import Label

RunBlock = Callable[[int, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(index, tokens that enter the block) to (value at a place in it, tokens that leave it)."""


def target_weights(state: TrunkState, targets: Sequence[int]) -> torch.Tensor:
    """The logit of each crop's target, as weights of the logits (N, 2)."""
    return torch.eye(2, device=state.tail_input.device)[list(targets)]


def margin_weights(state: TrunkState) -> torch.Tensor:
    """The margin, logit of fake minus logit of real, as weights of the logits (N, 2)."""
    fake, real = ([state.labels[label]] * len(state) for label in (Label.FAKE, Label.REAL))
    return target_weights(state, fake) - target_weights(state, real)


def norm_gradients(state: TrunkState, weights: torch.Tensor, *, layer: int = -1) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations at the first norm of a block, and the gradient there of the weighted sum of logits; both (N, T, D).

    Args:
        weights: of the logits, (N, 2).
        layer: index of the block, negative from the end.

    Raises:
        InputError: if there is no such block.
    """
    trunk = state.trunk

    def run_block(index: int, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        normed = trunk.first_norm(index, hidden)
        return normed, trunk.run_block(index, hidden, normed, num_tokens=_num_wanted(state, index))

    *_, first = _backwards(state, weights, block_index(state, layer), run_block)
    return first


def attention_gradients(state: TrunkState, weights: torch.Tensor) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The attention of each block, last first, and the gradient there of the weighted sum of logits.

    Both are (N, num_heads, T, T), of the last block only the rows of the tokens that the head reads.
    """
    trunk = state.trunk

    def run_block(index: int, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        num_tokens, normed = _num_wanted(state, index), trunk.first_norm(index, hidden)
        attention = trunk.attention(index, normed, num_tokens=num_tokens)
        return attention, trunk.run_block(index, hidden, normed, attention=attention, num_tokens=num_tokens)

    return _backwards(state, weights, 0, run_block)


def _backwards(
    state: TrunkState, weights: torch.Tensor, first: int, run_block: RunBlock
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Value and gradient at a place in each block, from the last to `first`. One block's graph is held at a time."""
    last = len(state.block_inputs) - 1
    upstream = None
    for index in range(last, first - 1, -1):
        with torch.inference_mode(False), torch.enable_grad():
            # A tensor made in inference mode cannot be differentiated; its copy can.
            hidden = state.block_inputs[index].clone().requires_grad_()
            value, output = run_block(index, hidden)
            output, upstream = (state.trunk.finish(output), weights) if index == last else (output, upstream)
            upstream, gradient = torch.autograd.grad(output, (hidden, value), upstream)
        yield value.detach(), gradient


def _num_wanted(state: TrunkState, index: int) -> int | None:
    """How many of the first tokens that leave a block are wanted: of the last only what the head reads, else all."""
    return state.trunk.num_head_tokens if index == len(state.block_inputs) - 1 else None


def block_index(state: TrunkState, layer: int) -> int:
    count = len(state.block_inputs)
    if isinstance(layer, bool) or not isinstance(layer, int) or not -count <= layer < count:
        raise InputError(f"There is no layer {layer!r}: the model has {count}, 0 to {count - 1}, or -1 for the last.")
    return layer % count
