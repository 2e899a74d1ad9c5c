"""Gradients of a class's margin inside the trunk, without hooks: block by block, from the tokens that entered each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch

from virtus.checkpoints import TrunkState, margins_of
from virtus.errors import InputError
from virtus.results import Label

RunBlock = Callable[[int, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""(index, tokens that enter the block) to (value at a place in it, tokens that leave it)."""


def target_signs(state: TrunkState, targets: Sequence[Label]) -> torch.Tensor:
    """By which the margin becomes that of each crop's target: 1 for fake, -1 for real, (N,)."""
    signs = [1.0 if target is Label.FAKE else -1.0 for target in targets]
    return torch.tensor(signs, device=state.tail_input.device)


def norm_gradients(
    state: TrunkState, targets: Sequence[Label], *, layer: int = -1
) -> tuple[torch.Tensor, torch.Tensor]:
    """Activations at the first norm of a block, and the gradient there of the target's margin; both (N, T, D).

    Args:
        targets: the class for each crop.
        layer: index of the block, negative from the end.

    Raises:
        InputError: if there is no such block.
    """
    trunk = state.trunk

    def run_block(index: int, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        normed = trunk.first_norm(index, hidden)
        return normed, trunk.run_block(index, hidden, normed, num_tokens=_num_wanted(state, index))

    *_, first = _backwards(state, targets, block_index(state, layer), run_block)
    return first


def attention_gradients(
    state: TrunkState, targets: Sequence[Label], *, first: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """The attention of each block, from the last to `first`, and the gradient there of the target's margin.

    Both are (N, num_heads, T, T), of the last block only the rows of the tokens that the head reads.
    """
    trunk = state.trunk

    def run_block(index: int, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        num_tokens, normed = _num_wanted(state, index), trunk.first_norm(index, hidden)
        attention = trunk.attention(index, normed, num_tokens=num_tokens)
        return attention, trunk.run_block(index, hidden, normed, attention=attention, num_tokens=num_tokens)

    return _backwards(state, targets, first, run_block)


def pooling_gradient(state: TrunkState, targets: Sequence[Label]) -> tuple[torch.Tensor, torch.Tensor]:
    """`Trunk.pooling` where a learned query attends to the tokens, and the gradient there, (N, num_heads, 1, T)."""
    trunk = state.trunk
    with torch.inference_mode(False), torch.enable_grad():
        hidden = trunk.run_block(len(state.block_inputs) - 1, state.tail_input.clone())
        attention = trunk.pooling(hidden).detach().requires_grad_()
        margins = margins_of(trunk.finish(hidden, attention), state.outputs)
        (gradient,) = torch.autograd.grad(margins, attention, target_signs(state, targets))
    return attention.detach(), gradient


def _backwards(
    state: TrunkState, targets: Sequence[Label], first: int, run_block: RunBlock
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Value and gradient at a place in each block, from the last to `first`. One block's graph is held at a time."""
    last = len(state.block_inputs) - 1
    upstream = [target_signs(state, targets)]
    for index in range(last, first - 1, -1):
        with torch.inference_mode(False), torch.enable_grad():
            # A tensor made in inference mode cannot be differentiated; its copy can.
            hidden = state.block_inputs[index].clone().requires_grad_()
            value, output = run_block(index, hidden)
            if index == last:
                output = margins_of(state.trunk.finish(output), state.outputs)
            # What enters the first block of all asks for no gradient: nothing goes on from there.
            wanted = (value,) if index == first else (value, hidden)
            gradient, *upstream = torch.autograd.grad([output], wanted, upstream)
        yield value.detach(), gradient


def _num_wanted(state: TrunkState, index: int) -> int | None:
    """How many of the first tokens that leave a block are wanted: of the last only what the head reads, else all."""
    return state.trunk.num_outputs if index == len(state.block_inputs) - 1 else None


def block_index(state: TrunkState, layer: int) -> int:
    count = len(state.block_inputs)
    if isinstance(layer, bool) or not isinstance(layer, int) or not -count <= layer < count:
        raise InputError(f"There is no layer {layer!r}: the model has {count}, 0 to {count - 1}, or -1 for the last.")
    return layer % count
