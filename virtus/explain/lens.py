"""The logit lens: what norm and head would say after each block (nostalgebraist 2020; of patches: Vilas et al. 2023).

Intermediate layers were never trained for the head: its p of them is a projection, not what the model "thought".
"""

from __future__ import annotations

import numpy as np
import torch

from virtus.checkpoints import Detector, TrunkState


@torch.inference_mode()
def logit_lens(detector: Detector, state: TrunkState, index: int) -> tuple[np.ndarray, np.ndarray]:
    """The calibrated p of fake, at the detector's prior, of the tokens of one crop before the first and after each
    block, from the pass that judged it.

    Args:
        index: of the crop in the state.

    Returns:
        Of each token by itself, (blocks + 1, T) float32: see `Classifier.judge_each`, which puts it where the head
        reads the class token, the mean of the patches, or what a learned query attends to.
        And of what the head reads, (blocks + 1,) float32, whose last is the verdict's p.
    """
    one = state.select(index)
    trunk, last = one.trunk, len(one.block_inputs) - 1
    leaving = [*one.block_inputs, trunk.run_block(last, one.tail_input)]
    of_tokens = [detector.p_fake_of(trunk.model.judge_each(hidden)[0]) for hidden in leaving]
    logits = [*map(trunk.finish, one.block_inputs), state.logits[index : index + 1]]
    return np.stack(of_tokens).astype(np.float32), detector.p_fake_of(torch.cat(logits)).astype(np.float32)
