"""Crops in, probabilities out: batching, device, precision, and one pass of the trunk for verdict and explanations."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from virtus.checkpoints.calibration import EVEN, UNCALIBRATED, check_prior, even_margin_of, judge
from virtus.checkpoints.load import Checkpoint
from virtus.labels import ClassOutputs
from virtus.models import Trunk, crops_at_once
from virtus.parallel import with_own_cores
from virtus.results import Calibration, FaceCrop, Label, Prediction


@dataclass(frozen=True)
class TrunkState:
    """What one pass of the trunk leaves behind for the verdict and all explanations.

    Attributes:
        trunk: the model that made it.
        outputs: which logits speak for each class.
        block_inputs: the tokens that enter each block, (N, T, D) float32; the last ones enter the tail.
        even_margin: the margin (see `margins_of`) at which both classes are equally likely.
        first_trained_block: see `Checkpoint`.
    """

    trunk: Trunk
    outputs: ClassOutputs
    block_inputs: tuple[torch.Tensor, ...]
    even_margin: float = 0.0
    first_trained_block: int = 0

    def __len__(self) -> int:
        return self.block_inputs[-1].shape[0]

    def select(self, index: int) -> TrunkState:
        """The state of one crop alone."""
        return replace(self, block_inputs=tuple(tokens[index : index + 1] for tokens in self.block_inputs))

    @property
    def tail_input(self) -> torch.Tensor:
        return self.block_inputs[-1]

    @property
    def predicted(self) -> list[Label]:
        """The likelier class of each crop, at as many fakes as reals."""
        margins = margins_of(self.logits, self.outputs).tolist()
        return [Label.FAKE if margin >= self.even_margin else Label.REAL for margin in margins]

    @functools.cached_property
    def logits(self) -> torch.Tensor:
        """(N, outputs), float32."""
        with torch.inference_mode():
            return self.trunk.tail(self.tail_input)


def margins_of(logits: torch.Tensor, outputs: ClassOutputs) -> torch.Tensor:
    """The number behind p of fake, its log-odds: logsumexp of the fake logits minus that of the real ones.

    With one logit a class it is their difference; a class without any counts as a logit of 0.

    Returns:
        (N,) from logits (N, outputs).
    """
    return _logsumexp(logits, outputs.fake) - _logsumexp(logits, outputs.real)


def _logsumexp(logits: torch.Tensor, indices: Sequence[int]) -> torch.Tensor:
    if len(indices) > 1:
        return logits[:, list(indices)].logsumexp(dim=1)
    return logits[:, indices[0]] if indices else logits.new_zeros(len(logits))


class Detector:
    """A checkpoint at work. It holds no state between calls: several threads may share one.

    Args:
        batch_size: crops that go through the trunk together; what suits the device if None.
        prior: share of fakes expected among photos like those that it will be shown; every p is at this prior.

    Raises:
        InputError: unless the prior is above 0 and below 1.
    """

    def __init__(self, checkpoint: Checkpoint, *, batch_size: int | None = None, prior: float = EVEN):
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        check_prior(prior)
        self.checkpoint = checkpoint
        self.prior = prior
        self.batch_size = batch_size or crops_at_once(checkpoint.trunk.device)

    def at_prior(self, prior: float) -> Detector:
        """The same checkpoint, its weights shared, with every p at another prior.

        Raises:
            InputError: unless the prior is above 0 and below 1.
        """
        return Detector(self.checkpoint, batch_size=self.batch_size, prior=prior)

    def with_calibration(self, calibration: Calibration) -> Detector:
        """The same checkpoint, its weights shared, by another calibration and at even odds."""
        info = replace(self.checkpoint.info, calibration=calibration)
        return Detector(replace(self.checkpoint, info=info), batch_size=self.batch_size)

    @torch.inference_mode()
    def encode(self, crops: Sequence[FaceCrop]) -> TrunkState:
        """Run the trunk once and keep what explanations need: 4 x blocks x tokens x width bytes a crop.

        For verdicts alone, `predict` keeps nothing and takes any number.
        """
        batches = [tuple(self._block_inputs(batch)) for batch in map(self._pixel_values, self._batches(crops))]
        if len(batches) == 1:
            return self.state_of(batches[0])
        return self.state_of([torch.cat(parts) for parts in zip(*batches, strict=True)])

    def state_of(self, block_inputs: Sequence[torch.Tensor]) -> TrunkState:
        """What `encode` gave, from its `block_inputs` alone, on any device. No pass of the trunk."""
        checkpoint = self.checkpoint
        inputs = tuple(tokens.to(checkpoint.trunk.device) for tokens in block_inputs)
        even_margin = even_margin_of(checkpoint.info.calibration)
        return TrunkState(checkpoint.trunk, checkpoint.outputs, inputs, even_margin, checkpoint.first_trained_block)

    def predict(self, crops: Sequence[FaceCrop]) -> list[Prediction]:
        """The verdict for each crop. Nothing is kept of a batch but that."""
        batches = with_own_cores(self._judge_crops, self._batches(crops))
        return [prediction for batch in batches for prediction in self._predictions(*batch)]

    def predict_state(self, state: TrunkState) -> list[Prediction]:
        """The verdict for each crop of a state, without another pass of the trunk."""
        novelties = [self._novelties(index, hidden) for index, hidden in enumerate(state.block_inputs)]
        return self._predictions(state.logits, next(filter(None, novelties), None))

    def p_fake_of(self, logits: torch.Tensor) -> np.ndarray:
        """The calibrated p of fake at its prior, (N,) float64, of logits (N, outputs)."""
        calibration, odds = self.checkpoint.info.calibration or UNCALIBRATED, self.prior / (1 - self.prior)
        margins = margins_of(logits, self.checkpoint.outputs).double()
        return torch.sigmoid(margins / calibration.temperature + calibration.bias + math.log(odds)).cpu().numpy()

    def _predictions(self, logits: torch.Tensor, novelties: Sequence[float] | None) -> list[Prediction]:
        margins = margins_of(logits, self.checkpoint.outputs).tolist()
        calibration = self.checkpoint.info.calibration
        return [
            Prediction(*judge(margin, calibration, self.prior), novelty)
            for margin, novelty in zip(margins, novelties or [None] * len(margins), strict=True)
        ]

    def _batches(self, crops: Sequence[FaceCrop]) -> list[Sequence[FaceCrop]]:
        """As few of at most `batch_size` as there can be, of about one size; an empty batch for no crops."""
        size = math.ceil(len(crops) / max(1, math.ceil(len(crops) / self.batch_size)))
        return [crops[start : start + size] for start in range(0, len(crops), size)] if size else [crops]

    def _pixel_values(self, crops: Sequence[FaceCrop]) -> torch.Tensor:
        transform = self.checkpoint.transform
        batch = [transform(crop.image) for crop in crops]
        return torch.from_numpy(np.stack(batch) if batch else np.empty((0, 3, *transform.input_size), np.float32))

    def _block_inputs(self, pixel_values: torch.Tensor) -> Iterator[torch.Tensor]:
        trunk = self.checkpoint.trunk
        hidden = trunk.embed(pixel_values)
        for index in range(len(trunk.blocks) - 1):
            yield hidden
            hidden = trunk.run_block(index, hidden)
        yield hidden

    @torch.inference_mode()  # of each thread by itself
    def _judge_crops(self, crops: Sequence[FaceCrop]) -> tuple[torch.Tensor, list[float]]:
        """Logits and novelties (see `_novelties`). Of the tokens that enter the blocks none are kept."""
        novelties: list[float] = []
        for index, hidden in enumerate(self._block_inputs(self._pixel_values(crops))):
            novelties = self._novelties(index, hidden) or novelties
        return self.checkpoint.trunk.tail(hidden), novelties

    def _novelties(self, index: int, hidden: torch.Tensor) -> list[float]:
        """From the tokens that enter block `index`; empty for a block that is not looked at."""
        known = self.checkpoint.novelty
        if known is None or index != known.block:
            return []
        return known.measure(hidden, self.checkpoint.trunk.num_prefix_tokens)
