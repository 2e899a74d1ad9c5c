"""Occlusion by leaving patches out: their tokens are dropped, nothing is put in their place.

After Zeiler & Fergus 2014 (arXiv:1311.2901), who cover patches with grey. A transformer can do without: a shorter
sequence is as good an input to it (Naseer et al. 2021, arXiv:2105.10497), while grey squares are like nothing in
training.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from virtus.checkpoints import TrunkState, margins_of
from virtus.errors import InputError
from virtus.explain.gradients import target_signs
from virtus.parallel import with_own_cores
from virtus.results import Label

BATCH = 32  # shortened sequences at a time
STEP = 8  # between two words to who waits


@torch.inference_mode()
def occlusion(state: TrunkState, targets: Sequence[Label], *, window: int = 2) -> np.ndarray:
    """How far the margin of the target falls when a square of patches is left out.

    The trunk runs once for each square: (grid / window)^2 times a crop.

    Args:
        targets: the class for each crop.
        window: side of the square in patches. Squares lie side by side; where they do not fit evenly the last ones are
            shifted inwards, and a patch in several has their mean.

    Returns:
        (N, grid_h, grid_w), float32, in logits; below 0 where a square spoke against the target.

    Raises:
        InputError: for a window that leaves nothing of the grid.
    """
    squares = _squares(state, window)
    margins = torch.stack([_margins_without(state, i, squares) for i in range(len(state))])
    return _maps(state, targets, squares, margins)


def occlude_in_steps(state: TrunkState, target: Label) -> Iterator[tuple[float, np.ndarray]]:
    """For who waits, after every few squares: the share that is done, and the map of the first crop so far."""
    squares = _squares(state, 2)
    margins = margins_of(state.logits, state.outputs)[0].repeat(len(squares))  # as if nothing fell
    for first in range(0, len(squares), STEP):
        part = slice(first, first + STEP)
        margins[part] = _margins_without(state, 0, squares[part])
        yield min(1.0, (first + STEP) / len(squares)), _maps(state, [target], squares, margins[None])[0]


@torch.inference_mode()
def _maps(state: TrunkState, targets: Sequence[Label], squares: torch.Tensor, margins: torch.Tensor) -> np.ndarray:
    """Of the margins without each square, (N, squares)."""
    falls = margins_of(state.logits, state.outputs)[: len(margins), None] - margins
    falls = falls * target_signs(state, targets)[:, None]
    covered = squares.float()
    return (falls @ covered / covered.sum(dim=0)).unflatten(1, state.trunk.grid_size).cpu().numpy()


def _margins_without(state: TrunkState, crop: int, squares: torch.Tensor) -> torch.Tensor:
    """Margins of one crop without each square's tokens, (squares,)."""
    trunk, tokens = state.trunk, state.block_inputs[0][crop]
    prefix = torch.ones(len(squares), trunk.num_prefix_tokens, dtype=torch.bool, device=squares.device)
    kept = torch.cat([prefix, ~squares], dim=1).nonzero()[:, 1].view(len(squares), -1)

    @torch.inference_mode()  # of each thread by itself
    def logits_of(batch: torch.Tensor) -> torch.Tensor:
        return trunk.logits(tokens[batch], batch)

    each = with_own_cores if tokens.device.type == "cpu" else map
    return margins_of(torch.cat(list(each(logits_of, kept.split(BATCH)))), state.outputs)


def _squares(state: TrunkState, window: int) -> torch.Tensor:
    """Which patches lie in each square, (squares, patches), bool: the same number in each."""
    grid_h, grid_w = state.trunk.grid_size
    if isinstance(window, bool) or not isinstance(window, int) or not 1 <= window < max(grid_h, grid_w):
        raise InputError(f"window is a whole number of patches from 1 to {max(grid_h, grid_w) - 1}, not {window!r}.")
    rows, columns = _spans(grid_h, window), _spans(grid_w, window)
    squares = (rows[:, None, :, None] & columns[None, :, None, :]).flatten(0, 1).flatten(1)
    return squares.to(state.tail_input.device)


def _spans(length: int, window: int) -> torch.Tensor:
    """Stretches of `window` side by side, together covering 0 to `length`: (stretches, length), bool."""
    starts = torch.arange(0, length, window).clamp(max=max(length - window, 0))[:, None]
    places = torch.arange(length)
    return (starts <= places) & (places < starts + window)
